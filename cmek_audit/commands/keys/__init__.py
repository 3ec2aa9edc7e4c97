"""The command ``keys`` and its printers."""
