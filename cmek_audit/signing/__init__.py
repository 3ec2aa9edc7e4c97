"""Signatures of reports: keys, what is signed, and whether a signature holds."""
