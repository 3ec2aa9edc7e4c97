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
from typing import TYPE_CHECKING, BinaryIO

from cmek_audit.packages import layout
from cmek_audit.packages.checksums import read_sums
from cmek_audit.packages.layout import SUMS
from cmek_audit.signing.statement import is_safe_name
from inventory.errors import PackageError
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zipfile import ZipInfo

_CHUNK = 1_048_576
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_END = 22
"""The size of the record at the end, in bytes."""

_BEFORE_LENGTHS, _LENGTHS = 26, struct.Struct("<HH")
"""What is before the lengths of name and extra field in the header of a file."""

_UNLISTED = "found bytes that are of no file in it, expected none"
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
        _refuse_bombs(entries, path.stat().st_size, folder)
        _refuse_unlisted(file, package)
        _refuse_harmful(entries)
        return {entry.filename: _write(package, entry, folder) for entry in entries}


# --- what is refused before anything is written ---------------------------------------------------


def _refuse_unlisted(file: BinaryIO, package: zipfile.ZipFile) -> None:
    """Raise PackageError for bytes before, between and behind the files, and behind their list.

    They have no hash, and programs that do not go by the list could take them for files.
    """
    place = 0
    for entry in sorted(package.infolist(), key=lambda entry: entry.header_offset):
        end = _end_of(file, entry)
        if entry.header_offset != place:
            raise PackageError(_UNLISTED)
        place = end
    file.seek(-_END, os.SEEK_END)
    end_record = file.read()
    # Its last two bytes are the length of a comment.
    is_at_end = end_record.startswith(b"PK\x05\x06") and end_record.endswith(b"\0\0")
    if package.start_dir != place or not is_at_end:
        raise PackageError(_UNLISTED)


def _end_of(file: BinaryIO, entry: ZipInfo) -> int:
    """Return where a file ends, by its compressed size and the names before it."""
    file.seek(entry.header_offset + _BEFORE_LENGTHS)
    name, extra = _LENGTHS.unpack(file.read(_LENGTHS.size))
    before = _BEFORE_LENGTHS + _LENGTHS.size + int(name) + int(extra)
    return entry.header_offset + before + entry.compress_size


def _refuse_harmful(entries: Sequence[ZipInfo]) -> None:
    """Raise PackageError for names that lead elsewhere, for links, and for names that are twice."""
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
    # The library cuts a name at a NUL, and other programs do not. Windows has names with a drive.
    is_cut = entry.filename != entry.orig_filename
    if is_cut or Path(entry.filename).drive or not is_safe_name(entry.filename):
        return "a name that could lead out of the folder"
    if len(entry.filename) > layout.LONGEST_NAME:
        return "a name that is too long"
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return "a link" if stat.S_ISLNK(mode) else "no regular file"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted"
    return "" if entry.compress_type in _METHODS else "compressed in another way"


def _refuse_bombs(entries: Sequence[ZipInfo], size: int, folder: Path) -> None:
    """Raise PackageError for too many files, or for much more bytes than the package has."""
    total = sum(entry.file_size for entry in entries)
    if excess := layout.describe_excess(len(entries), total, size):
        raise PackageError(excess)
    if total > shutil.disk_usage(folder).free:
        raise PackageError(f"found {total:,} bytes in it, expected fewer than the disk has left")


# --- the files ------------------------------------------------------------------------------------


def _write(package: zipfile.ZipFile, entry: ZipInfo, folder: Path) -> str:
    """Write one file, no longer than its entry says, and return its hash."""
    digest, left = hashlib.sha256(), entry.file_size
    with package.open(entry) as source, _create(folder, entry.filename) as file:
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


def _create(folder: Path, name: str) -> BinaryIO:
    """Return the new file of that name; raise PackageError if another name is the same here."""
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return open(target, "xb", opener=_private)
    except (FileExistsError, NotADirectoryError):
        # Many systems do not tell upper from lower case, or one form of Unicode from another.
        raise PackageError(f"found {describe(name)} twice under names that are one here") from None


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
