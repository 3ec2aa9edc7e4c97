"""What a command says: results on stdout, everything else on stderr, none of it harmful."""

from __future__ import annotations

import io
import json
import sys

import typer

from inventory.secrets import without_secrets
from inventory.wording import safe


def say(text: str, *, err: bool = False) -> None:
    """Print ``text`` without what could steer a terminal, and without tokens."""
    for line in text.splitlines():
        typer.echo(safe(without_secrets(line)), err=err)


def say_json(value: object) -> None:
    """Print ``value`` as JSON, in ASCII."""
    typer.echo(json.dumps(value, indent=2))


def counted(number: int, thing: str) -> str:
    """Render a number with what it counts: ``1 bundle``, ``2 bundles``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def take_any_character() -> None:
    """Let stdout show by number what its encoding lacks; stderr does so by itself."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
