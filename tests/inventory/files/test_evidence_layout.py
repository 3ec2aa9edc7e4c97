"""Each thing in a folder of records is known for what it is, or strange."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inventory.errors import InventoryError
from inventory.files.evidence_layout import classify, is_bundle, is_folder, read_folder

if TYPE_CHECKING:
    from collections.abc import Callable


def _folder(*names: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.mkdir()
        for name in names:
            (path / name).touch()

    return make


def _leads_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _bundle_elsewhere(path: Path) -> None:
    _folder("manifest.json")(path.with_name(".elsewhere"))
    path.symlink_to(".elsewhere")


CASES = [
    ("one", _folder("manifest.json", "exchanges"), "bundle", "an evidence bundle"),
    ("linked", _bundle_elsewhere, "bundle", "an evidence bundle"),
    ("cut", _folder("exchanges"), "broken", "an evidence bundle without its manifest.json"),
    ("left", _folder("inventory.ndjson"), "broken", "an evidence bundle without its manifest.json"),
    (
        "few",
        _folder("organizations.json"),
        "unknown",
        "a folder without manifest.json",
    ),
    ("a.yaml", Path.touch, "record", "a file"),
    ("a.NDJSON", Path.touch, "record", "a file"),
    (
        ".collecting-one-7",
        _folder("manifest.json"),
        "unfinished",
        "an unfinished evidence bundle",
    ),
    (".collecting-two-7", Path.touch, "unknown", "a hidden file"),
    (".collecting-three-7", _leads_to("."), "unknown", "a hidden folder"),
    (".lock", Path.touch, "housekeeping", "a file of the system"),
    (".git", _folder("HEAD"), "housekeeping", "a file of the system"),
    ("lost+found", _folder(), "housekeeping", "a file of the system"),
    (".2026", _folder("manifest.json"), "unknown", "a hidden folder"),
    (".a.yaml", Path.touch, "unknown", "a hidden file"),
    ("empty", _folder(), "unknown", "an empty folder"),
    ("nested", _folder("one"), "unknown", "a folder without manifest.json"),
    ("README.md", Path.touch, "unknown", "a file that is not a record"),
    ("pipe.yaml", os.mkfifo, "unknown", "neither a file nor a folder"),
    ("dangling", _leads_to("nothing"), "unknown", "a broken link"),
    ("circle.yaml", _leads_to("circle.yaml"), "unknown", "a broken link"),
]


@pytest.mark.parametrize(("name", "make", "kind", "found"), CASES, ids=[name for name, *_ in CASES])
def test_what_a_thing_is(
    tmp_path: Path, name: str, make: Callable[[Path], None], kind: str, found: str
) -> None:
    """A thing in a folder is told by what it is, and a link by what it leads to."""
    make(tmp_path / name)
    assert classify(tmp_path / name) == (tmp_path / name, kind, found)


def test_everything_in_a_folder_is_in_one_place(tmp_path: Path) -> None:
    """A folder's content has each thing once, by its kind, and all that is odd as a problem."""
    for name, make, _, _ in CASES:
        make(tmp_path / name)
    (tmp_path / ".elsewhere" / "manifest.json").unlink()
    (tmp_path / ".elsewhere").rmdir()
    content = read_folder(tmp_path)
    entries = [*content.broken, *content.unknown]
    assert [path.name for path in content.bundles] == ["one"]
    assert [path.name for path in content.records] == ["a.NDJSON", "a.yaml"]
    assert [path.name for path in content.unfinished] == [".collecting-one-7"]
    assert {entry.path.name for entry in entries} == {
        *(name for name, _, kind, _ in CASES if kind in {"broken", "unknown"}),
        "linked",
    }
    assert {problem.file for problem in content.problems()} == {
        entry.path.as_posix() for entry in entries
    }


def test_a_collection_that_ends_meanwhile_is_none(tmp_path: Path) -> None:
    """What vanishes while its folder is listed may have been a record, if it was not unfinished."""
    assert classify(tmp_path / ".collecting-a-7").kind == "unfinished"
    (tmp_path / ".collecting-b-7").symlink_to("nothing")
    assert classify(tmp_path / ".collecting-b-7").kind == "unknown"
    assert classify(tmp_path / "a")[1:] == ("unknown", "No such file or directory")


def test_a_thing_that_cannot_be_looked_at_is_strange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that the system refuses to list may be a bundle: it is named with the reason."""
    (tmp_path / "barred").mkdir()

    def barred(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", barred)
    assert classify(tmp_path / "barred")[1:] == ("unknown", "Permission denied")
    assert not is_bundle(tmp_path / "barred")
    with pytest.raises(InventoryError, match="found Permission denied, expected a readable folder"):
        read_folder(tmp_path)


@pytest.mark.parametrize(("name", "expected"), [("one", True), ("cut", True), ("nested", False)])
def test_what_is_left_of_a_bundle_counts_as_one(
    tmp_path: Path, name: str, *, expected: bool
) -> None:
    """A path leads to a bundle also if its manifest is gone, so that nothing else is read there."""
    (make,) = (make for other, make, _, _ in CASES if other == name)
    make(tmp_path / name)
    assert is_bundle(tmp_path / name) == expected
    assert not is_bundle(tmp_path / name / "manifest.json")


def test_what_is_a_folder(tmp_path: Path) -> None:
    """A folder is one if it can be looked at; a name that no system takes is none."""
    (tmp_path / "file").touch()
    assert is_folder(str(tmp_path))
    names = ("file", "nothing", "file/below", "a" * 300, "nul\0")
    assert [name for name in names if is_folder(f"{tmp_path}/{name}")] == []
