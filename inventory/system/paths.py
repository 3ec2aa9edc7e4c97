"""Paths as everything shows them: one spelling for a file, however it was given, and one order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def normalize_path(path: str, start: Path = Path()) -> str:
    """Return ``path`` in its one spelling: relative if it lies in the working directory.

    Else it is absolute. A relative one begins at ``start``. Links are not followed; ``..`` stays
    behind a link, as it leads elsewhere than the text says. An empty path stays empty.
    """
    if not path:
        return path
    whole = _without_detours((start / path).absolute())
    for folder in _working_directories():
        if whole.is_relative_to(folder):
            return whole.relative_to(folder).as_posix()
    return whole.as_posix()


def sorted_paths(paths: Iterable[str], start: Path = Path()) -> tuple[str, ...]:
    """Return each of ``paths`` once, in its one spelling, in the order of the spellings."""
    return tuple(sorted({normalize_path(path, start) for path in paths}))


def _without_detours(path: Path) -> Path:
    kept = Path(path.anchor)
    for part in path.parts[1:]:
        is_detour = part == ".." and kept.name != ".." and not kept.is_symlink()
        kept = kept.parent if is_detour else kept / part
    return kept


def _working_directories() -> Iterator[Path]:
    """Yield the working directory, and the way to it by links that a shell shows, if there is."""
    here = Path.cwd()
    yield here
    shown = Path(os.environ.get("PWD", ""))
    if shown.is_absolute() and shown.is_dir() and shown.samefile(here):
        yield _without_detours(shown)
