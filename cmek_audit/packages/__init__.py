"""Packages for auditors: what is in one, how it is written, and how it is checked."""
