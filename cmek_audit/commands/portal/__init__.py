"""The command ``portal``, what it finds to look at, and its printers."""
