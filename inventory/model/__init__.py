"""The frozen models of an inventory, and one organization indexed by key scope."""
