"""A finished record, read back: nothing is made of it unless it is as it was written."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeVar

from jinja2 import TemplateError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inventory.errors import RecordError
from inventory.evidence.manifest import Sha256
from inventory.files.evidence_layout import is_folder
from inventory.files.file_kinds import REPORTS, recognize_folder
from inventory.files.format_detection import REPORT, content_problem, folder_problem
from inventory.model.base import NEWER_HINT, Count
from inventory.text.display import describe
from reports.record.layout import FINDINGS, HEAD, POPULATION, SCHEMA, canonical, report_id
from reports.record.stored_lines import StoredLines, open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.model.head import Head

T = TypeVar("T", bound="RecordPart")
_VERSION = re.compile(r"cmek-audit-record/([1-9][0-9]{0,8})")
_CHUNK = 1_048_576
MOST_BYTES = 256 * 1_024 * 1_024
"""The size from which on a head is not read; parsed it takes many times as much memory."""


class Record(NamedTuple):
    """The record of an audit, as it was written.

    Attributes:
        head: all of ``audit.json``.
        path: where that was read.
        sha256: the hash of that file.
        findings: the file of findings beside it.
        population: the file of what was judged, beside it.
    """

    head: Head
    path: Path
    sha256: str
    findings: Path
    population: Path

    def lines(self) -> StoredLines:
        """Return the lines of the findings."""
        return StoredLines(self.findings, "findings")

    def population_lines(self) -> StoredLines:
        """Return the lines of what was judged."""
        return StoredLines(self.population, "a population")

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """Return the files of the record, the head first."""
        return self.path, self.findings, self.population


class RecordPart(BaseModel):
    """A part of a head; fields that are not named are ignored."""

    model_config = ConfigDict(frozen=True)


class HashedFile(RecordPart):
    """What a head holds of a file of lines beside it."""

    sha256: Sha256
    bytes: Count
    count: Count


class FindingsFile(HashedFile):
    """What a head holds of the file of findings."""

    file: Literal["findings.ndjson"]


class PopulationFile(HashedFile):
    """What a head holds of the file of what was judged."""

    file: Literal["population.ndjson"]


class _Head(RecordPart):
    """The parts of a head that show whether it is as it was written."""

    report: Sha256
    format: Annotated[Literal["cmek-audit-record/2"], Field(alias="schema")]
    findings: FindingsFile
    population_file: PopulationFile


def read_record(path: str | Path) -> Record:
    """Read a record back: ``path`` is a report folder, or its ``audit.json``.

    Raises RecordError if it is none, or not as it was written.
    """
    file = _head_file(Path(path))
    raw = _read(file)
    try:
        head, checked_head = _parse(file, raw)
    except RecordError:
        if other := content_problem(str(file), raw, REPORT):
            raise RecordError(str(other)) from None
        raise
    findings, population = file.with_name(FINDINGS), file.with_name(POPULATION)
    _check_lines(findings, checked_head.findings, "the findings")
    _check_lines(population, checked_head.population_file, "the population")
    return Record(
        head=head,
        path=file,
        sha256=hashlib.sha256(raw).hexdigest(),
        findings=findings,
        population=population,
    )


def _head_file(path: Path) -> Path:
    """Return the head's file; raise RecordError if ``path`` is a folder of something else."""
    if not is_folder(str(path)):
        return path
    if recognize_folder(path).option not in {"", REPORTS}:
        raise RecordError(str(folder_problem(str(path), REPORT)))
    return path / HEAD


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RecordError(f"{path}: found {error.strerror}, expected a record") from None
    if len(raw) > MOST_BYTES:
        raise RecordError(f"{path}: found more than {MOST_BYTES:,} bytes, expected a record")
    return raw


def _parse(path: Path, raw: bytes) -> tuple[Head, _Head]:
    try:
        data = json.loads(raw)
        _refuse_newer(path, data)
        checked_head = checked(path, _Head, data)
        is_canonical = canonical(data).encode("ascii") == raw
    except (ValueError, RecursionError):
        raise RecordError(f"{path}: found no JSON, expected a record") from None
    if not is_canonical:
        raise RecordError(f"{path}: not written as a record is, so it was changed since")
    if report_id(data) != checked_head.report:
        raise RecordError(f"{path}: the report id is not that of its content: it was changed since")
    return data, checked_head


def _refuse_newer(path: Path, data: object) -> None:
    """Refuse a record of a version that this program does not know."""
    version = data.get("schema") if isinstance(data, dict) else None
    newer = isinstance(version, str) and _VERSION.fullmatch(version)
    if newer and int(newer[1]) > int(SCHEMA.rpartition("/")[2]):
        found = f"found {describe(version)}, expected {SCHEMA!r}"
        raise RecordError(f"{path}: schema: {found}; {NEWER_HINT}")


def _check_lines(path: Path, recorded: HashedFile, noun: str) -> None:
    try:
        measured = measure(path, recorded.bytes)
    except OSError as error:
        raise RecordError(f"{path}: found {error.strerror}, expected {noun}") from None
    expected = recorded.sha256, recorded.bytes, recorded.count
    for what, one, other in zip(("SHA-256", "bytes", "lines"), measured, expected, strict=True):
        if one != other:
            raise RecordError(f"{path}: changed since: {what} {one}, recorded {other}")


def measure(path: str | Path, most: int | None = None) -> tuple[str, int, int]:
    """Return hash, size in bytes and number of lines of a regular file.

    One of more than ``most`` bytes is read no further than that. Raises OSError.
    """
    digest = hashlib.sha256()
    size = count = 0
    with open_regular(path) as file:
        while most is None or size <= most:
            chunk = file.read(_CHUNK)
            if not chunk:
                break
            digest.update(chunk)
            size += len(chunk)
            count += chunk.count(b"\n")
    return digest.hexdigest(), size, count


def checked(path: Path, model: type[T], data: object) -> T:
    """Return ``data`` as ``model``; raise RecordError that names the first field that is not so."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problem = first_problem(error)
        raise RecordError(f"{path}: no record of the format {SCHEMA}: {problem}") from None


def first_problem(error: ValidationError) -> str:
    """Name the first field that is not as it should be; its value may be anything."""
    detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, detail['loc'])) or 'the whole'}: {detail['msg'].lower()}"


_UNUSABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TemplateError,
    TypeError,
    ValueError,
)


@contextmanager
def relying_on(record: Record) -> Iterator[None]:
    """Use what ``record`` holds; raise RecordError if that turns out not to be what one holds.

    Hashes show that nothing was changed, not that an audit wrote it.
    """
    try:
        yield
    except _UNUSABLE as error:
        found = f"holds what no audit writes ({type(error).__name__})"
        raise RecordError(f"{record.path}: {found}, expected a record of {SCHEMA}") from error
