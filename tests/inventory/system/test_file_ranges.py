"""Files of lines in ranges: nothing is lost between them, and nothing is read twice."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from inventory.system.file_ranges import open_range, split_file
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from pathlib import Path

HEAD = re.compile(rb"^H.*$", re.MULTILINE)
LINES = st.lists(st.sampled_from([b"H\n", b"H one\n", b"a\n", b"\n", b"bc\r\n", b" H\n"]))


@examples(200, HealthCheck.function_scoped_fixture)
@given(lines=LINES, rest=st.sampled_from([b"", b"a", b"H"]), least=st.integers(1, 12))
def test_ranges_hold_all_lines_in_order(
    tmp_path: Path, lines: list[bytes], rest: bytes, least: int
) -> None:
    """The ranges together are the file, hashed, and each but the first begins with a head."""
    raw = b"".join(lines) + rest
    file = tmp_path / "a"
    file.write_bytes(raw)
    split = split_file(str(file), HEAD, least, with_heads=True)
    parts = []
    for lines_ in split.ranges:
        with open_range(str(file), lines_) as handle:
            parts.append(handle.read())
    assert b"".join(parts) == raw
    assert [hashlib.sha256(part).hexdigest() for part in parts] == [
        part.sha256 for part in split.ranges
    ]
    assert (split.size, split.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert all(part.startswith(b"H") for part in parts[1:])
    assert all(len(part) >= least for part in parts[:-1])
    numbers = [raw[: part.start].count(b"\n") + 1 for part in split.ranges]
    assert [part.first_line for part in split.ranges] == numbers
    assert [head for part in split.ranges for head in part.heads] == HEAD.findall(raw)


def test_heads_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    """A range is small to send unless somebody needs the heads."""
    file = tmp_path / "a"
    file.write_bytes(b"H\nH\n")
    assert [part.heads for part in split_file(str(file), HEAD, 1).ranges] == [(), ()]


def test_no_range_is_the_whole_file(tmp_path: Path) -> None:
    """Without a range, the file is opened as it is."""
    file = tmp_path / "a"
    file.write_bytes(b"a\nb\n")
    with open_range(str(file), None) as handle:
        assert handle.readlines() == [b"a\n", b"b\n"]


def test_a_range_ends_where_the_file_ends(tmp_path: Path) -> None:
    """Of a file that has become shorter, only what is there is read."""
    file = tmp_path / "a"
    file.write_bytes(b"H 1\nH 2\nH 3\n")
    last = split_file(str(file), HEAD, 1).ranges[-1]
    file.write_bytes(b"H 1\nH 2\n")
    with open_range(str(file), last) as handle:
        assert handle.readlines() == []
