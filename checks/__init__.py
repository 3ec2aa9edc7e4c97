"""One file per documented rule, and what the rules share."""
