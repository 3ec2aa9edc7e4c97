"""The command ``cmek-audit``; an installed package carries the suite inside it."""
