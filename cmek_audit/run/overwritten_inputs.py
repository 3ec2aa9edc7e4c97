"""Inputs that an audit would move or remove, as they are files of its own report folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cmek_audit.run.report_folder import PREVIOUS, UNFINISHED
from inventory.errors import SettingError
from inventory.history_files import is_report
from reports.formats.registry import FOLDERS
from reports.record.layout import HEAD, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_File = tuple[int, int]
"""What identifies a file, by whatever path or link it is reached."""


class GivenPath(NamedTuple):
    """An input: the name of its option without ``--cmek-``, and a path that it gives."""

    option: str
    path: str


def refuse_overwritten_inputs(
    inputs: Iterable[GivenPath], folder: Path, written: Iterable[str]
) -> None:
    """Raise SettingError if an audit would move or remove one of ``inputs``.

    ``written`` are the paths, inside ``folder``, of the files that do not stay there.
    """
    for option, found in overwritten_inputs(inputs, folder, written):
        expected = "expected one that is kept elsewhere"
        raise SettingError(f"--cmek-{option}: found {found}, and would not stay there; {expected}")


def overwritten_inputs(
    inputs: Iterable[GivenPath], folder: Path, written: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield the option of each input that would not stay, with its path and the reason."""
    targets = dict(_targets(folder, written))
    for option, path in inputs:
        is_record = option == "baseline" or (option == "history" and is_report(path))
        files = _record(Path(path)) if is_record else _files(Path(path), folder, targets)
        if reason := next(filter(None, (_reason(file, folder, targets) for file in files)), ""):
            yield option, reason


def _targets(folder: Path, written: Iterable[str]) -> Iterator[tuple[_File, Path]]:
    for name in written:
        with suppress(OSError):
            yield _identity(folder / name), folder / name


def _identity(file: Path) -> _File:
    status = file.stat()
    return status.st_dev, status.st_ino


def _record(path: Path) -> Iterator[Path]:
    """Yield the files of a record, which is given by its folder or its head."""
    head = path / HEAD if path.is_dir() else path
    yield head
    yield from (head.with_name(name) for name in RECORD if name != HEAD)


def _files(path: Path, folder: Path, targets: Mapping[_File, Path]) -> Iterator[Path]:
    """Yield ``path``, and the links in it if it is a folder."""
    yield path
    if targets and path.is_dir():
        # Without a second name of any target no file can be a hard link to one, which saves the
        # look at every file of a large folder of history.
        is_hard = any(target.stat().st_nlink > 1 for target in targets.values())
        yield from _linked(path, folder.resolve(), is_hard=is_hard)


def _linked(path: Path, excluded: Path, *, is_hard: bool) -> Iterator[Path]:
    """Yield each file below ``path`` that is a link, or may be a hard one; skip ``excluded``."""
    for root, folders, names in os.walk(path):
        here = Path(root)
        folders[:] = [folder for folder in folders if (here / folder).resolve() != excluded]
        for file in (here / name for name in names):
            if file.is_symlink() or is_hard:
                yield file


def _reason(file: Path, folder: Path, targets: Mapping[_File, Path]) -> str:
    try:
        target = targets.get(_identity(file))
        place = file.resolve()
    except (OSError, ValueError, RuntimeError):
        return ""
    if target is not None:
        is_there = place.parent == folder.resolve() and not file.is_symlink()
        how = "is in the report folder" if is_there else f"is the same file as {target}"
        return f"{file}, which {how}"
    whole = folder.resolve()
    inner = place.relative_to(whole).parts if place.is_relative_to(whole) else ()
    if inner and inner[0].startswith(UNFINISHED):
        return f"{file}, which is in what an audit left unfinished"
    inside = inner[1:] if inner[:1] == (PREVIOUS,) else inner
    is_written = len(inside) > 1 and inside[0] in FOLDERS
    return f"{file}, which is among the files of an audit in {inside[0]}/" if is_written else ""
