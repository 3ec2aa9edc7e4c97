"""Files and folders that survive a loss of power."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_durably(path: Path, content: bytes) -> None:
    """Write a file, and return when it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name beside ``path`` for a new file, which takes its place as a whole in the end.

    If anything breaks, the new file is removed, and what is at ``path`` stays as it is.
    """
    beside = name_beside(path)
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def name_beside(path: Path) -> Path:
    """Return a hidden name beside ``path``, which nobody can foresee, for an unfinished file."""
    return path.with_name(f".{path.name}.writing-{token_hex(4)}")


def sync_everything() -> None:
    """Flush all that was written to the disk, where the system has one call for it.

    On Windows there is none: there, a loss of power within seconds may cost what was just written.
    """
    if hasattr(os, "sync"):
        os.sync()


def sync_folder(folder: Path) -> None:
    """Flush the entries of ``folder`` to the disk, if its file system can."""
    with suppress(OSError):  # the files are complete without it
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
