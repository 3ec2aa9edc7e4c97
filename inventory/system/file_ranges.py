"""Large files of lines, cut into ranges of bytes that several processes read at the same time."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_BLOCK = 1_048_576


class FileRange(NamedTuple):
    """Whole lines of a file that follow each other.

    Attributes:
        start: where they begin, in bytes.
        end: where they end.
        first_line: the number of the first, counted from 1.
        sha256: their hash, by which a reader sees that they are still the same.
        heads: those that match what the file may be cut at, if these were asked for.
    """

    start: int
    end: int
    first_line: int
    sha256: str
    heads: tuple[bytes, ...] = ()


class SplitFile(NamedTuple):
    """A file that was cut into ranges.

    Attributes:
        ranges: all of its lines, in their order.
        size: its size in bytes.
        sha256: its hash.
    """

    ranges: tuple[FileRange, ...]
    size: int
    sha256: str


def split_file(
    path: str, head: re.Pattern[bytes], least: int, *, with_heads: bool = False
) -> SplitFile:
    """Cut the file at ``path`` into ranges of at least ``least`` bytes, in one pass.

    Each but the first begins with a line that matches ``head``, from ``^`` to the end of the line.
    Raises OSError if it cannot be read.
    """
    whole = hashlib.sha256()
    ranges: list[FileRange] = []
    open_range = _OpenRange(0, 1)
    for block in _blocks(path, min(least, _BLOCK)):
        whole.update(block)
        cut = head.search(block) if open_range.size >= least else None
        first = block[: cut.start()] if cut else block
        open_range.add(first, head if with_heads else None)
        if cut:
            ranges.append(open_range.close())
            open_range = _OpenRange(open_range.end, open_range.next_line)
            open_range.add(block[cut.start() :], head if with_heads else None)
    ranges.append(open_range.close())
    return SplitFile(tuple(ranges), open_range.end, whole.hexdigest())


class _OpenRange:
    """A range to which lines are added."""

    def __init__(self, start: int, first_line: int) -> None:
        self._start, self._first_line = start, first_line
        self._hash = hashlib.sha256()
        self._heads: list[bytes] = []
        self.size, self.next_line = 0, first_line

    @property
    def end(self) -> int:
        return self._start + self.size

    def add(self, block: bytes, head: re.Pattern[bytes] | None) -> None:
        self._hash.update(block)
        self.size += len(block)
        self.next_line += block.count(b"\n")
        if head is not None:
            self._heads += head.findall(block)

    def close(self) -> FileRange:
        return FileRange(
            start=self._start,
            end=self.end,
            first_line=self._first_line,
            sha256=self._hash.hexdigest(),
            heads=tuple(self._heads),
        )


def _blocks(path: str, size: int) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        yield from whole_lines(file, size)


def whole_lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield what is left of ``file`` in blocks of whole lines, each of about ``size`` bytes."""
    while block := file.read(size):
        yield block + file.readline()


def open_range(path: str, lines: FileRange | None) -> BinaryIO:
    """Open a file, as one that holds nothing but the range of ``lines``; all of it if None."""
    file = Path(path).open("rb")  # noqa: SIM115 (the caller closes it)
    if lines is None:
        return file
    return io.BufferedReader(_RawRange(file, lines), _BLOCK)


class _RawRange(io.RawIOBase):
    """Reads the bytes of a range, and closes the file with itself."""

    def __init__(self, file: BinaryIO, lines: FileRange) -> None:
        super().__init__()
        self._file = file
        self._left = lines.end - lines.start
        file.seek(lines.start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io types it wider
        block = self._file.read(min(len(buffer), self._left))
        buffer[: len(block)] = block
        self._left -= len(block)
        return len(block)

    def close(self) -> None:
        self._file.close()
        super().close()
