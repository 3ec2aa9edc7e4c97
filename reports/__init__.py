"""The audit record, and one file per format rendered from it."""
