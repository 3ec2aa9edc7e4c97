"""The commands that make a report ready to be handed over."""
