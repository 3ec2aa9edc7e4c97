"""What a command says: results on stdout, everything else on stderr, none of it harmful."""

from __future__ import annotations

import io
import json
import shutil
import sys
import textwrap

import typer

from inventory.text.display import printable
from inventory.text.secrets import without_secrets

_NARROWEST, _WIDEST = 40, 100


def write_lines(text: str, *, err: bool = False) -> None:
    """Print ``text`` without what could steer a terminal, and without tokens."""
    for line in text.splitlines():
        typer.echo(printable(without_secrets(line)), err=err)


def write_json(value: object) -> None:
    """Print ``value`` as JSON, in ASCII."""
    typer.echo(json.dumps(value, indent=2))


def wrapped(text: str, indent: str = "", further: str | None = None) -> list[str]:
    """Fold ``text`` to the width of the terminal, but to 40 characters at least and 100 at most.

    Lines after the first are indented by ``further``, as the first if that is not told.
    """
    return textwrap.wrap(
        text,
        min(max(shutil.get_terminal_size().columns, _NARROWEST), _WIDEST),
        initial_indent=indent,
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def take_any_character() -> None:
    """Let stdout show by number what its encoding lacks; stderr does so by itself."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
