"""Shows how far a collection is: a bar where somebody looks on, else one line at the end.

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

_NAME = 40


@contextmanager
def show_progress() -> Iterator[Callable[[Progress], None]]:
    """Yield what is to be told of every step; show it on stderr."""
    console = _console()
    with _closing_line() if console is None else bar(console) as tell:
        yield tell


def _console() -> Console | None:
    """Return stderr as rich draws on it; None if it is no terminal, or there is no rich."""
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console  # noqa: PLC0415 (only where it is needed)
    except ImportError:
        return None
    return Console(stderr=True)


@contextmanager
def _closing_line() -> Iterator[Callable[[Progress], None]]:
    steps = [Progress(0, 0)]

    def tell(step: Progress) -> None:
        if step.note:
            write_lines(step.note, err=True)
        steps.append(step)

    yield tell
    last = steps[-1]
    write_lines(_counts(last), err=True)


@contextmanager
def bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Draw a bar on ``console``, with the counts and the name of the last one done."""
    from rich import progress as rich  # noqa: PLC0415 (as above)

    columns = (
        rich.TextColumn("Reading", markup=False),
        rich.BarColumn(),
        rich.TextColumn("{task.fields[told]}", markup=False),
        rich.TimeElapsedColumn(),
    )
    with rich.Progress(*columns, console=console) as drawn:
        task = drawn.add_task("", total=None, told="")

        def tell(step: Progress) -> None:
            if step.note:
                console.print(printable(step.note), markup=False, highlight=False, soft_wrap=True)
            drawn.update(task, total=step.total, completed=step.done, told=_told(step))

        yield tell


def _told(step: Progress) -> str:
    return f"{_counts(step)} {printable(step.name, _NAME)}".rstrip()


def _counts(step: Progress) -> str:
    return f"{step.done:,}/{step.total:,} organizations, {step.requests:,} requests"
