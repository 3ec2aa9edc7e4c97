"""Parameters that several commands have."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from inventory.errors import CmekAuditError, SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = {"show_default": True}
"""The settings of every command: its help shows the defaults."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, not text.")
report = click.argument("report", default="audit-report")

inventory = click.option(
    "--inventory", "-i", metavar="PATH", multiple=True, help="What exists: see --cmek-inventory."
)
plan = click.option(
    "--plan", "-p", metavar="[NAME=]PATH", multiple=True, help="What is planned: see --cmek-plan."
)
state = click.option(
    "--state",
    "-s",
    metavar="PATH",
    multiple=True,
    help="What Terraform believes to exist: see --cmek-state.",
)
terraform_organization = click.option(
    "--terraform-organization",
    metavar="[[NAME#]PROVIDER=]ID",
    multiple=True,
    help="See --cmek-terraform-organization.",
)

_AUDIT_OPTION = re.compile(
    "--cmek-(?=(?:inventory|plan|state|terraform-organization|history|as-of)\\b)"
)
"""How an audit's options begin that these commands have, too."""


@contextmanager
def own_option_names() -> Iterator[None]:
    """Name options in errors as the command calls them, so that a correction can be pasted."""
    try:
        yield
    except CmekAuditError as error:
        raise SettingError(_AUDIT_OPTION.sub("--", str(error))) from None
