"""Parameters that several commands have."""

from __future__ import annotations

import click

SETTINGS = {"show_default": True}
"""The settings of every command: its help shows the defaults."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, not text.")
report = click.argument("report", default="audit-report")
