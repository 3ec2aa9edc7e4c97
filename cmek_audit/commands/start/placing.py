"""Files that are written beside their place and moved there whole, never over one of the user's."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from inventory.system.durable_files import name_beside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

State = Literal["written", "unchanged", "left"]


class Placed(NamedTuple):
    """What became of a file.

    Attributes:
        path: where it is.
        state: ``written`` now; ``unchanged`` if one with the same content was there; ``left`` if
            another one was there, which stays as it is.
    """

    path: Path
    state: State


def place_new(files: Mapping[Path, bytes]) -> list[Placed]:
    """Write each file that is not there yet; raise OSError, and write none, if one cannot be.

    All are written beside their places first, so that a full disk or a missing permission is found
    before the first of them is in its place. Folders that are missing are made.
    """
    with ExitStack() as unfinished:
        staged = {
            path: _stage(path, content, unfinished)
            for path, content in files.items()
            if not os.path.lexists(path)
        }
        return [Placed(path, _place(path, files[path], staged.get(path))) for path in files]


def replace(path: Path, content: bytes) -> None:
    """Write a file, or replace it as a whole."""
    with ExitStack() as unfinished:
        _stage(path, content, unfinished).replace(path)


def _stage(path: Path, content: bytes, unfinished: ExitStack) -> Path:
    """Write ``content`` beside ``path``; what is not moved from there is removed at the end."""
    for folder in reversed([parent for parent in path.parents if not parent.exists()]):
        folder.mkdir()
        unfinished.callback(_remove_if_empty, folder)
    beside = name_beside(path)
    unfinished.callback(beside.unlink, missing_ok=True)
    beside.write_bytes(content)
    return beside


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # it holds what was written
        folder.rmdir()


def _place(path: Path, content: bytes, staged: Path | None) -> State:
    if staged is not None and _reserve(path):
        staged.replace(path)
        return "written"
    with suppress(OSError):  # a folder, say, or a link to nothing
        if path.read_bytes() == content:
            return "unchanged"
    return "left"


def _reserve(path: Path) -> bool:
    """Make an empty file, which the finished one replaces; say whether the name was free."""
    try:
        # Not every file system knows links, which would do this in one step.
        path.open("xb").close()
    except FileExistsError:
        return False
    return True
