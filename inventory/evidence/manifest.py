"""The manifest of an evidence bundle, and whether the bundle is what it lists.

``manifest.json`` names every file with its hash, and the root of the bundle before: a chain. Its
last line but one holds the root, the SHA-256 of all lines above it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inventory.errors import EvidenceError, Problem
from inventory.files.evidence_layout import EXCHANGES, INVENTORY, MANIFEST, ORGANIZATIONS
from inventory.files.validation import problems_of
from inventory.model.base import Count, Entry, FormatVersion, Moment, WholeNumber
from inventory.text.secrets import holds_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


T = TypeVar("T")

ROOT = b'"root": '

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_PATH = r"^(?:inventory\.ndjson|organizations\.json|exchanges/[0-9]{4,9}/[0-9]{4,9}\.json)$"

_FOLDER = re.compile(rf"{EXCHANGES}/([0-9]{{4,9}})")

_LINE = 1


class File(Entry):
    """A file of a bundle: path inside it, size in bytes, hash of its content."""

    path: Annotated[str, Field(pattern=_PATH)]
    size: Count
    sha256: Sha256


class Previous(Entry):
    """The bundle before: its folder's name, and its root."""

    name: str
    root: Sha256


class Manifest(Entry):
    """What a bundle holds, and when and how it was made.

    Attributes:
        format: the version of the format, 1.
        tool: name and version of what made it.
        address: the host that was asked.
        started: when the first organization's turn came, in UTC.
        ended: when the last one was done, in UTC.
        organizations: how many there are.
        requests: how many requests were made or given up.
        failures: how many of them got no answer, or one of status 400 or more.
        redactions: how many fields were redacted in all answers.
        clock_seconds: the largest difference seen between Astra's clock and this machine's.
        previous: the bundle before; None for the first.
        files: every other file of the bundle.
        root: the SHA-256 of all lines of the manifest above it.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-evidence")]
    tool: str
    address: str
    started: Moment
    ended: Moment
    organizations: Annotated[WholeNumber, Field(ge=1)]
    requests: Count
    failures: Count
    redactions: Count
    clock_seconds: Annotated[float, Field(strict=True)] | None
    previous: Previous | None
    files: tuple[File, ...]
    root: Sha256


class ManifestHead(BaseModel):
    """What a manifest states of its bundle's place in the chain, with its list of files left out.

    Attributes:
        started: as in the manifest.
        previous: as in the manifest.
        root: as in the manifest.
    """

    model_config = ConfigDict(frozen=True)

    started: Moment
    previous: Previous | None
    root: Sha256


def read_manifest(folder: str) -> Manifest:
    """Return the manifest of the bundle ``folder``; raise EvidenceError if it is not whole."""
    return _read(folder, lambda raw: Manifest.model_validate(json.loads(raw)))


def read_head(folder: str) -> ManifestHead:
    """Return the head of a manifest that is whole, much faster than all of it; raise EvidenceError.

    A chain may have a thousand bundles of ten thousand files.
    """
    return _read(folder, _parse_head)


def _parse_head(raw: bytes) -> ManifestHead:
    try:
        return ManifestHead.model_validate_json(raw)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise ValueError from None  # as json.loads would
        raise


def _read(folder: str, parse: Callable[[bytes], T]) -> T:
    path = Path(folder) / MANIFEST
    if path.is_symlink():
        raise _broken(path, "a link", "a file")
    if path.exists() and not path.is_file():  # reading a pipe may never end
        raise _broken(path, "no regular file", "a file")
    try:
        raw = path.read_bytes()
        parsed = parse(raw)
    except OSError as error:
        raise _broken(path, error.strerror or "nothing", "a readable manifest") from None
    except ValidationError as error:
        raise EvidenceError(problems_of(error, str(path), {(): _LINE})) from None
    except (ValueError, RecursionError):
        raise _broken(path, "no JSON", "a manifest as it was written") from None
    if raw[raw.rfind(ROOT) :] != root_line(root_of(raw)):
        raise _broken(path, "a root that is not its own", "a manifest as it was written")
    return parsed


def root_of(raw: bytes) -> str:
    """Return the hash over all lines of a manifest above the one that holds its root."""
    return hashlib.sha256(raw[: raw.rfind(ROOT)]).hexdigest()


def root_line(root: str) -> bytes:
    """Return the end of a manifest: its root, and nothing below that the root would not cover."""
    return ROOT + f'"{root}"\n}}\n'.encode("ascii")


def _broken(path: Path, found: str, expected: str) -> EvidenceError:
    return EvidenceError([Problem(str(path), 0, "", found, expected)])


def check_bundle(folder: str, *, only_inventory: bool = False) -> Manifest:
    """Return the manifest of a bundle of which every file is there, its own, and no other is.

    With ``only_inventory`` no more is looked at than that one file and the manifest.

    Raises EvidenceError with every difference.
    """
    manifest = read_manifest(folder)
    listed = {file.path: file for file in manifest.files}
    if only_inventory:
        listed = {INVENTORY: listed[INVENTORY]} if INVENTORY in listed else {}
        present = {INVENTORY} if INVENTORY in _present(Path(folder), manifest) else set()
    else:
        present = set(_present(Path(folder), manifest))
    problems = [
        _problem(folder, path, _what(folder, path), "none: it is not listed")
        for path in sorted(present - listed.keys())
    ]
    needed = {INVENTORY} if only_inventory else {INVENTORY, ORGANIZATIONS}
    problems += [_gone(folder, path) for path in needed - listed.keys() - present]
    if len({file.path for file in manifest.files}) < len(manifest.files):
        problems.append(_problem(folder, MANIFEST, "a file listed twice", "each file once"))
    for path, file in listed.items():
        problems += _compare(folder, path, file) if path in present else [_gone(folder, path)]
    if problems:
        raise EvidenceError(sorted(problems))
    return manifest


def _what(folder: str, path: str) -> str:
    place = Path(folder) / path
    return "an empty folder" if place.is_dir() and not place.is_symlink() else "a file"


def _problem(folder: str, path: str, found: str, expected: str) -> Problem:
    return Problem(f"{folder}/{path}", 0, "", found, expected)


def _gone(folder: str, path: str) -> Problem:
    return _problem(folder, path, "nothing", "the file that the manifest lists")


def _present(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the path of everything in the bundle but the manifest; links are never followed.

    Of folders those are yielded that are empty without reason.
    """
    for place, folders, files in os.walk(folder, onerror=_unreadable):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *links):
            path = (Path(place) / name).relative_to(folder).as_posix()
            if path != MANIFEST:
                yield path
        path = Path(place).relative_to(folder).as_posix()
        if not (files or folders or _may_be_empty(path, manifest.organizations)):
            yield path


def _unreadable(error: OSError) -> NoReturn:
    found = error.strerror or type(error).__name__
    raise _broken(Path(error.filename), found, "a readable folder")


def _may_be_empty(path: str, organizations: int) -> bool:
    """Say whether ``path`` is the folder of exchanges, or that of an organization not asked."""
    number = _FOLDER.fullmatch(path)
    if number is None:
        return path == EXCHANGES
    return 1 <= int(number[1]) <= organizations and number[1] == f"{int(number[1]):04}"


def _compare(folder: str, path: str, file: File) -> Iterator[Problem]:
    place = Path(folder) / path
    try:
        is_file = place.is_file() and not place.is_symlink()
        raw = place.read_bytes() if is_file else b""
    except OSError as error:
        yield _problem(folder, path, error.strerror or type(error).__name__, "a readable file")
        return
    if not is_file:
        yield _problem(folder, path, "a link", "a file")
        return
    if hashlib.sha256(raw).hexdigest() != file.sha256 or len(raw) != file.size:
        yield _problem(folder, path, "changed content", f"the SHA-256 {file.sha256}")
    if holds_secret(raw):
        yield _problem(folder, path, "what looks like a token", "evidence without secrets")
