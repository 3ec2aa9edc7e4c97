"""Files that are written whole or not at all, and never over one of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmek_audit.commands.start.placing import Placed, place_new, replace

if TYPE_CHECKING:
    from pathlib import Path


def files(folder: Path) -> set[str]:
    """Return everything below ``folder``."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_new_files_are_written(tmp_path: Path) -> None:
    """Files are written with the folders that they need, and nothing else is left."""
    wanted = {tmp_path / "a": b"1", tmp_path / "one/two/b": b"2"}
    assert place_new(wanted) == [Placed(path, "written") for path in wanted]
    assert files(tmp_path) == {"a", "one", "one/two", "one/two/b"}
    assert {path: path.read_bytes() for path in wanted} == wanted


def test_files_that_are_there_stay(tmp_path: Path) -> None:
    """A file, a folder and a link to nothing stay as they are; an equal file is unchanged."""
    names = ("other", "same", "folder", "link", "new")
    other, same, folder, link, new = (tmp_path / name for name in names)
    other.write_bytes(b"mine")
    same.write_bytes(b"1")
    folder.mkdir()
    link.symlink_to("nowhere")
    placed = place_new(dict.fromkeys((other, same, folder, link, new), b"1"))
    states = ["left", "unchanged", "left", "left", "written"]
    assert [file.state for file in placed] == states
    assert (other.read_bytes(), files(tmp_path)) == (b"mine", set(names))
    assert not link.exists()


def test_a_file_that_comes_meanwhile_stays(tmp_path: Path) -> None:
    """A name that was free at the first look, and is not any more, is not overwritten."""
    (tmp_path / "link").symlink_to(tmp_path)
    first, same_file = tmp_path / "a", tmp_path / "link" / "a"
    placed = place_new({first: b"1", same_file: b"2"})
    assert placed == [Placed(first, "written"), Placed(same_file, "left")]
    assert (first.read_bytes(), files(tmp_path)) == (b"1", {"a", "link"})


def test_nothing_is_written_if_one_file_cannot_be(tmp_path: Path) -> None:
    """If one of the files cannot be written, none is, and no folder is left."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="Not a directory"):
        place_new({tmp_path / "new/a": b"1", tmp_path / "file/b": b"2"})
    assert files(tmp_path) == {"file"}


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """A file is replaced by one that is complete."""
    replace(tmp_path / "a", b"1")
    replace(tmp_path / "a", b"2")
    assert ((tmp_path / "a").read_bytes(), files(tmp_path)) == (b"2", {"a"})
