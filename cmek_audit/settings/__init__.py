"""Settings: what a file and environment variables give, where no option does."""
