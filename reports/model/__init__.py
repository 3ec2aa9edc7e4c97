"""The types of the record: what every report is made of."""
