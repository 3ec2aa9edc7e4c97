"""Evidence bundles: what is recorded of a live audit, and the chain of them."""
