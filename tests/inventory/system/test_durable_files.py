"""Files and folders that survive a loss of power."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from inventory.system.durable_files import (
    replacing,
    sync_everything,
    sync_folder,
    write_durably,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_written_is_there(tmp_path: Path) -> None:
    """A file holds what was written, in the place of what it held."""
    file = tmp_path / "a"
    for content in (b"longer", b"one"):
        write_durably(file, content)
        assert file.read_bytes() == content
    sync_folder(tmp_path)


def test_a_new_file_takes_the_place_as_a_whole(tmp_path: Path) -> None:
    """Until the new file is whole, the old one is in its place; nothing else is left."""
    file = tmp_path / "a"
    file.write_bytes(b"old")
    with replacing(file) as beside:
        beside.write_bytes(b"new")
        assert (file.read_bytes(), beside.parent, beside.name[:3]) == (b"old", tmp_path, ".a.")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a", b"new")]


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "not-begun"])
def test_a_file_that_breaks_replaces_nothing(tmp_path: Path, *, is_begun: bool) -> None:
    """If writing breaks, the old file stays, and no part of the new one is left."""
    file = tmp_path / "a"
    file.write_bytes(b"old")

    def write() -> None:
        with replacing(file) as beside:
            if is_begun:
                beside.write_bytes(b"ne")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write()
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a", b"old")]


def test_a_folder_that_cannot_be_flushed(tmp_path: Path) -> None:
    """A folder that cannot be opened is left as it is: its files are complete without it."""
    sync_folder(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


def test_system_that_flushes_no_disk_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no call for it, as Windows, nothing is flushed, and nothing fails."""
    flushed: list[str] = []
    monkeypatch.setattr(os, "sync", lambda: flushed.append("all"))
    sync_everything()
    monkeypatch.delattr(os, "sync")
    sync_everything()
    assert flushed == ["all"]
