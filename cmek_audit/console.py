"""What a command prints: results on stdout, all else on stderr, none of it harmful."""

from __future__ import annotations

import io
import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING

import click

from inventory.text.display import printable
from inventory.text.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NARROWEST, _WIDEST = 40, 100
_UNLIMITED = 10_000
"""Wider than any line, in characters."""


def write_lines(text: str, *, err: bool = False, width: int = 1_000) -> None:
    """Print ``text`` without what could steer a terminal, and without tokens.

    Lines are cut to ``width`` characters.
    """
    for line in text.splitlines():
        click.echo(printable(without_secrets(line), width), err=err)


def write_json(value: object) -> None:
    """Print ``value`` as JSON, in ASCII."""
    click.echo(json.dumps(value, indent=2))


def wrapped(text: str, indent: str = "", hanging: str | None = None) -> list[str]:
    """Fold ``text`` to the width of the terminal, but to 40 columns at least and 100 at most.

    Lines after the first are indented by ``hanging``; without it, like the first.
    """
    from rich.cells import cell_len  # noqa: PLC0415 (help needs no rich)
    from rich.console import Console  # noqa: PLC0415 (as above)
    from rich.text import Text  # noqa: PLC0415 (as above)

    hanging = indent if hanging is None else hanging
    console = Console()
    width = min(max(console.width, _NARROWEST), _WIDEST) - len(hanging)
    lines: list[str] = []
    # rich breaks a word that is longer than a line. A key id must stay whole, to be copied.
    for is_long, words in groupby(text.split(" "), lambda word: cell_len(word) > width):
        if is_long:
            lines += words
        else:
            lines += (line.plain.rstrip() for line in Text(" ".join(words)).wrap(console, width))
    return [f"{hanging if number else indent}{line}" for number, line in enumerate(lines)]


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return one line for each row, with its cells in columns; lines are as long as they need."""
    from rich.console import Console  # noqa: PLC0415 (help needs no rich)
    from rich.table import Table  # noqa: PLC0415 (as above)
    from rich.text import Text  # noqa: PLC0415 (as above)

    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(*(Text(printable(cell, _UNLIMITED)) for cell in row))
    if not grid.row_count:
        return []
    console = Console(width=_UNLIMITED, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(grid)
    return [line.rstrip() for line in capture.get().split("\n")[:-1]]


def accept_any_character() -> None:
    """Print characters that the encoding of stdout lacks by number; stderr does so by itself."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
