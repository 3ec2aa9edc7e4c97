"""The findings on the page, and the evidence to which they lead."""
