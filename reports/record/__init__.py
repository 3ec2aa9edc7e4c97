"""The audit record: written, and read back."""
