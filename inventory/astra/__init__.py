"""Astra's DevOps API, read by requests that only read."""
