"""The manifest of an evidence bundle, and the check of a bundle against it.

``manifest.json`` lists every file with its hash, and names the root of the previous bundle: this
makes a chain. Its last line but one holds the root, the SHA-256 of all lines above it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from inventory.errors import EvidenceError, Problem
from inventory.evidence.compressed_lines import read_lines
from inventory.files.evidence_layout import EXCHANGES, INVENTORY, LINES, MANIFEST, ORGANIZATIONS
from inventory.files.validation import problems_of
from inventory.model.base import Count, Entry, EvidenceVersion, Moment, WholeNumber
from inventory.text.secrets import holds_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import ValidationInfo

T = TypeVar("T")

ROOT = b'"root": '
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_PATH = (
    r"^(?:inventory\.ndjson|organizations\.json"
    r"|exchanges/[0-9]{4,9}(?:\.ndjson\.gz|/[0-9]{4,9}\.json))$"
)

_WITH_LINES = 2
"""The version in which an exchange is a line of a file, and not a file of its own."""

_FOLDER = re.compile(rf"{EXCHANGES}/([0-9]{{4,9}})")


class ListedFile(Entry):
    """A file of a bundle.

    Attributes:
        path: its path inside the bundle.
        size: its size in bytes.
        content: of compressed lines, their size before they were compressed; else None.
        sha256: the hash of the file.
    """

    path: Annotated[str, Field(pattern=_PATH)]
    size: Count
    content: Annotated[Count | None, Field(validate_default=True)] = None
    sha256: Sha256

    @field_validator("content")
    @classmethod
    def _belongs_to_lines(cls, content: int | None, info: ValidationInfo) -> int | None:
        path = info.data.get("path")  # missing if it is wrong itself
        if path is not None and (content is not None) is not path.endswith(LINES):
            raise PydanticCustomError(
                "content", "the size of compressed lines, and of no other file"
            )
        return content


class Previous(Entry):
    """The previous bundle: the name of its folder, and its root."""

    name: str
    root: Sha256


class Manifest(Entry):
    """What a bundle holds, and when and how it was made.

    Attributes:
        format: the version of the format: 1 with a file for each exchange, 2 with a file for each
            organization.
        tool: the name and version of the tool that made it.
        address: the host of Astra to which the requests went; empty if only clouds were asked.
        cloud_addresses: the hosts to which requests to clouds went in place of the clouds' own.
        started: when the first organization was begun, in UTC.
        ended: when the last one was done, in UTC.
        organizations: how many there are.
        requests: how many requests were made or given up.
        failures: how many of them got no answer, or one with a status of 400 or more.
        redactions: how many fields were redacted in all answers.
        clock_seconds: the largest difference seen between Astra's clock and this machine's.
        previous: the previous bundle; None for the first.
        files: every other file of the bundle.
        root: the SHA-256 of all lines of the manifest above it.
    """

    format: Annotated[EvidenceVersion, Field(alias="cmek-evidence")]
    tool: str
    address: str
    cloud_addresses: tuple[str, ...] = ()
    started: Moment
    ended: Moment
    organizations: Annotated[WholeNumber, Field(ge=1)]
    requests: Count
    failures: Count
    redactions: Count
    clock_seconds: Annotated[float, Field(strict=True)] | None
    previous: Previous | None
    files: tuple[ListedFile, ...]
    root: Sha256

    @property
    def has_lines(self) -> bool:
        """Say whether an exchange is a line of a file, and not a file of its own."""
        return self.format == _WITH_LINES

    @field_validator("files")
    @classmethod
    def _are_of_the_version(
        cls, files: tuple[ListedFile, ...], info: ValidationInfo
    ) -> tuple[ListedFile, ...]:
        ending = LINES if info.data.get("format") == _WITH_LINES else ".json"
        for file in files:
            if file.path.startswith(f"{EXCHANGES}/") and not file.path.endswith(ending):
                text = f"exchanges in files that end in {ending}, as the manifest has that version"
                raise PydanticCustomError("layout", text)
        return files


class ManifestHead(BaseModel):
    """A manifest without its list of files: what the chain needs.

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
    """Return the manifest of the bundle ``folder``; raise EvidenceError if it is damaged."""
    return _read_manifest(folder, lambda raw: Manifest.model_validate(json.loads(raw)))


def read_head(folder: str) -> ManifestHead:
    """Return the head of a manifest; raise EvidenceError if the manifest is damaged.

    Much faster than the whole manifest: a chain may have a thousand bundles of ten thousand files.
    """
    return _read_manifest(folder, _parse_head)


def _parse_head(raw: bytes) -> ManifestHead:
    try:
        return ManifestHead.model_validate_json(raw)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise ValueError from None  # as json.loads would
        raise


