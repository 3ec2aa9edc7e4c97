"""Paths, locks, signals and memory: what the operating system and the interpreter lend."""
