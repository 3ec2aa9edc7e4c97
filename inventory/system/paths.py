"""Paths as everything shows them: one spelling for a file, however it was given, and one order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def normalize_path(path: str, start: Path = Path()) -> str:
    """Return ``path`` in its canonical form: relative inside the working directory, else absolute.

    A relative path begins at ``start``. Links are not followed, and ``..`` after a link is kept: it
    leads to the parent of the link's target, not of the link. An empty path stays empty.
    """
    if not path:
        return path
    absolute = _without_detours((start / path).absolute())
    for folder in _working_directories():
        if absolute.is_relative_to(folder):
            return absolute.relative_to(folder).as_posix()
    return absolute.as_posix()


def sorted_paths(paths: Iterable[str], start: Path = Path()) -> tuple[str, ...]:
    """Return the distinct canonical spellings of ``paths``, sorted."""
    return tuple(sorted({normalize_path(path, start) for path in paths}))


def _without_detours(path: Path) -> Path:
    kept = Path(path.anchor)
    for part in path.parts[1:]:
        is_detour = part == ".." and kept.name != ".." and not kept.is_symlink()
        kept = kept.parent if is_detour else kept / part
    return kept


def _working_directories() -> Iterator[Path]:
    """Yield the working directory, and the path with links by which the shell shows it, if any."""
    current = Path.cwd()
    yield current
    logical = Path(os.environ.get("PWD", ""))
    # PWD may be left over from another process, so it counts only if it is this folder.
    if logical.is_absolute() and logical.is_dir() and logical.samefile(current):
        yield _without_detours(logical)
