"""A finished report, verified: it is as it was written, and its sources give it again."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checks.options import Options
from inventory.bundles import INVENTORY
from inventory.entries import Moment
from inventory.errors import CmekAuditError, InputError, RecordError, ReplayError
from inventory.evidence import Sha256
from inventory.sources import FileFormat, Role
from inventory.wording import safe
from reports import html
from reports.audit import PAGE, Audit
from reports.record import FINDINGS, HEAD, SCHEMA, canonical, report_id
from reports.results import banners

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1_048_576
_MOST_PROBLEMS = 5


class Verified(NamedTuple):
    """What verifying a report found.

    Attributes:
        same: whether judging its sources again gives the same report.
        word: the recorded verdict's word.
        lines: what was checked and found, for people.
    """

    same: bool
    word: str
    lines: list[str]


class _Part(BaseModel):
    """A part of a head; what is not needed here may stand there, too."""

    model_config = ConfigDict(frozen=True)


class _File(_Part):
    path: str
    sha256: Sha256


class _Source(_File):
    role: Role
    format: FileFormat
    size: Annotated[int, Field(ge=0)]
    evidence: dict[str, Any] | None


class _Population(_Part):
    sources: tuple[_Source, ...]


class _Settings(_Part):
    as_of: Moment
    max_age_seconds: Annotated[int, Field(ge=0, le=10**10)]
    kms: str
    fail_on: str
    allow_inconclusive: bool
    grouping: str
    mode: Literal["live", "recorded"]
    example: bool
    default_example: bool
    left_out: str
    no_waivers: bool
    waiver_files: tuple[_File, ...]
    controls_file: _File | None


class _Findings(_Part):
    file: Literal["findings.ndjson"]
    sha256: Sha256
    bytes: int
    count: int


class _Verdict(_Part):
    word: str


class _Criteria(_Part):
    hash: Sha256


class _Head(_Part):
    """What verifying needs of a head."""

    report: Sha256
    format: Annotated[Literal["cmek-audit-record/1"], Field(alias="schema")]
    verdict: _Verdict
    settings: _Settings
    population: _Population
    criteria: _Criteria
    findings: _Findings


class _Record(NamedTuple):
    """A record that is as it was written: what verifying needs of its head, and all of it."""

    head: _Head
    data: dict[str, Any]


def verify_report(folder: str) -> Verified:
    """Verify the report in ``folder``: its record, its sources, and that they give it again.

    Paths are taken as the audit was given them, so it is to be run where the audit was. Nothing in
    ``folder`` is touched. Raises RecordError if the record is none, or not as it was written.
    """
    record = _read(Path(folder))
    head = record.head
    lines = [
        f"{HEAD}: as it was written, report {head.report}",
        f"{FINDINGS}: as it was written, {_counted(head.findings.count, 'finding')}",
        *banners(record.data),
    ]
    checked = list(_check_files(head))
    lines += [line for _, line in checked]
    same = all(is_there for is_there, _ in checked)
    for is_fine, line in _judge_again(Path(folder), record, same=same):
        same = same and is_fine
        lines.append(line)
    return Verified(same, safe(head.verdict.word), [safe(line, 2_000) for line in lines])


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


# --- the record -----------------------------------------------------------------------------------


def _read(folder: Path) -> _Record:
    path = folder / HEAD
    try:
        text = path.read_text(encoding="ascii")
        data = json.loads(text)
        head = _Head.model_validate(data)
    except OSError as error:
        raise RecordError(f"{path}: found {error.strerror}, expected a record") from None
    except ValidationError as error:
        raise RecordError(f"{path}: no record of the format {SCHEMA}: {_first(error)}") from None
    except (ValueError, RecursionError):
        raise RecordError(f"{path}: found no JSON, expected a record") from None
    if canonical(data) != text:
        raise RecordError(f"{path}: not written as a record is, so it was changed since")
    if report_id(data) != head.report:
        raise RecordError(f"{path}: the report id is not that of its content: it was changed since")
    _check_findings(folder / FINDINGS, head.findings)
    return _Record(head, data)


def _first(error: ValidationError) -> str:
    """Name the first field that is not as it should be; its value may be anything."""
    detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, detail['loc'])) or 'the whole'}: {detail['msg'].lower()}"


def _check_findings(path: Path, told: _Findings) -> None:
    try:
        found = _measure(path)
    except OSError as error:
        raise RecordError(f"{path}: found {error.strerror}, expected the findings") from None
    for what, one, other in zip(
        ("SHA-256", "bytes", "lines"), found, (told.sha256, told.bytes, told.count), strict=True
    ):
        if one != other:
            raise RecordError(f"{path}: changed since: {what} {one}, recorded {other}")


def _measure(path: Path) -> tuple[str, int, int]:
    """Return hash, size in bytes and number of lines of a file."""
    digest = hashlib.sha256()
    size = count = 0
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
            count += chunk.count(b"\n")
    return digest.hexdigest(), size, count


# --- the sources ----------------------------------------------------------------------------------


def _check_files(head: _Head) -> Iterator[tuple[bool, str]]:
    """Say of every file that was read, whether it is still there and the same."""
    for source in head.population.sources:
        if source.format != "bundle":
            yield _check_file(source)
        elif source.role == "inventory":
            yield _check_bundle(source)
        else:
            yield _check_file(source, f"{source.path}/{INVENTORY}")
    settings = head.settings
    for file in (*settings.waiver_files, *filter(None, [settings.controls_file])):
        yield _check_file(file)


def _check_file(file: _File, path: str = "") -> tuple[bool, str]:
    path = path or file.path
    if not Path(path).is_file():
        return False, f"{path}: not there; verify where the audit was run, with all its files"
    try:
        found, _, _ = _measure(Path(path))
    except OSError as error:
        return False, f"{path}: {error.strerror}"
    if found != file.sha256:
        return False, f"{path}: changed since: SHA-256 {found}, recorded {file.sha256}"
    return True, f"{path}: unchanged"


def _check_bundle(source: _Source) -> tuple[bool, str]:
    from inventory.replaying import replay  # noqa: PLC0415 (only a bundle needs the HTTP client)

    if not Path(source.path).is_dir():
        return _check_file(source)
    try:
        replayed = replay(source.path)
    except InputError as error:
        told = "; ".join(map(str, error.problems[:_MOST_PROBLEMS]))
        return False, f"{source.path}: not as it was recorded: {told}"
    except (ReplayError, OSError) as error:
        return False, f"{source.path}: cannot be replayed: {error}"
    root = (source.evidence or {}).get("root")
    if replayed.manifest.root != root:
        return False, f"{source.path}: another bundle: root {replayed.manifest.root}, not {root}"
    requests = _counted(replayed.manifest.requests, "request")
    return True, f"{source.path}: unchanged; {requests} replayed, the same inventory"


# --- the judgement --------------------------------------------------------------------------------


def _judge_again(folder: Path, record: _Record, *, same: bool) -> Iterator[tuple[bool, str]]:
    settings = record.head.settings
    if settings.left_out:
        yield False, f"not judged again: the run was partial, {settings.left_out}"
    elif not same:
        yield False, "not judged again: its sources are not those that it was made of"
    else:
        with TemporaryDirectory() as scratch:
            options = _options(record.head, f"{scratch}/report")
            try:
                again = _judged(options)
            except (CmekAuditError, OSError) as error:
                yield False, f"not judged again: {' '.join(str(error).split())}"
                return
        again["settings"]["mode"] = settings.mode
        yield from _compare(folder, record, again)


def _judged(options: Options) -> dict[str, Any]:
    """Judge by ``options``, and return the head as it can be read back."""
    audit = Audit(options)
    groups = (group for each in audit.grouping.groups().values() for group in each)
    data = audit.write({(group.card.id, group.key) for group in groups}, dict)
    again: dict[str, Any] = json.loads(canonical(data))
    return again


def _options(head: _Head, folder: str) -> Options:
    settings = head.settings
    files: dict[str, list[str]] = {"inventory": [], "plan": [], "history": []}
    for source in head.population.sources:
        files[source.role].append(source.path)
    if settings.default_example:
        files["inventory"] = []
    values: dict[str, Any] = {
        **files,
        "waivers": [file.path for file in settings.waiver_files],
        "no_waivers": settings.no_waivers,
        "as_of": settings.as_of,
        "max_age": timedelta(seconds=settings.max_age_seconds),
        "fail_on": settings.fail_on,
        "allow_inconclusive": settings.allow_inconclusive,
        "kms": settings.kms,
        "group": settings.grouping,
        "controls": settings.controls_file and settings.controls_file.path,
        "report_dir": folder,
        "formats": ("json",),
    }
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        raise RecordError(f"{HEAD}: no settings of an audit: {_first(error)}") from None


def _compare(folder: Path, record: _Record, again: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    """Compare block by block; with other rules, the words for them may be others, too."""
    head, old = record.head, record.data
    is_same_rules = head.criteria.hash == again["criteria"]["hash"]
    apart = {"run", "report"} if is_same_rules else {"run", "report", "criteria"}
    names = [name for name in dict.fromkeys([*old, *again]) if name not in apart]
    differing = [name for name in names if old.get(name) != again.get(name)]
    if not is_same_rules:
        yield True, f"the rules are others now: hash {again['criteria']['hash']}"
        yield True, f"by them the verdict is: {again['verdict']['word']}, {_counts(again)}"
    if differing:
        yield False, f"judged again, these differ: {', '.join(differing)}"
        yield False, f"recorded: {head.verdict.word}, {_counts(old)}"
        yield False, f"now: {again['verdict']['word']}, {_counts(again)}"
    else:
        yield True, f"judged again: the same {_counted(head.findings.count, 'finding')} and verdict"
    yield from _check_page(folder, old, is_same_rules=is_same_rules)


def _counts(data: dict[str, Any]) -> str:
    return ", ".join(f"{count} {status}" for status, count in data["counts"].items() if count)


def _check_page(
    folder: Path, data: dict[str, Any], *, is_same_rules: bool
) -> Iterator[tuple[bool, str]]:
    """Say whether the page, if there is one, is what the record renders to.

    Where the rules are others now, the suite is, and its pages may well look different.
    """
    page = folder / PAGE
    if not page.is_file():
        return
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / PAGE
        html.write(data, folder / FINDINGS, made)
        if _measure(made) == _measure(page):
            yield True, f"{PAGE}: the page of this record"
            return
    yield not is_same_rules, f"{PAGE}: not the page that this suite makes of the record"
