"""The files of a report that a signature is of, and what else is in its folder."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from cmek_audit.run.report_folder import PREVIOUS, WRITTEN
from reports.formats.registry import FOLDERS
from reports.record.layout import SIGNATURE
from reports.record.reader import measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_NEVER_SIGNED = frozenset({SIGNATURE, PREVIOUS})


class ReportFiles(NamedTuple):
    """What is in a report folder, by paths relative to it, in order.

    Attributes:
        own: the files that an audit writes, the signature excepted.
        others: whatever else is there; hidden entries and the earlier audit are not counted.
    """

    own: tuple[str, ...]
    others: tuple[str, ...]


def list_files(folder: Path) -> ReportFiles:
    """Return what is in the report ``folder``; no link is followed. Raises OSError."""
    own: list[str] = []
    others: list[str] = []
    for name, is_own in _entries(folder):
        (own if is_own else others).append(name)
    return ReportFiles(tuple(sorted(own)), tuple(sorted(others)))


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield the path of each entry, and whether an audit writes such a file."""
    for entry in os.scandir(folder):
        if entry.name.startswith(".") or entry.name in _NEVER_SIGNED:
            continue
        if entry.name in FOLDERS and entry.is_dir(follow_symlinks=False):
            named = FOLDERS[entry.name]
            for file in os.scandir(entry):
                is_named = named.fullmatch(file.name) is not None
                yield f"{entry.name}/{file.name}", is_named and _is_file(file)
        else:
            yield entry.name, entry.name in WRITTEN and _is_file(entry)


def _is_file(entry: os.DirEntry[str]) -> bool:
    return stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)


def hash_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of each of these files of ``folder``, by its name; raise OSError."""
    return {name: measure(folder / name)[0] for name in names}
