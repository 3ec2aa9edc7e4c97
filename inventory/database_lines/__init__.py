"""Databases in lines of NDJSON, read fast: what is not plain is left to the full reader."""
