"""Earlier moments, kept small: what rules need of them, and the summary of pruned ones."""
