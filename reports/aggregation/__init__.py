"""What the findings add up to: coverage, actions, the key plan."""
