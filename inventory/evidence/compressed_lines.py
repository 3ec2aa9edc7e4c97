"""A file of compressed lines: one gzip member, with neither name nor time, written as a stream."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import EvidenceError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor, Future
    from pathlib import Path

LONGEST_LINE = 268_435_456
"""The length of the longest line that is read, in bytes: a file may be made to fill the memory."""

LONGEST_BODY = LONGEST_LINE - 16_777_216
"""The length of the longest body that is recorded: the other fields of a line are much shorter."""

_GZIP = zlib.MAX_WBITS | 16
_LEVEL = 1
"""The fastest: answers repeat themselves so much that the slowest saves a fifth at thrice the time.
"""

_BLOCK = 262_144


class FileSummary(NamedTuple):
    """A file of compressed lines as a manifest lists it.

    Attributes:
        size: its size in bytes.
        content: the size of its lines, before they were compressed.
        sha256: the hash of the file.
    """

    size: int
    content: int
    sha256: str


class CompressedLines:
    """Writes lines to a file, in blocks; without a line there is no file."""

    def __init__(self, path: Path, pool: Executor) -> None:
        """Write to ``path``, by ``pool``: a slow disk must not delay the next request."""
        self._path = path
        self._pool = pool
        self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._pending = bytearray()
        self._digest = hashlib.sha256()
        self._size = 0
        self._content = 0
        self._writing: Future[None] | None = None

    def write(self, line: bytes) -> None:
        """Add a line; raise OSError if one before could not be written."""
        self._content += len(line)
        self._pending += self._compressor.compress(line)
        # One block after the other, as they are parts of one file.
        if len(self._pending) >= _BLOCK and (self._writing is None or self._writing.done()):
            self._wait()
            self._writing = self._pool.submit(self._append, self._take())

    def close(self) -> FileSummary | None:
        """Write what is left, and wait for it; return None if there was no line."""
        if not self._content:
            return None
        self._pending += self._compressor.flush()
        self._wait()
        self._append(self._take())
        return FileSummary(self._size, self._content, self._digest.hexdigest())

    def _take(self) -> bytes:
        block = bytes(self._pending)
        self._pending.clear()
        self._digest.update(block)
        self._size += len(block)
        return block

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def _append(self, block: bytes) -> None:
        with self._path.open("ab") as file:
            file.write(block)


def read_lines(path: Path, content: int, *, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Yield the lines of a file of which ``content`` bytes were compressed, each with its end.

    Raises EvidenceError unless the file is exactly one gzip member of whole lines and of that size,
    as soon as that is found: nothing larger is ever decompressed.
    """
    lines = _Lines(path, content, longest)
    try:
        with path.open("rb") as file:
            for chunk in iter(lambda: file.read(_BLOCK), b""):
                yield from lines.of(chunk)
    except OSError as error:
        raise lines.error(error.strerror or "nothing", "a readable file") from None
    lines.finish()


class _Lines:
    """Decompresses the lines of a file, block by block."""

    def __init__(self, path: Path, content: int, longest: int) -> None:
        self._path = path
        self._content = content
        self._longest = longest
        self._decompressor = zlib.decompressobj(_GZIP)
        self._left = content
        self._parts: list[bytes] = []
        self._length = 0

    def of(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that end in ``chunk``."""
        while chunk:
            if self._decompressor.eof:
                raise self.error("data after the compressed lines", "one gzip member")
            block = self._decompress(chunk)
            chunk = self._decompressor.unconsumed_tail or self._decompressor.unused_data
            yield from self._split(block)

    def _decompress(self, chunk: bytes) -> bytes:
        # One byte more than there should be is enough to know, and is all that is decompressed.
        most = min(_BLOCK, self._left + 1)
        try:
            block = self._decompressor.decompress(chunk, most)
        except zlib.error:
            raise self.error("damaged compression", "an unchanged file") from None
        self._left -= len(block)
        if self._left < 0:
            found = f"more than {self._content:,} bytes of lines"
            raise self.error(found, "as many as the manifest lists")
        return block

    def _split(self, block: bytes) -> Iterator[bytes]:
        *ended, rest = block.split(b"\n")
        for end in ended:
            yield b"".join((*self._parts, end, b"\n"))
            self._parts, self._length = [], 0
        self._parts.append(rest)
        self._length += len(rest)
        if self._length > self._longest:
            raise self.error(f"a line of more than {self._longest:,} bytes", "shorter lines")

    def finish(self) -> None:
        """Raise EvidenceError unless all was there."""
        if not self._decompressor.eof:
            raise self.error("a file that ends early", "a whole file")
        if self._left:
            found = f"{self._content - self._left:,} bytes of lines"
            raise self.error(found, f"{self._content:,} bytes, as the manifest lists")
        if self._length:
            raise self.error("a last line without its end", "whole lines")

    def error(self, found: str, expected: str) -> EvidenceError:
        """Return the error for this file."""
        return EvidenceError([Problem(str(self._path), 0, "", found, expected)])
