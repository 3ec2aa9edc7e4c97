"""Writes a package: the same content gives the same bytes, and no secret gets into it."""

from __future__ import annotations

import os
import stat
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from cmek_audit.packages.checksums import render_sums
from cmek_audit.packages.layout import LONGEST_NAME, SUMS, describe_excess
from cmek_audit.signing.statement import is_safe_name
from inventory.errors import LeakError, PackageError
from inventory.system.durable_files import replacing
from inventory.text.display import describe
from inventory.text.secrets import SecretSearch
from reports.record.stored_lines import open_regular

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CHUNK = 1_048_576
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that the format can hold: that of packing would make two packages differ."""

_MODE = stat.S_IFREG | 0o644
_UNIX = 3
_WRITE: Final = "w"
"""How an entry of a ZIP file is opened for writing: always for bytes."""

_PACKED = (".gz", ".parquet")
"""How names of files end that are compressed already."""


def write_package(target: Path, content: Mapping[str, Path | bytes]) -> dict[str, str]:
    """Write ``content``, by paths in the package, and their hashes as the package ``target``.

    Files are read block by block. ``target`` is replaced when all is written. Returns the hashes.
    Raises LeakError if a secret is in it, PackageError if a name could lead out of a folder, or if
    it is larger than what is checked, and OSError; then nothing is left.
    """
    with replacing(target) as beside:
        with zipfile.ZipFile(beside, "w") as package:
            hashes = {name: _add(package, name, content[name]) for name in sorted(content)}
            _add(package, SUMS, render_sums(hashes))
        _refuse_excess(package.infolist(), beside.stat().st_size)
    return hashes


def _refuse_excess(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if excess := describe_excess(len(entries), total, size):
        raise PackageError(f"{excess}: nobody could check it; ask the audit for fewer formats")


def _add(package: zipfile.ZipFile, name: str, content: Path | bytes) -> str:
    if not is_safe_name(name) or len(name) > LONGEST_NAME:
        expected = f"a name that leads into the package, of at most {LONGEST_NAME:,} characters"
        raise PackageError(f"found {describe(name)}, expected {expected}")
    if isinstance(content, bytes):
        return _copy(package, _entry(name, len(content)), BytesIO(content), Path(name))
    with open_regular(content) as file:
        return _copy(package, _entry(name, os.fstat(file.fileno()).st_size), file, content)


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.external_attr = _MODE << 16
    entry.create_system = _UNIX
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
    entry.file_size = size  # by which the library knows whether it needs the format for large files
    return entry


def _copy(package: zipfile.ZipFile, entry: zipfile.ZipInfo, file: IO[bytes], origin: Path) -> str:
    """Copy a file into the package, and return its hash; raise LeakError if it holds a secret."""
    digest, search, size = sha256(), SecretSearch().stream(), entry.file_size
    with package.open(entry, _WRITE) as packed:
        while chunk := file.read(_CHUNK):
            if search.found_with(chunk):
                raise LeakError([origin])
            digest.update(chunk)
            packed.write(chunk)
    if search.size != size:
        raise PackageError(f"{origin}: changed while it was packed")
    return digest.hexdigest()
