"""A finished report, verified: it is as it was written, and its sources give it again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, StrictBool, ValidationError

from checks.options import Options
from inventory.bundles import INVENTORY
from inventory.entries import Count, Moment, Whole
from inventory.errors import CmekAuditError, InputError, RecordError, ReplayError
from inventory.evidence import Sha256
from inventory.named_plans import NamedPlan
from inventory.sources import FileFormat, Role
from inventory.wording import counted, safe
from reports.audit import Audit
from reports.banners import banners
from reports.formats import RENDERED, write
from reports.reading_back import (
    Findings,
    Part,
    Record,
    checked,
    first_problem,
    measure,
    read_record,
    relying_on,
)
from reports.record import FINDINGS, HEAD, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.formats import Rendered

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


class _File(Part):
    path: str
    sha256: Sha256


class _Source(_File):
    role: Role
    format: FileFormat
    name: str
    size: Count
    evidence: dict[str, Any] | None


class _Population(Part):
    sources: tuple[_Source, ...]


class _Settings(Part):
    as_of: Moment
    max_age_seconds: Annotated[Whole, Field(ge=0, le=10**10)]
    kms: str
    fail_on: str
    allow_inconclusive: StrictBool
    grouping: str
    mode: Literal["live", "recorded"]
    example: StrictBool
    default_example: StrictBool
    left_out: str
    no_waivers: StrictBool
    waiver_files: tuple[_File, ...]
    controls_file: _File | None
    fail_on_new: StrictBool
    baseline_file: _File | None
    terraform_organizations: tuple[str, ...]
    terraform_source: str | None
    terraform_files: tuple[_File, ...]


class _Verdict(Part):
    word: str


class _Criteria(Part):
    hash: Sha256


class _Head(Part):
    """What verifying needs of a head."""

    report: Sha256
    verdict: _Verdict
    settings: _Settings
    population: _Population
    criteria: _Criteria
    findings: Findings


class _Record(NamedTuple):
    """A record that is as it was written: what verifying needs of its head, and all of it."""

    head: _Head
    whole: Record


def verify_report(folder: str) -> Verified:
    """Verify the report in ``folder``: its record, its sources, and that they give it again.

    Paths are taken as the audit was given them, so it is to be run where the audit was. Nothing in
    ``folder`` is touched. Raises RecordError if the record is none, or not as it was written.
    """
    record = _read(Path(folder))
    head = record.head
    with relying_on(record.whole):
        limits = banners(record.whole.head)
    lines = [
        f"{HEAD}: as it was written, report {head.report}",
        f"{FINDINGS}: as it was written, {counted(head.findings.count, 'finding')}",
        *limits,
    ]
    checked = list(_check_files(head))
    lines += [line for _, line in checked]
    same = all(is_there for is_there, _ in checked)
    for is_fine, line in _judge_again(record, same=same):
        same = same and is_fine
        lines.append(line)
    return Verified(same, safe(head.verdict.word), [safe(line, 2_000) for line in lines])


# --- the record -----------------------------------------------------------------------------------


def _read(folder: Path) -> _Record:
    record = read_record(folder)
    return _Record(checked(record.path, _Head, record.head), record)


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
    given = filter(None, [settings.controls_file, settings.baseline_file])
    for file in (*settings.waiver_files, *settings.terraform_files, *given):
        yield _check_file(file)


def _check_file(file: _File, path: str = "") -> tuple[bool, str]:
    path = path or file.path
    if not Path(path).is_file():
        return False, f"{path}: not there; verify where the audit was run, with all its files"
    try:
        found, _, _ = measure(Path(path))
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
    requests = counted(replayed.manifest.requests, "request")
    return True, f"{source.path}: unchanged; {requests} replayed, the same inventory"


# --- the judgement --------------------------------------------------------------------------------


def _judge_again(record: _Record, *, same: bool) -> Iterator[tuple[bool, str]]:
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
        yield from _compare(record, again)


def _judged(options: Options) -> dict[str, Any]:
    """Judge by ``options``, and return the head as it can be read back."""
    audit = Audit(options)
    groups = (group for each in audit.grouping.groups().values() for group in each)
    data = audit.write({(group.card.id, group.key) for group in groups}, dict)
    again: dict[str, Any] = json.loads(canonical(data))
    return again


def _options(head: _Head, folder: str) -> Options:
    settings = head.settings
    files: dict[str, list[str]] = {role: [] for role in get_args(Role)}
    for source in head.population.sources:
        plan = str(NamedPlan(source.path, source.name))
        files[source.role].append(plan if source.role == "plan" else source.path)
    if settings.default_example:
        files = {role: [] for role in files}
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
        "baseline": settings.baseline_file and settings.baseline_file.path,
        "fail_on_new": settings.fail_on_new,
        "terraform_organization": settings.terraform_organizations,
        "terraform_source": settings.terraform_source,
        "report_dir": folder,
        "formats": ("json",),
    }
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        raise RecordError(f"{HEAD}: no settings of an audit: {first_problem(error)}") from None


def _compare(record: _Record, again: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    """Compare block by block; with other rules, the words for them may be others, too."""
    head, old = record.head, record.whole.head
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
        yield True, f"judged again: the same {counted(head.findings.count, 'finding')} and verdict"
    yield from _check_rendered(record, is_same_rules=is_same_rules)


def _counts(data: dict[str, Any]) -> str:
    return ", ".join(f"{count} {status}" for status, count in data["counts"].items() if count)


def _check_rendered(record: _Record, *, is_same_rules: bool) -> Iterator[tuple[bool, str]]:
    """Say of each report that is there whether it is what the record renders to.

    Where the rules are others now, the suite is, and its reports may well look different.
    """
    for report in RENDERED:
        file = record.whole.path.with_name(report.file)
        if file.is_file():
            is_own = _is_rendered(report, record.whole, file)
            told = f"the {report.noun} of this record"
            if not is_own:
                told = f"not the {report.noun} that this suite makes of the record"
            yield is_own or not is_same_rules, f"{report.file}: {told}"


def _is_rendered(report: Rendered, record: Record, file: Path) -> bool:
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / report.file
        try:
            with relying_on(record):
                write(report, record.head, record.findings, made)
        except RecordError:
            return False
        return measure(made) == measure(file)
