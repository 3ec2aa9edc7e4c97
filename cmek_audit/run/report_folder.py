"""The folder of a report: it holds one whole audit or none, and the one before in ``previous/``.

An audit is written into a folder inside it, and moved to its place when it is whole.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from inventory.errors import SettingError
from inventory.history_files import UNFINISHED_REPORT
from inventory.system.folder_lock import FolderLock, writing_to
from reports.formats.registry import FILES, FOLDERS
from reports.record.layout import HEAD, RECORD, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from securesystemslib.signer import CryptoSigner

OPTION = "--cmek-report-dir"
WRITTEN = tuple(dict.fromkeys((*RECORD, *FILES, *FOLDERS, SIGNATURE)))
"""Every file and every folder that an audit may leave in its report folder.

The signature is among them: it goes with the audit that it signs, and never stays beside another.
"""

PREVIOUS = "previous"
"""The folder inside, in which the audit before is kept."""

REPLACED = (*WRITTEN, *(f"{PREVIOUS}/{name}" for name in WRITTEN))
"""Everything that does not stay where it is when an audit begins."""

UNFINISHED = UNFINISHED_REPORT
"""How the names of folders begin in which an audit is written."""

_MOVING = f".{PREVIOUS}"


class ReportFolder:
    """A report folder in which an audit has begun.

    Attributes:
        path: the folder.
        staging: the folder inside, in which the audit is written until it is whole.
        signer: what the audit is signed with; None if it is not.
    """

    def __init__(self, path: Path, signer: CryptoSigner | None = None) -> None:
        """Lock ``path``, and move the audit in it to ``previous/``.

        Raises SettingError if the folder cannot be written to, or if another run writes into it.
        """
        self.path = path
        self.signer = signer
        self.staging = staging_of(path)
        self._lock = _locked(path)
        try:
            with writing_to(path, OPTION):
                _set_aside(path)
                self.staging.mkdir()
        except BaseException:
            self.close()
            raise

    def publish(self, names: Iterable[str]) -> None:
        """Move the files of these names to their place, and end; the head comes last.

        Without its head no file is taken for an audit. Raises OSError if a file cannot be moved;
        then none is left.
        """
        in_order = sorted(names, key=lambda name: name == HEAD)
        try:
            for name in in_order:
                (self.staging / name).replace(self.path / name)
        except BaseException:
            for name in in_order:
                _remove(self.path / name)
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Remove what was not published, and release the lock; a second time does nothing."""
        if self._lock.is_held:
            shutil.rmtree(self.staging, ignore_errors=True)
        self._lock.release()


def staging_of(path: Path) -> Path:
    """Return the folder in which an audit with the report folder ``path`` is written."""
    return path / UNFINISHED


def set_aside(path: Path) -> None:
    """Move the audit in the folder ``path`` to ``previous/``, and begin no other.

    Raises SettingError if that cannot be done.
    """
    if path.is_dir():
        with _locked(path), writing_to(path, OPTION):
            _set_aside(path)


def _locked(path: Path) -> FolderLock:
    with writing_to(path, OPTION):
        path.mkdir(parents=True, exist_ok=True)
        return FolderLock(path, OPTION)


def _set_aside(path: Path) -> None:
    """Move a whole audit to ``previous/``, and remove what is none; the lock must be held.

    It goes by way of a hidden folder, so that a run that is killed here mixes no two audits: the
    next one finds that folder, and goes on.
    """
    for broken in path.glob(f"{UNFINISHED}*"):
        shutil.rmtree(broken)
    moving = path / _MOVING
    for name in FOLDERS:
        _refuse_strange_files(path / name)
    if not (moving.is_dir() or (path / HEAD).exists()):
        for name in WRITTEN:
            _remove(path / name)
        return
    _refuse_strangers(path / PREVIOUS)
    moving.mkdir(exist_ok=True)
    for name in WRITTEN:
        if (path / name).exists():
            (path / name).replace(moving / name)
    shutil.rmtree(path / PREVIOUS, ignore_errors=True)
    moving.replace(path / PREVIOUS)


def _remove(path: Path) -> None:
    """Remove a file, or a folder of files; whatever else such a folder holds stays there."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    for file in filter(_is_written, path.iterdir()):
        file.unlink()
    if not any(path.iterdir()):
        path.rmdir()


def _is_written(file: Path) -> bool:
    """Return whether ``file`` is one that an audit writes into the folder in which it is."""
    is_named = FOLDERS[file.parent.name].fullmatch(file.name) is not None
    return is_named and file.is_file() and not file.is_symlink()


def _refuse_strangers(previous: Path) -> None:
    """Raise SettingError if ``previous`` is anything but an earlier audit, as it is replaced."""
    if not previous.is_dir() or previous.is_symlink():
        strangers = [previous] if previous.is_symlink() or previous.exists() else []
    else:
        strangers = sorted(entry for entry in previous.iterdir() if entry.name not in WRITTEN)
    _refuse(strangers, f"a folder whose {PREVIOUS}/ holds only an earlier audit")
    for name in FOLDERS:
        _refuse_strange_files(previous / name)


def _refuse_strange_files(folder: Path) -> None:
    """Raise SettingError if a folder of files holds anything else, which would be lost with it."""
    if folder.is_dir() and not folder.is_symlink():
        strangers = sorted(entry for entry in folder.iterdir() if not _is_written(entry))
    else:
        strangers = [folder] if folder.is_symlink() or folder.exists() else []
    _refuse(strangers, f"only files of an earlier audit in {folder.name}/")


def _refuse(strangers: Sequence[Path], expected: str) -> None:
    if strangers:
        raise SettingError(f"{OPTION}: found {strangers[0]}, expected {expected}")
