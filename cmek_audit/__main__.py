"""Runs the command as ``python -m cmek_audit``."""

from cmek_audit.cli import main

if __name__ == "__main__":
    main()
