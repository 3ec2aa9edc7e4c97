"""An audit as tables: which there are, their columns, and the values of each row."""
