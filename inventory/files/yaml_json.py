"""Recorded inventories in YAML and JSON: one file, read whole, with every entry's line."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path as FilePath
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from inventory.database_lines.database_list import ids_of
from inventory.errors import InventoryError, Problem
from inventory.files.documents import Document, FieldPath, read_document
from inventory.files.evidence_layout import is_folder
from inventory.files.format_detection import (
    ENDINGS,
    INVENTORY,
    ExpectedFile,
    ending_problem,
    folder_problem,
    head_problem,
)
from inventory.files.validation import problems_of
from inventory.model.key_ids import canonical
from inventory.model.organization import InventoryDocument, Organization
from inventory.model.sources import FORMATS, FileFormat, Role, Source
from inventory.text.display import describe
from inventory.text.secrets import lines_with_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from inventory.model.terraform_managed import ProviderConfiguration


T = TypeVar("T", bound=BaseModel)
MOST_AS_DOCUMENT = 10_000
LARGE = (
    "It has more than 10,000 entries, and is read whole into memory. NDJSON and Parquet are read "
    "far faster, one organization at a time: cmek-audit convert writes them."
)
"""The note on a large file in YAML or JSON."""

LISTS = (
    "keys",
    "databases",
    "region_views",
    "vendor_accounts",
    "cloud_keys",
    "support_cases",
    "readings",
)
"""The fields of an organization whose entries have locations of their own."""


class Fingerprint(NamedTuple):
    """What identifies the content of a file that is no longer in memory."""

    size: int
    sha256: str


def fingerprint(raw: bytes) -> Fingerprint:
    """Return what identifies the content ``raw``."""
    return Fingerprint(len(raw), hashlib.sha256(raw).hexdigest())


class RecordedFile(NamedTuple):
    """What one file holds, and which file it was.

    Attributes:
        source: the file.
        organizations: what it holds.
        providers: of a Terraform plan, the keys of the providers that it configures.
        configurations: what it manages with each of them.
    """

    source: Source
    organizations: tuple[Organization, ...]
    providers: frozenset[str] = frozenset()
    configurations: tuple[ProviderConfiguration, ...] = ()


def read_own_document(file: str, expected_file: ExpectedFile) -> tuple[bytes, Document]:
    """Return the content of one of the suite's own files, in bytes and as data.

    Raises InventoryError if it cannot be read, is not the ``expected_file``, or holds a token. A
    file of another kind may hold anything, so its kind is reported before any token.
    """
    raw = read_raw(file, expected_file)
    document = read_document(file, raw)
    if problem := head_problem(file, raw, document, expected_file):
        raise InventoryError([problem])
    refuse_tokens(file, raw)
    return raw, document


def read_raw(file: str, expected_file: ExpectedFile) -> bytes:
    """Return the content of ``file``, if its ending is one of the ``expected_file``.

    Raises InventoryError if it is missing, not readable, a folder, or has another ending. A file
    with another ending is described by its content, if that is known. A pipe is not read: it may
    never end.
    """
    if is_folder(file):
        raise InventoryError([folder_problem(file, expected_file)])
    if (ending := FilePath(file).suffix.lower()) in ENDINGS:
        return raw_bytes(file)
    raw = None if _is_special(file) else raw_bytes(file)
    raise InventoryError([ending_problem(file, raw, ending, expected_file)])


def _is_special(file: str) -> bool:
    """Say whether ``file`` exists and is something like a pipe."""
    try:
        return not S_ISREG(FilePath(file).stat().st_mode)
    except OSError:
        return False


def refuse_tokens(file: str, raw: bytes) -> None:
    """Raise InventoryError with each line that holds what looks like a token."""
    refuse([token_problem(file, line) for line in lines_with_secret(raw)])


def raw_bytes(file: str) -> bytes:
    """Return the content of ``file``, whatever it is; raise InventoryError if it is missing."""
    try:
        return FilePath(file).read_bytes()
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise InventoryError([Problem(file, 0, "", found, "a readable file")]) from None


def token_problem(file: str, line: int) -> Problem:
    """Return the problem of a token in a file, without repeating the token."""
    return Problem(file, line, "", "what looks like a token", "a file without secrets")


def read_recorded(file: str, role: Role = "inventory") -> RecordedFile:
    """Read an inventory in YAML or JSON; raise InventoryError with all its problems at once."""
    raw, document = read_own_document(file, INVENTORY)
    parsed = parse_document(InventoryDocument, file, document)
    organizations = tuple(locate_entries(file, document.lines, parsed.organizations))
    refuse(list(duplicates(file, organizations)))
    source = describe_source(
        file, fingerprint(raw), role, organizations, parsed.captured_at, example=parsed.example
    )
    if source.keys + source.databases > MOST_AS_DOCUMENT:
        source = source.model_copy(update={"notes": (LARGE,)})
    return RecordedFile(source, organizations)


def format_of(file: str) -> FileFormat:
    """Return the format by the ending of ``file``, which is one of ``FORMATS``."""
    return FORMATS[FilePath(file).suffix.lower()]


def parse_document(model: type[T], file: str, document: Document) -> T:
    """Validate ``document``; raise InventoryError with the problems of both text and content."""
    if document.data is None and document.problems:
        raise InventoryError(document.problems)
    try:
        parsed = model.model_validate(document.data)
    except ValidationError as error:
        invalid = problems_of(error, file, document.lines, model=model)
        raise InventoryError(sorted(document.problems + invalid)) from None
    refuse(document.problems)
    return parsed


def refuse(problems: list[Problem]) -> None:
    """Raise InventoryError if there is any problem."""
    if problems:
        raise InventoryError(sorted(problems))


def describe_source(
    file: str,
    content: Fingerprint,
    role: Role,
    organizations: Sequence[Organization],
    captured_at: datetime | None = None,
    *,
    example: bool = False,
) -> Source:
    """Describe a file that was read whole."""
    return Source(
        path=file,
        role=role,
        format=format_of(file),
        size=content.size,
        sha256=content.sha256,
        captured_at=captured_at,
        example=example,
        organizations=len(organizations),
        keys=sum(
            len(organization.keys or ()) + organization.managed.planned_key_count
            for organization in organizations
        ),
        databases=sum(len(organization.databases or ()) for organization in organizations),
    )


def locate_entries(
    file: str, lines: Mapping[FieldPath, int], organizations: Iterable[Organization]
) -> Iterator[Organization]:
    """Set file and line of every entry of ``organizations``."""
    for index, organization in enumerate(organizations):
        path: FieldPath = ("organizations", index)
        organization.at(file, lines[path])
        for name in LISTS:
            for inner, entry in enumerate(getattr(organization, name) or ()):
                entry.at(file, lines[*path, name, inner])
        yield organization


def duplicates(file: str, organizations: Iterable[Organization]) -> Iterator[Problem]:
    """Find what one file lists twice."""
    seen: Counter[str] = Counter()
    for organization in organizations:
        seen[organization.id] += 1
        if seen[organization.id] > 1:
            yield _duplicate(file, organization.line, "organization", organization.id)
        yield from duplicates_within(file, organization)


def duplicates_within(file: str, organization: Organization) -> Iterator[Problem]:
    """Find databases, keys and region views that one organization lists twice."""
    databases = organization.databases or ()
    # Several planned databases have no id, and then equal ones are looked at more closely.
    if len(set(ids_of(databases))) < len(databases):
        yield from repeated_entries(file, "database", databases, database_identity)
    yield from repeated_entries(file, "key", organization.keys or (), key_identity)
    yield from repeated_entries(file, "region view", organization.region_views or (), scope_fields)
    cloud_keys = organization.cloud_keys or ()
    yield from repeated_entries(file, "cloud key", cloud_keys, cloud_key_identity)


def database_identity(database: Any) -> str:  # noqa: ANN401 (kept generic for repeated)
    """Return what identifies a database within its organization."""
    return database.id or str(database.identity)


def scope_fields(entry: Any) -> tuple[str, str, str]:  # noqa: ANN401 (key, view or support case)
    """Return the type, provider and region of ``entry``."""
    return entry.type, entry.provider, entry.region


def key_identity(key: Any) -> tuple[str, ...]:  # noqa: ANN401 (kept generic for repeated)
    """Return what identifies the entry of a registered key within its organization.

    Two versions of one key are two entries: both are kept, and the rules treat them as one key.
    """
    return (*scope_fields(key), key.key_id)


def versionless_key_identity(key: Any) -> tuple[str, ...]:  # noqa: ANN401 (a key, or a statement about one)
    """Return what identifies a registered key within its organization, without its version."""
    return (*scope_fields(key), canonical(key.key_id))


def cloud_key_identity(key: Any) -> tuple[str, ...]:  # noqa: ANN401 (as above)
    """Return what identifies what a cloud showed of a key at one moment."""
    return (canonical(key.key_id), key.facts.observed_at.isoformat())


def repeated_entries(
    file: str, what: str, entries: Sequence[Any], identity: Callable[[Any], object]
) -> Iterator[Problem]:
    """Find the entries of one file whose ``identity`` an earlier one has."""
    if len(set(map(identity, entries))) == len(entries):
        return
    first: dict[object, int] = {}
    for entry in entries:
        key = identity(entry)
        if key in first:
            label = key if isinstance(key, str) else " ".join(map(str, key))  # type: ignore[call-overload]
            yield _duplicate(file, entry.line, what, label, first[key])
        first.setdefault(key, entry.line)


def _duplicate(file: str, line: int, what: str, label: str, first: int = 0) -> Problem:
    where = f", first on line {first}" if first else ""
    found = f"a duplicate {what} {describe(label)}"
    return Problem(file, line, "", found, f"each {what} once{where}")
