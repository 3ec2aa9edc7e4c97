"""A judged shard as a folder: its lines, what they come to, and a manifest with their hashes.

The folder appears when it is whole, so that a process that ends early leaves nothing that could be
taken for a shard.
"""

from __future__ import annotations

import errno
import hashlib
import json
import pickle
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cmek_audit.execution.result import dump_result, load_result
from inventory.errors import ShardError
from inventory.evidence.manifest import Sha256
from inventory.model.base import FormatVersion
from reports.record.layout import FINDINGS, POPULATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.execution.result import ShardResult

MANIFEST = "shard.json"
RESULT = "result.pickle"
UNFINISHED = ".unfinished-"
"""How the name of a folder begins in which a shard is being written."""

_FILES = (FINDINGS, POPULATION, RESULT)


class ShardManifest(BaseModel):
    """What a shard is of.

    Attributes:
        format: the version of the format, 1.
        audit: the hash of all that the audit is made of.
        number: which of its shards this is, counted from 1.
        files: the hash of each file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Annotated[FormatVersion, Field(alias="cmek-shard")]
    audit: Sha256
    number: Annotated[int, Field(strict=True, ge=1)]
    files: dict[str, Sha256]


def shard_folder(folder: Path, number: int) -> Path:
    """Return the place of the shard of that number."""
    return folder / f"shard-{number:04}"


@contextmanager
def new_shard(folder: Path) -> Iterator[Path]:
    """Provide a folder to write a shard into; what ``finish_shard`` has not moved is removed."""
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        yield unfinished
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def finish_shard(unfinished: Path, audit: str, number: int, result: ShardResult) -> None:
    """Write what a shard came to and its manifest, and move it to its place.

    If another process has finished the same shard meanwhile, that one stays: it is the equal of
    this one, and may be read at this moment.
    """
    raw = dump_result(result)
    (unfinished / RESULT).write_bytes(raw)
    files = {
        FINDINGS: result.findings["sha256"],
        POPULATION: result.population_lines["sha256"],
        RESULT: hashlib.sha256(raw).hexdigest(),
    }
    manifest = {"cmek-shard": 1, "audit": audit, "number": number, "files": files}
    (unfinished / MANIFEST).write_text(json.dumps(manifest), encoding="ascii", newline="\n")
    place = shard_folder(unfinished.parent, number)
    if not _is_whole(unfinished.parent, audit, number):
        shutil.rmtree(place, ignore_errors=True)
        with suppress(FileExistsError):  # another process was faster by a moment
            _move(unfinished, place)


def _is_whole(folder: Path, audit: str, number: int) -> bool:
    try:
        check_shard(folder, audit, number)
    except ShardError:
        return False
    return True


def _move(unfinished: Path, place: Path) -> None:
    """Move a folder; raise FileExistsError if its place is a folder that holds anything."""
    try:
        unfinished.rename(place)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:  # what systems say in place of EEXIST
            raise FileExistsError(errno.EEXIST, error.strerror, str(place)) from None
        raise


def read_shard(folder: Path, audit: str, number: int) -> ShardResult:
    """Read what a shard came to.

    Raises ShardError if it is missing, was changed, or is of another audit.
    """
    place = shard_folder(folder, number)
    manifest = _manifest(place)
    if (manifest.audit, manifest.number) != (audit, number):
        raise ShardError(f"{place}: found a shard of another audit, expected one of this")
    try:
        raw = (place / RESULT).read_bytes()
    except OSError as error:
        raise ShardError(f"{place / RESULT}: found {error.strerror}, expected a file") from None
    if hashlib.sha256(raw).hexdigest() != manifest.files.get(RESULT):
        raise _changed(place / RESULT)
    try:
        return load_result(raw)
    except pickle.UnpicklingError as error:
        expected = "what this version of cmek-audit writes"
        raise ShardError(f"{place / RESULT}: found {error}, expected {expected}") from None


def discard_shard(folder: Path, number: int) -> None:
    """Remove a shard."""
    shutil.rmtree(shard_folder(folder, number), ignore_errors=True)


def check_shard(folder: Path, audit: str, number: int) -> None:
    """Raise ShardError if a shard is missing, or if any file of it was changed."""
    read_shard(folder, audit, number)
    place = shard_folder(folder, number)
    manifest = _manifest(place)
    for name in _FILES:
        try:
            found = _hash(place / name)
        except OSError as error:
            raise ShardError(f"{place / name}: found {error.strerror}, expected a file") from None
        if found != manifest.files.get(name):
            raise _changed(place / name)


def _changed(file: Path) -> ShardError:
    return ShardError(f"{file}: found other content than was written, expected an unchanged file")


def _manifest(place: Path) -> ShardManifest:
    try:
        return ShardManifest.model_validate_json((place / MANIFEST).read_bytes())
    except OSError:
        raise ShardError(f"{place}: found no finished shard, expected one") from None
    except ValidationError:
        expected = "the manifest of a shard"
        raise ShardError(
            f"{place / MANIFEST}: found another content, expected {expected}"
        ) from None


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
