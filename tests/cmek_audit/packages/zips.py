"""ZIP files of all kinds, harmful ones too."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from typing import TYPE_CHECKING

from cmek_audit.packages.checksums import render_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Change = Callable[[dict[str, bytes]], object]

FILE = stat.S_IFREG | 0o644


def an_entry(name: str, mode: int = FILE) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def write_zip(path: Path, entries: Iterable[tuple[zipfile.ZipInfo, bytes]]) -> str:
    """Write a ZIP file with these entries, whatever they are, and return its path."""
    with zipfile.ZipFile(path, "w") as file:
        for entry, content in entries:
            file.writestr(entry, content)
    return str(path)


def summed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return ``files`` with the list of their hashes, as whoever packs them can make it."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return files | {"SHA256SUMS": render_sums(hashes)}


def plain_zip(path: Path, files: dict[str, bytes]) -> str:
    return write_zip(path, ((an_entry(name), content) for name, content in files.items()))


def repacked(package: Path, change: Change, *, seal: bool = True) -> str:
    """Change the files of a package, and pack them again; if ``seal``, with the right hashes."""
    with zipfile.ZipFile(package) as file:
        files = {name: file.read(name) for name in file.namelist()}
    change(files)
    if seal:
        del files["SHA256SUMS"]
        files = summed(files)
    return plain_zip(package, files)
