"""Files read strictly: YAML, JSON and NDJSON, with the line of everything that is wrong."""
