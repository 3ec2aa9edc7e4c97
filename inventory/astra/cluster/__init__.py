"""Organizations read by the workers of a cluster."""
