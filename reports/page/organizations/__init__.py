"""The pages of single organizations, beside the index of a fleet."""
