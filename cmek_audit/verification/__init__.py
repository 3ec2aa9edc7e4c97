"""A finished report, verified."""
