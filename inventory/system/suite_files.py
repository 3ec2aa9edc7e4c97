"""The files of the suite itself, by whose hash two processes know that they have the same code."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
"""The folder that holds the parts of the suite."""

_PARTS = ("inventory", "checks", "reports")


@cache
def suite_hash() -> str:
    """Return the hash of the suite's files: processes with the same hash judge and write alike."""
    digest = hashlib.sha256()
    for name, path in sorted(_suite_files(ROOT)):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _suite_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file with its name, which is the same in a checkout and in an installed package.

    An installed package carries the other parts inside it.
    """
    package = root / "cmek_audit" if (root / "cmek_audit").is_dir() else root.parent
    yield from _files("cmek_audit", package)
    for part in _PARTS:
        yield from _files(part, root / part)


def _files(name: str, folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] != "suite" and "__pycache__" not in inside.parts:
            yield f"{name}/{inside.as_posix()}", path
