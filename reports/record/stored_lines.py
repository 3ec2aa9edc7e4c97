"""The lines of a file of a record, which can be read again from their beginning."""

from __future__ import annotations

import errno
import os
import stat
from io import BytesIO
from itertools import islice
from typing import IO, TYPE_CHECKING

from inventory.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_LONGEST_LINE = 16 * 1_024 * 1_024
_BLOCK = 65_536
"""How many bytes are read at once: more would not stay in the cache of a processor."""

_MOST_REMEMBERED = 1_000
_MOST_TOGETHER = 100


class StoredLines:
    """The lines of a file, one at a time, and from the beginning in each loop over them."""

    def __init__(self, path: Path, noun: str = "lines") -> None:
        """Take the file ``path``; an error calls what it holds by its ``noun``."""
        self._path, self._noun = path, noun
        self._remembered: dict[tuple[bytes, ...], list[bytes]] = {}

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines; raise RecordError for one that is longer than any audit writes."""
        for lines in self.groups():
            yield from lines

    def groups(self) -> Iterator[list[bytes]]:
        """Yield the lines in groups, as they are read; raise RecordError as for single lines.

        No group is empty.
        """
        with open_regular(self._path) as file:
            rest = b""
            # By blocks, as a call of ``readline`` for each line takes twice as long.
            while block := file.read(_BLOCK):
                lines = BytesIO(rest + block).readlines()
                rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
                if lines:
                    yield lines
                # Without a limit, a file without an end of line would be read into memory whole.
                if len(rest) >= _LONGEST_LINE:
                    found = f"a line of more than {_LONGEST_LINE:,} bytes"
                    raise RecordError(f"{self._path}: found {found}, expected {self._noun}")
            if rest:
                yield [rest]

    def parts(self, parts: Iterable[range]) -> Iterator[list[bytes]]:
        """Yield the lines of each of the ``parts``, ranges of bytes that begin and end with lines.

        They are ranges that were read before, so none is larger than a group.
        """
        with open_regular(self._path) as file:
            for part in parts:
                file.seek(part.start)
                yield BytesIO(file.read(len(part))).readlines()

    def without(self, begins: tuple[bytes, ...]) -> Iterator[bytes]:
        """Yield the lines that begin with none of ``begins``.

        A few of them are remembered, so that the file is not read again for the next report.
        """
        remembered = self._remembered.get(begins)
        if remembered is not None:
            yield from remembered
            return
        few: list[bytes] = []
        count = 0
        for line in self:
            if not line.startswith(begins):
                count += 1
                if count <= _MOST_REMEMBERED:
                    few.append(line)
                yield line
        if count <= _MOST_REMEMBERED:
            self._remembered[begins] = few


def groups_of(
    lines: Iterable[bytes], parts: Iterable[range] | None = None
) -> Iterator[list[bytes]]:
    """Yield ``lines`` in groups, none of which is empty: those of a file as they are read.

    Of a file, only some ``parts`` are read, if they are known.
    """
    if isinstance(lines, StoredLines):
        yield from lines.groups() if parts is None else lines.parts(parts)
        return
    left = iter(lines)
    while group := list(islice(left, _MOST_TOGETHER)):
        yield group


def all_begin(lines: Sequence[bytes], begin: bytes) -> bool:
    """Return whether all of ``lines``, at least one, begin with ``begin``."""
    # What is between two texts that begin alike begins alike, so the first and the last in order
    # show it of all. They are found in a tenth of the time that it takes to look at each line.
    return min(lines).startswith(begin) and max(lines).startswith(begin)


def open_regular(path: str | Path) -> IO[bytes]:
    """Open a regular file; raise OSError for anything else, as reading a pipe may never end.

    A path that comes from a record may be any text.
    """
    try:
        return open(path, "rb", opener=_open_regular)
    except ValueError:
        raise OSError(errno.EINVAL, "a path that no file can have", str(path)) from None


_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)
"""Windows has no pipes among its files, and no such flag."""


def _open_regular(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a pipe would already wait for somebody to write.
    descriptor = os.open(path, flags | _WITHOUT_WAITING)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", path)
    return descriptor
