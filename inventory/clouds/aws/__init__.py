"""AWS: what its key management shows of a key."""
