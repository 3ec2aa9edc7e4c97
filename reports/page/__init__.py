"""What only the page shows: its parts, laid out from the record for the templates."""
