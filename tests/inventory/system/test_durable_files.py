"""Files and folders that survive a loss of power."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from inventory.system.durable_files import sync_everything, sync_folder, write_durably

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_is_written_is_there(tmp_path: Path) -> None:
    """A file holds what was written, in the place of what it held."""
    file = tmp_path / "a"
    for content in (b"longer", b"one"):
        write_durably(file, content)
        assert file.read_bytes() == content
    sync_folder(tmp_path)


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
