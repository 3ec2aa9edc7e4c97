"""Unpacks a package of whoever sent it: whatever could do harm is refused, in words."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cmek_audit.packages.checksums import read_sums
from cmek_audit.packages.layout import SUMS
from cmek_audit.signing.statement import is_safe_name
from inventory.errors import PackageError
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zipfile import ZipInfo

_MOST_FILES = 200_000
_MOST_BYTES = 8 * 1_024**3
_MOST_TIMES = 250
"""How many times its size in the package a file may have; long lists of alike lines have 100."""

_SMALL = 64 * 1_024**2
"""Up to this size, what is unpacked does no harm, however small it was."""

_LONGEST_NAME = 1_000
_CHUNK = 1_048_576
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_BROKEN = (
    ArithmeticError,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the library raises for a file that is damaged, or made to look so."""


@contextmanager
def unpacked(path: str) -> Iterator[Path]:
    """Unpack the package ``path`` into a folder that is removed in the end.

    Each of its files has the hash that the package lists, and no other file is there. Raises
    PackageError if it is damaged or could do harm, and OSError.
    """
    # Resolved, so that no link on the way to it makes two names of one folder.
    with TemporaryDirectory(prefix="cmek-audit-") as scratch:
        folder = Path(scratch).resolve()
        try:
            hashes = _unpack(Path(path), folder)
        except _BROKEN as error:
            raise PackageError(f"it is damaged: {type(error).__name__}") from None
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # A damaged place of a file leads to before the beginning.
            raise PackageError("it is damaged: a place that it does not have") from None
        _check_sums(folder, hashes)
        yield folder


def _unpack(path: Path, folder: Path) -> dict[str, str]:
    """Write the files of a package into ``folder``, and return their hashes."""
    with path.open("rb") as file, zipfile.ZipFile(file) as package:
        entries = package.infolist()
        _refuse_harmful(entries)
        _refuse_bombs(entries, path.stat().st_size, folder)
        return {entry.filename: _write(package, entry, folder) for entry in entries}


# --- what is refused before anything is written ---------------------------------------------------


def _refuse_harmful(entries: Sequence[ZipInfo]) -> None:
    """Raise PackageError for names that lead elsewhere, for links, and for names that are twice."""
    if len(entries) > _MOST_FILES:
        raise PackageError(f"found {len(entries):,} files, expected at most {_MOST_FILES:,}")
    names: set[str] = set()
    for entry in entries:
        if found := _harm(entry):
            raise PackageError(f"found {describe(entry.orig_filename)} ({found}), expected a file")
        if entry.filename in names:
            raise PackageError(f"found {describe(entry.filename)} twice, expected it once")
        names.add(entry.filename)
    for name in names:
        above = {str(parent) for parent in Path(name).parents}
        if both := above & names:
            raise PackageError(f"found {describe(both.pop())} as a file and as a folder")


def _harm(entry: ZipInfo) -> str:
    """Say what is wrong with an entry; empty if nothing is."""
    mode = entry.external_attr >> 16
    # The library cuts a name at a NUL, and other programs do not.
    if entry.filename != entry.orig_filename or not is_safe_name(entry.filename):
        return "a name that could lead out of the folder"
    if len(entry.filename) > _LONGEST_NAME:
        return "a name that is too long"
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return "a link" if stat.S_ISLNK(mode) else "no regular file"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted"
    return "" if entry.compress_type in _METHODS else "compressed in another way"


def _refuse_bombs(entries: Sequence[ZipInfo], size: int, folder: Path) -> None:
    """Raise PackageError if much more would be unpacked than the package is large."""
    total = sum(entry.file_size for entry in entries)
    if total > _MOST_BYTES:
        raise PackageError(f"found {total:,} bytes in it, expected at most {_MOST_BYTES:,}")
    if total > max(_SMALL, _MOST_TIMES * size):
        raise PackageError(f"found {total:,} bytes in a package of {size:,}, expected fewer")
    if total > shutil.disk_usage(folder).free:
        raise PackageError(f"found {total:,} bytes in it, expected fewer than the disk has left")


# --- the files ------------------------------------------------------------------------------------


def _write(package: zipfile.ZipFile, entry: ZipInfo, folder: Path) -> str:
    """Write one file, no longer than its entry says, and return its hash."""
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.file_size
    with package.open(entry) as source, open(target, "xb", opener=_private) as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            file.write(chunk)
    if left:
        name = describe(entry.filename)
        raise PackageError(f"found {name} of another size than the package states")
    return digest.hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _check_sums(folder: Path, hashes: dict[str, str]) -> None:
    """Raise PackageError unless the list of hashes is of exactly the files that are there."""
    listed = read_sums(folder / SUMS)
    there = {name: sha256 for name, sha256 in hashes.items() if name != SUMS}
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            raise PackageError(f"{name}: removed: {SUMS} lists it")
        if name not in listed:
            raise PackageError(f"{name}: added: {SUMS} does not list it")
        if listed[name] != there[name]:
            found = f"SHA-256 {there[name]}, listed {listed[name]}"
            raise PackageError(f"{name}: changed since it was packed: {found}")