def _read_manifest(folder: str, parse: Callable[[bytes], T]) -> T:
    path = Path(folder) / MANIFEST
    if path.is_symlink():
        raise bundle_error(path, "a link", "a file")
    if path.exists() and not path.is_file():  # reading a pipe may never end
        raise bundle_error(path, "no regular file", "a file")
    try:
        raw = path.read_bytes()
        parsed = parse(raw)
    except OSError as error:
        raise bundle_error(path, error.strerror or "nothing", "a readable manifest") from None
    except ValidationError as error:
        raise EvidenceError(problems_of(error, str(path), {(): 1})) from None
    except (ValueError, RecursionError):
        raise bundle_error(path, "no JSON", "an unchanged manifest") from None
    if raw[raw.rfind(ROOT) :] != root_line(root_of(raw)):
        raise bundle_error(path, "a root that does not match its content", "an unchanged manifest")
    return parsed


def root_of(raw: bytes) -> str:
    """Return the hash over all lines of a manifest above the one that holds its root."""
    return hashlib.sha256(raw[: raw.rfind(ROOT)]).hexdigest()


def root_line(root: str) -> bytes:
    """Return the end of a manifest: the root, and below it nothing that it would not cover."""
    return ROOT + f'"{root}"\n}}\n'.encode("ascii")


def bundle_error(path: Path, found: str, expected: str) -> EvidenceError:
    """Return the error for one file of a bundle."""
    return EvidenceError([Problem(str(path), 0, "", found, expected)])


def check_bundle(folder: str, *, only_inventory: bool = False) -> Manifest:
    """Check that a bundle has exactly the files that its manifest lists; return the manifest.

    With ``only_inventory`` only the manifest and the inventory are checked.

    Raises EvidenceError with every difference.
    """
    manifest = read_manifest(folder)
    listed = {file.path: file for file in manifest.files}
    if only_inventory:
        listed = {INVENTORY: listed[INVENTORY]} if INVENTORY in listed else {}
        present = {INVENTORY} if INVENTORY in _present_paths(Path(folder), manifest) else set()
    else:
        present = set(_present_paths(Path(folder), manifest))
    problems = [
        _problem(folder, path, _describe_extra(folder, path), "no file: it is not listed")
        for path in sorted(present - listed.keys())
    ]
    needed = {INVENTORY} if only_inventory else {INVENTORY, ORGANIZATIONS}
    problems += [_missing(folder, path) for path in needed - listed.keys() - present]
    if len({file.path for file in manifest.files}) < len(manifest.files):
        problems.append(_problem(folder, MANIFEST, "a file listed twice", "each file once"))
    for path, file in listed.items():
        problems += _check_file(folder, path, file) if path in present else [_missing(folder, path)]
    if problems:
        raise EvidenceError(sorted(problems))
    return manifest


def _describe_extra(folder: str, path: str) -> str:
    place = Path(folder) / path
    return "an empty folder" if place.is_dir() and not place.is_symlink() else "a file"


def _problem(folder: str, path: str, found: str, expected: str) -> Problem:
    return Problem(f"{folder}/{path}", 0, "", found, expected)


def _missing(folder: str, path: str) -> Problem:
    return _problem(folder, path, "nothing", "the file that the manifest lists")


def _present_paths(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield the path of every file in the bundle but the manifest; links are never followed.

    A folder is yielded if it is empty without reason: a removed file may have been in it.
    """
    for place, folders, files in os.walk(folder, onerror=_unreadable):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in (*files, *links):
            path = (Path(place) / name).relative_to(folder).as_posix()
            if path != MANIFEST:
                yield path
        path = Path(place).relative_to(folder).as_posix()
        if not (files or folders or _may_be_empty(path, manifest)):
            yield path


def _unreadable(error: OSError) -> NoReturn:
    found = error.strerror or type(error).__name__
    raise bundle_error(Path(error.filename), found, "a readable folder")


def _may_be_empty(path: str, manifest: Manifest) -> bool:
    """Say whether ``path`` is the folder of exchanges, or of an organization without requests."""
    number = _FOLDER.fullmatch(path)
    if number is None:
        return path == EXCHANGES
    is_known = 1 <= int(number[1]) <= manifest.organizations
    return not manifest.has_lines and is_known and number[1] == f"{int(number[1]):04}"


def _check_file(folder: str, path: str, file: ListedFile) -> Iterator[Problem]:
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
    is_changed = hashlib.sha256(raw).hexdigest() != file.sha256 or len(raw) != file.size
    if is_changed:
        yield _problem(folder, path, "changed content", f"the SHA-256 {file.sha256}")
    if file.content is not None:
        # What was changed is not decompressed: nothing is known of what it may grow to.
        yield from () if is_changed else _check_lines(place, file.content)
    elif holds_secret(raw):
        yield _problem(folder, path, "what looks like a token", "evidence without secrets")


def _check_lines(place: Path, content: int) -> Iterator[Problem]:
    """Yield what is wrong with a file of compressed lines, and the first line with a secret."""
    try:
        for number, line in enumerate(read_lines(place, content), 1):
            if holds_secret(line):
                found, expected = "what looks like a token", "evidence without secrets"
                yield Problem(str(place), number, "", found, expected)
                return
    except EvidenceError as error:
        yield from error.problems
