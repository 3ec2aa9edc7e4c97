"""Paths, locks, signals and memory: the operating system and the interpreter."""
