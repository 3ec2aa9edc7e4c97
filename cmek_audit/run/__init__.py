"""One audit under pytest, from its options to its report folder."""
