"""An organization arranged for judging: its keys and its databases by key scope."""
