"""The lines of a file of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import RecordError
from reports.record import stored_lines
from reports.record.stored_lines import StoredLines, all_begin, groups_of, open_regular

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_can_be_read_again(tmp_path: Path) -> None:
    """Each loop over the lines begins with the first, also while another is under way."""
    file = tmp_path / "findings.ndjson"
    file.write_bytes(b"1\n2\n")
    lines = StoredLines(file)
    assert [(one, list(lines)) for one in lines] == [
        (b"1\n", [b"1\n", b"2\n"]),
        (b"2\n", [b"1\n", b"2\n"]),
    ]


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is longer than any audit writes is not read into memory."""
    monkeypatch.setattr(stored_lines, "_LONGEST_LINE", 100)
    file = tmp_path / "findings.ndjson"
    file.write_bytes(b"1\n" + b"x" * 1_000)
    lines = iter(StoredLines(file, "findings"))
    assert next(lines) == b"1\n"
    expected = r"findings\.ndjson: found a line of more than 100 bytes, expected findings"
    with pytest.raises(RecordError, match=expected):
        next(lines)


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "a" * 5_000], ids=["nul", "half", "long"])
def test_a_path_may_be_any_text(path: str) -> None:
    """A path that no file can have, as a record may name it, is an error like a missing file."""
    with pytest.raises(OSError, match=r"a path that no file can have|File name too long"):
        open_regular(path)


def test_no_group_is_empty(tmp_path: Path) -> None:
    """A line that goes on for several blocks makes no group without lines."""
    file = tmp_path / "findings.ndjson"
    file.write_bytes(b"x" * 200_000 + b"\n1")
    assert list(StoredLines(file).groups()) == [[b"x" * 200_000 + b"\n"], [b"1"]]
    assert list(groups_of([])) == []


def test_parts_of_a_file(tmp_path: Path) -> None:
    """Of a file only the parts are read that are asked for; of other lines, all are."""
    file = tmp_path / "population.ndjson"
    file.write_bytes(b"1\n22\n333\n4\n")
    parts = [range(2), range(5, 11)]
    assert list(groups_of(StoredLines(file), parts)) == [[b"1\n"], [b"333\n", b"4\n"]]
    assert list(groups_of(StoredLines(file), [])) == []
    assert list(groups_of([b"1\n", b"22\n"], parts)) == [[b"1\n", b"22\n"]]


@given(st.lists(st.text("ab", max_size=3).map(str.encode), min_size=1))
def test_lines_that_begin_alike(lines: list[bytes]) -> None:
    """Two of the lines show of all of them whether they begin with something."""
    for begin in (b"", b"a", b"ab", b"b", lines[0]):
        assert all_begin(lines, begin) == all(line.startswith(begin) for line in lines)
