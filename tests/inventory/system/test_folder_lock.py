"""One process at a time writes into a folder."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from inventory.errors import SettingError
from inventory.system import folder_lock
from inventory.system.folder_lock import LOCK, FolderLock
from tests.wiring.without_posix import Locks

HOLDER = """
import sys
from pathlib import Path
from inventory.system.folder_lock import FolderLock

lock = FolderLock(Path(sys.argv[1]), "a test")
print("held", flush=True)
sys.stdin.read()
"""


def _hold(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    holder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_second_process_is_refused_and_reported_why(tmp_path: Path) -> None:
    """Who comes second learns which folder is in use, and by which option it was given."""
    with _hold(tmp_path) as holder:
        with pytest.raises(SettingError) as refused:
            FolderLock(tmp_path, "--cmek-report-dir")
        holder.kill()
    assert str(refused.value) == (
        f"--cmek-report-dir: found {tmp_path}, which another run is writing to, "
        "expected a folder of its own"
    )


def test_lock_of_killed_process_is_free(tmp_path: Path) -> None:
    """A process that was killed holds nothing, though its file is still there."""
    with _hold(tmp_path) as holder:
        holder.kill()
    assert [file.name for file in tmp_path.iterdir()] == [LOCK]
    with FolderLock(tmp_path, "a test"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_released_lock_leaves_no_file(tmp_path: Path) -> None:
    """A folder that was locked looks as before, and can be locked again."""
    lock = FolderLock(tmp_path, "a test")
    lock.release()
    lock.release()
    assert list(tmp_path.iterdir()) == []
    FolderLock(tmp_path, "a test").release()


def test_folder_that_takes_no_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Where no file can be made, the system's own error says so."""
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "nowhere", "a test")


def test_many_at_once_hold_it_one_after_the_other(tmp_path: Path) -> None:
    """However closely they follow each other, no two processes hold the lock at once."""
    context = get_context("spawn")
    with context.Pool(4) as pool:
        counted = pool.map(_count_alone, [tmp_path] * 8)
    assert sum(counted) == int((tmp_path / "count").read_text())


def _count_alone(folder: Path) -> int:
    """Add one to a number in a file as often as the lock is had; return how often."""
    had = 0
    number = folder / "count"
    for _ in range(200):
        try:
            with FolderLock(folder, "a test"):
                shown = int(number.read_text()) if number.exists() else 0
                number.write_text(str(shown + 1))
                had += 1
        except SettingError:
            continue
    return had


@pytest.mark.parametrize("is_made_again", [False, True], ids=["gone", "another"])
def test_file_that_was_removed_meanwhile_locks_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_made_again: bool,  # noqa: FBT001 (a parameter)
) -> None:
    """If its last holder removes the file just before it is locked, a new file is locked."""
    flock = fcntl.flock
    opened: list[int] = []

    def late(file: int, operation: int) -> None:
        opened.append(file)
        if len(opened) == 1:
            (tmp_path / LOCK).unlink()
            if is_made_again:
                (tmp_path / LOCK).touch()
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with FolderLock(tmp_path, "a test"):
        assert len(opened) == 2
        with pytest.raises(SettingError):
            FolderLock(tmp_path, "a test")
    assert list(tmp_path.iterdir()) == []


def test_file_system_without_locks_is_an_error_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system cannot lock a file, its own error says so, and nothing stays open."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks available"):
        FolderLock(tmp_path, "a test")


def test_lock_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no locks of POSIX, those of Windows do the same."""
    monkeypatch.setattr(folder_lock, "_flock", None)
    monkeypatch.setitem(sys.modules, "msvcrt", Locks("msvcrt"))
    with FolderLock(tmp_path, "--here"), pytest.raises(SettingError, match="another run"):
        FolderLock(tmp_path, "--there")
    FolderLock(tmp_path, "--here").release()
    assert list(tmp_path.iterdir()) == []
