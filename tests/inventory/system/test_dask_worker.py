"""What workers of a cluster do before they are trusted with a task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from inventory.errors import ProcessError
from inventory.system.dask_worker import (
    Origin,
    SharedFolder,
    answer_in_folder,
    run_checked,
)
from inventory.system.suite_files import ROOT, suite_hash
from tests.builders import write_text

if TYPE_CHECKING:
    from pathlib import Path


def test_worker_with_other_code(tmp_path: Path) -> None:
    """A worker runs no task for an audit of other code."""
    assert (ROOT / "inventory").is_dir()
    with pytest.raises(ProcessError, match="other code of cmek-audit"):
        run_checked(Origin("0" * 64, str(tmp_path)), abs, -3)


def test_relative_paths_start_where_the_audit_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task runs in the folder of whoever sent it, and nowhere if that is missing."""
    monkeypatch.chdir(ROOT)
    assert run_checked(Origin(suite_hash(), str(tmp_path)), os.getcwd) == str(tmp_path)
    with pytest.raises(FileNotFoundError):
        run_checked(Origin(suite_hash(), str(tmp_path / "missing")), os.getcwd)


def test_folder_of_the_same_name(tmp_path: Path) -> None:
    """A worker notices that a folder is another one: it lacks a file, or the file differs."""
    with pytest.raises(FileNotFoundError):
        answer_in_folder(SharedFolder(str(tmp_path), "probe", "content"))
    write_text(tmp_path / "probe", "other content")
    with pytest.raises(ProcessError, match="another folder has the same path there"):
        answer_in_folder(SharedFolder(str(tmp_path), "probe", "content"))


def test_shared_folder_is_answered_in(tmp_path: Path) -> None:
    """In a folder that it shares, a worker writes what it has read."""
    write_text(tmp_path / "probe", "content")
    answer = answer_in_folder(SharedFolder(str(tmp_path), "probe", "content"))
    assert (tmp_path / answer).read_text("utf-8") == "content"
    assert answer.startswith("probe-")
