"""Text: secrets kept out of it, and what hides in it made visible."""
