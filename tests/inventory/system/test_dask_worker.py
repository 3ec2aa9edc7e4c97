"""What workers of a cluster do before they are trusted with a task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from inventory.errors import ProcessError
from inventory.system import dask_worker
from inventory.system.dask_worker import (
    ROOT,
    Origin,
    SharedFolder,
    answer_in_folder,
    run_checked,
    suite_hash,
)

if TYPE_CHECKING:
    from pathlib import Path


def hash_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(dask_worker, "ROOT", root)
    return suite_hash.__wrapped__()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


PARTS = ("cmek_audit", "inventory", "checks", "reports")


def test_hash_covers_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of any file of the suite is another hash; compiled files and others are none."""
    for part in PARTS:
        write(tmp_path / part / "inside" / "code.py", part)
    hashes = {hash_of(tmp_path, monkeypatch)}
    write(tmp_path / "cmek_audit/__pycache__/code.pyc", "compiled")
    write(tmp_path / "tests/test_code.py", "no part of the suite")
    hashes.add(hash_of(tmp_path, monkeypatch))
    assert len(hashes) == 1
    for part in PARTS:
        write(tmp_path / part / "inside" / "code.py", "changed")
        hashes.add(hash_of(tmp_path, monkeypatch))
    assert len(hashes) == 5


def test_installed_package_has_the_hash_of_its_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package carries the suite inside it, and has the same hash."""
    checkout, package = tmp_path / "checkout", tmp_path / "site-packages/cmek_audit"
    for part in PARTS:
        write(checkout / part / "code.py", part)
        write((package if part == PARTS[0] else package / "suite" / part) / "code.py", part)
    assert hash_of(checkout, monkeypatch) == hash_of(package / "suite", monkeypatch)


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
    write(tmp_path / "probe", "other content")
    with pytest.raises(ProcessError, match="another folder has the same path there"):
        answer_in_folder(SharedFolder(str(tmp_path), "probe", "content"))


def test_shared_folder_is_answered_in(tmp_path: Path) -> None:
    """In a folder that it shares, a worker writes what it has read."""
    write(tmp_path / "probe", "content")
    answer = answer_in_folder(SharedFolder(str(tmp_path), "probe", "content"))
    assert (tmp_path / answer).read_text("utf-8") == "content"
    assert answer.startswith("probe-")
