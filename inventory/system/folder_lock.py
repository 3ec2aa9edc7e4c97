"""A lock on a folder, so that one process at a time writes into it."""

from __future__ import annotations

import errno
import importlib
import os
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

from inventory.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = ".lock"
"""The name of the file that is locked; it exists while the lock is held."""

_flock: Any = importlib.import_module("fcntl") if find_spec("fcntl") else None
"""The module that locks files; Windows has another one."""


@contextmanager
def writing_to(folder: Path, option: str) -> Iterator[None]:
    """Turn an OSError while writing to ``folder`` into a SettingError about ``option``."""
    try:
        yield
    except OSError as error:
        found = f"{folder} ({error.strerror})"
        raise SettingError(f"{option}: found {found}, expected a folder to write to") from None


class FolderLock:
    """An exclusive lock on a folder, held until it is released or the process ends.

    The system releases the lock of a killed process. So whoever holds the lock knows that
    unfinished work in the folder was left by processes that have ended.
    """

    def __init__(self, folder: Path, option: str) -> None:
        """Lock ``folder``, which exists; errors name ``option``, such as ``--cmek-report-dir``.

        Raises SettingError if another process holds the lock, and OSError if the folder cannot be
        written to.
        """
        self._path = folder / LOCK
        self._file = -1
        try:
            # The last holder may remove the file between our open and our lock: then try again.
            while self._file < 0:
                self._file = _lock(self._path)
        except BlockingIOError:
            found = f"{folder}, which another run is writing to"
            raise SettingError(f"{option}: found {found}, expected a folder of its own") from None

    @property
    def is_held(self) -> bool:
        """Say whether the lock was not released yet."""
        return self._file >= 0

    def release(self) -> None:
        """Release the lock; a second time does nothing."""
        if self.is_held:
            if _flock is None:  # Windows removes no file that is open, here or by anybody else
                os.close(self._file)
            with suppress(OSError):
                self._path.unlink()
            if _flock is not None:  # only now: while the file is locked, nobody else can hold it
                os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        """Return the lock."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        self.release()


def _lock(path: Path) -> int:
    """Return the open and locked file, or -1 if its last holder has just removed it.

    A removed file would lock nothing, since the next process makes a new one of that name.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock_file(file)
        is_current = os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        is_current = False
    except BaseException:
        os.close(file)
        raise
    if not is_current:
        os.close(file)
    return file if is_current else -1


def _lock_file(file: int) -> None:
    """Lock an open file; raise BlockingIOError if another process holds the lock.

    Raises OSError if the file system has no locks.
    """
    if _flock is not None:
        _flock.flock(file, _flock.LOCK_EX | _flock.LOCK_NB)
        return
    windows: Any = importlib.import_module("msvcrt")
    try:
        windows.locking(file, windows.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(errno.EAGAIN, error.strerror) from None
