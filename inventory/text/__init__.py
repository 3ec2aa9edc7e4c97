"""Text: secrets, deceptive and invisible characters, and how values are displayed."""
