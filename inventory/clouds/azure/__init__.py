"""Azure: what its key vaults show of a key."""
