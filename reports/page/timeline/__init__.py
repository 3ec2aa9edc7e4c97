"""The timeline of the auditor's page: when keys were registered, and databases deployed."""
