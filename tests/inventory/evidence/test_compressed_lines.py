"""Compressed lines are one gzip member, and no other file is read as one."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import EvidenceError
from inventory.evidence.compressed_lines import CompressedLines, FileSummary, read_lines
from tests.evidence_files import write_lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LINES = [b'{"a":1}\n', b"\n", b"x" * 1_000_000 + b"\n", b"last\n"]
CONTENT = len(b"".join(LINES))


def written(path: Path, lines: Iterable[bytes]) -> FileSummary | None:
    """Write ``lines`` to ``path``, as a collection does."""
    path.unlink(missing_ok=True)
    with ThreadPoolExecutor(2) as pool:
        file = CompressedLines(path, pool)
        for line in lines:
            file.write(line)
        return file.close()


def refusal(path: Path, content: int = CONTENT, longest: int = 10_000_000) -> tuple[str, str]:
    """Return what was found and expected in a file that is refused."""
    with pytest.raises(EvidenceError) as caught:
        list(read_lines(path, content, longest=longest))
    [problem] = caught.value.problems
    assert (problem.file, problem.line) == (str(path), 0)
    return problem.found, problem.expected


# --- whole files ----------------------------------------------------------------------------------


def test_lines_are_read_back(tmp_path: Path) -> None:
    """Lines are read back as they were written, and any tool can decompress them."""
    path = tmp_path / "a.gz"
    summary = written(path, LINES)
    assert summary is not None
    assert list(read_lines(path, summary.content)) == LINES
    assert gzip.decompress(path.read_bytes()) == b"".join(LINES)
    assert (summary.size, summary.content) == (path.stat().st_size, CONTENT)


def test_large_files_are_written_before_their_end(tmp_path: Path) -> None:
    """A file that grows beyond a block reaches the disk while it is written."""
    path, noise = tmp_path / "a.gz", Random(1)
    lines = [noise.randbytes(40_000).replace(b"\n", b"") + b"\n" for _ in range(30)]
    with ThreadPoolExecutor(2) as pool:
        file = CompressedLines(path, pool)
        for line in lines:
            file.write(line)
        pool.shutdown(wait=True)
        assert path.stat().st_size > 0
        summary = file.close()
    assert summary is not None
    assert summary.size == path.stat().st_size
    assert list(read_lines(path, summary.content)) == lines


def test_no_line_is_no_file(tmp_path: Path) -> None:
    """Without a line nothing is written."""
    assert written(tmp_path / "a.gz", []) is None
    assert list(tmp_path.iterdir()) == []


def test_same_lines_give_the_same_bytes(tmp_path: Path) -> None:
    """The file holds neither its name nor a time."""
    written(tmp_path / "a.gz", LINES)
    written(tmp_path / "b.gz", LINES)
    raw = (tmp_path / "a.gz").read_bytes()
    assert raw == (tmp_path / "b.gz").read_bytes()
    assert raw[3:8] == bytes(5)


@given(st.lists(st.binary(max_size=50).map(lambda line: line.replace(b"\n", b"") + b"\n")))
def test_any_lines(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    """Whatever the lines are, they are read back."""
    path = tmp_path_factory.mktemp("lines") / "a.gz"
    summary = written(path, lines)
    assert (list(read_lines(path, summary.content)) if summary else []) == lines


# --- other files ----------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a whole file."""
    file = tmp_path / "a.gz"
    write_lines(file, LINES)
    return file


def test_a_file_cut_anywhere_is_refused(path: Path) -> None:
    """A file that ends early is refused, wherever it does."""
    raw = path.read_bytes()
    for end in (*range(40), len(raw) // 2, *range(len(raw) - 20, len(raw))):
        path.write_bytes(raw[:end])
        assert refusal(path) == ("a file that ends early", "a whole file")


def test_a_changed_byte_gives_no_other_lines(path: Path) -> None:
    """A file of which a byte was changed is refused, or holds the same lines all the same."""
    raw = path.read_bytes()
    refused = 0
    for place in (*range(10, 40), *range(len(raw) - 8, len(raw))):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        try:
            assert list(read_lines(path, CONTENT)) == LINES
        except EvidenceError:
            refused += 1
    assert refused >= 37


def test_damaged_compression(path: Path) -> None:
    """A wrong check sum is named."""
    raw = path.read_bytes()
    path.write_bytes(raw[:-8] + bytes(4) + raw[-4:])
    assert refusal(path) == ("damaged compression", "an unchanged file")


# Without a time of its own, the member would have another name in each process of the tests.
@pytest.mark.parametrize("more", [b"\0", b"x" * 300_000, gzip.compress(b"more\n", mtime=0)])
def test_data_after_the_lines(path: Path, more: bytes) -> None:
    """Nothing may follow the one member, be it another one."""
    path.write_bytes(path.read_bytes() + more)
    assert refusal(path) == ("data after the compressed lines", "one gzip member")


def test_plain_text_is_no_compressed_file(path: Path) -> None:
    """A file that is not compressed is refused."""
    path.write_bytes(b"".join(LINES))
    assert refusal(path) == ("damaged compression", "an unchanged file")


def test_other_sizes_than_the_listed_one(path: Path) -> None:
    """More lines than were listed are refused at the first byte, fewer at the end."""
    found = f"{CONTENT:,} bytes of lines"
    expected = f"{CONTENT + 1:,} bytes, as the manifest lists"
    assert refusal(path, CONTENT + 1) == (found, expected)
    found, expected = f"more than {CONTENT - 1:,} bytes of lines", "as many as the manifest lists"
    assert refusal(path, CONTENT - 1) == (found, expected)


def test_a_bomb_is_not_decompressed(tmp_path: Path) -> None:
    """Of a file that grows beyond what is listed, or into one line, no more is decompressed."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    assert refusal(path, 1_000)[0] == "more than 1,000 bytes of lines"
    found = "a line of more than 300,000 bytes"
    assert refusal(path, 50_000_000, longest=300_000) == (found, "shorter lines")


def test_a_last_line_without_its_end(tmp_path: Path) -> None:
    """A line that does not end was cut short before it was compressed."""
    write_lines(tmp_path / "a.gz", [b"a\n", b"b"])
    assert refusal(tmp_path / "a.gz", 3) == ("a last line without its end", "whole lines")


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named, with the reason."""
    assert refusal(tmp_path / "a.gz") == ("No such file or directory", "a readable file")


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    """A file that cannot be written is an error at its end, at the latest."""
    with pytest.raises(OSError, match="No such file"):
        written(tmp_path / "gone" / "a.gz", LINES)
