"""What was recorded: organizations, their customer keys and their databases."""
