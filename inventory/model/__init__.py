"""The frozen models of an inventory."""
