"""Shows how far a collection is: a bar on a terminal, else one line at the end.

A note is shown at once, in a line of its own.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cmek_audit.console import write_lines
from inventory.astra.collector import Progress
from inventory.text.display import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

_NAME_LENGTH = 40


@contextmanager
def show_progress(*, is_quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """Yield a function that takes every step of a collection, and shows it on stderr.

    A quiet one shows notes alone.
    """
    is_bar = sys.stderr.isatty() and not is_quiet
    with _bar_on_stderr() if is_bar else _closing_line(is_quiet=is_quiet) as show:
        yield show


@contextmanager
def _closing_line(*, is_quiet: bool) -> Iterator[Callable[[Progress], None]]:
    last = Progress(0, 0)

    def show(step: Progress) -> None:
        nonlocal last
        last = step
        if step.note:
            write_lines(step.note, err=True)

    yield show
    if not is_quiet:
        write_lines(_counts(last), err=True)


@contextmanager
def _bar_on_stderr() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console  # noqa: PLC0415 (only a terminal needs it)

    with progress_bar(Console(stderr=True)) as show:
        yield show


@contextmanager
def progress_bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Draw a bar on ``console``, with the counts and the name of the last organization done."""
    from rich import progress as rich  # noqa: PLC0415 (as above)

    columns = (
        rich.TextColumn("Reading", markup=False),
        rich.BarColumn(),
        # A name comes from Astra: as markup it could style or hide what stands beside it.
        rich.TextColumn("{task.fields[status]}", markup=False),
        rich.TimeElapsedColumn(),
    )
    with rich.Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=None, status="")

        def show(step: Progress) -> None:
            if step.note:
                console.print(printable(step.note), markup=False, highlight=False, soft_wrap=True)
            bar.update(task, total=step.total, completed=step.done, status=_status(step))

        yield show


def _status(step: Progress) -> str:
    return f"{_counts(step)} {printable(step.name, _NAME_LENGTH)}".rstrip()


def _counts(step: Progress) -> str:
    return f"{step.done:,}/{step.total:,} organizations, {step.requests:,} requests"
