"""The files of evidence as tests read and damage them: what is compressed is decompressed."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST = "exchanges/0001.ndjson.gz"
"""The exchanges of the first organization of a bundle."""


def content_of(file: Path) -> bytes:
    """Return what ``file`` holds, decompressed as far as it can be if it is compressed."""
    raw = file.read_bytes()
    return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(raw) if file.suffix == ".gz" else raw


def contents_below(folder: Path) -> dict[str, bytes]:
    """Return what every file below ``folder`` holds, by its path there, decompressed."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {file.relative_to(folder).as_posix(): content_of(file) for file in files}


def lines_of(file: Path) -> list[bytes]:
    """Return the lines of a compressed file, each with its end."""
    return content_of(file).splitlines(keepends=True)


def write_lines(file: Path, lines: list[bytes]) -> None:
    """Write a compressed file of ``lines``."""
    file.write_bytes(gzip.compress(b"".join(lines), mtime=0))


def change_lines(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Change every line of a compressed file."""
    write_lines(file, [change(line) for line in lines_of(file)])
