"""The hash of the suite: of all of its files, wherever they are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inventory.system import suite_files
from inventory.system.suite_files import suite_hash

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def hash_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(suite_files, "ROOT", root)
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
