"""A finished report, verified: what of it is made again from its sources, and is equal."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.catalogue import load_rules, rules_hash
from checks.engine.context import utc
from cmek_audit.run.provenance import checkout, version_of
from cmek_audit.run.pytest_reports import PYTEST_REPORTS
from cmek_audit.run.report_folder import PREVIOUS, WRITTEN
from cmek_audit.verification import consistency
from cmek_audit.verification.consistency import Run
from cmek_audit.verification.proof import Proof, unprovable, worst
from cmek_audit.verification.recorded_head import RecordedHead
from cmek_audit.verification.reproduction import Reproduced, options_of, reproduce
from cmek_audit.verification.source_files import prove_sources
from inventory.errors import CmekAuditError, RecordError
from inventory.text.display import pluralize, printable
from reports.formats.registry import RENDERED, encode
from reports.presentation.banners import OUTSIDE, banners, ended_outside
from reports.record.reader import Record, checked, open_regular, read_record, relying_on
from reports.record.writer import FINDINGS, HEAD, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cmek_audit.run.pytest_reports import PytestReport
    from cmek_audit.verification.proof import Status
    from reports.formats.registry import Rendered

_PACKAGE = "cmek-audit"
_MOST_NAMED = 50
_BROKEN = (ArithmeticError, OSError, RecursionError, ValueError)
_CONTRADICTS = {"junit": consistency.against_junit, "results": consistency.against_results}


class Verified(NamedTuple):
    """What verifying a report found.

    Attributes:
        proofs: what is proven of each of its files and sources, and of what has no file.
        lines: what else a reader has to know, in words.
        rests_on_bundles: whether one of its sources is an evidence bundle.
    """

    proofs: list[Proof]
    lines: list[str]
    rests_on_bundles: bool = False


class _Report(NamedTuple):
    """A report whose record is as it was written.

    Attributes:
        location: its folder.
        record: its record.
        head: what verifying needs of the head.
        run: what the record says of its run; None if that is nothing an audit writes.
        other_suite: why this suite may make something else of the same sources; empty if it
            may not.
        again: the record, made again; in words why not, where that is not possible.
    """

    location: Path
    record: Record
    head: RecordedHead
    run: Run | None
    other_suite: str
    again: Reproduced | str


def verify_report(folder: str) -> Verified:
    """Verify the report in ``folder``: what of it its sources give again.

    Paths are taken as the audit was given them, so it is to be run where the audit was. Nothing in
    ``folder`` is touched. Raises RecordError if the record is none, or not as it was written.
    """
    record = _read(Path(folder))
    head = checked(record.path, RecordedHead, record.head)
    run = _run_of(record)
    sources = list(prove_sources(head))
    again = _judge_again(head, sources)
    if isinstance(again, Reproduced) and run and not _against_mode(head, run):
        # That it was live is no fact of its sources, from which it was judged again.
        again.head["settings"]["mode"] = head.settings.mode
    report = _Report(Path(folder), record, head, run, _other_suite(head, run), again)
    of_record = list(_prove_record(report))
    status = worst(each.status for each in of_record)
    proofs = [
        *of_record,
        *_prove_rendered(report, status),
        *_weigh_files(report),
        *_weigh_run(report),
        *sources,
        *_name_others(report.location),
    ]
    with relying_on(record):
        lines = list(_lines(report))
    return Verified(
        [_shown(proof) for proof in proofs], [printable(line) for line in lines], bool(head.bundles)
    )


def _shown(proof: Proof) -> Proof:
    return proof._replace(name=printable(proof.name), reason=printable(proof.reason, 2_000))


# --- what is read ---------------------------------------------------------------------------------


def _read(folder: Path) -> Record:
    """Read the record; no link is followed, as it could lead out of the folder."""
    for name in (HEAD, FINDINGS):
        if (folder / name).is_symlink():
            raise RecordError(f"{folder / name}: found a link, expected a file of a report")
    return read_record(folder)


def _odd(path: Path) -> str:
    """Say what ``path`` is; empty if it is a regular file."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return error.strerror or "nothing"
    if stat.S_ISREG(mode):
        return ""
    return "a link" if stat.S_ISLNK(mode) else "no regular file"


def _run_of(record: Record) -> Run | None:
    try:
        return checked(record.path, Run, record.head.get("run"))
    except RecordError:
        return None


def _other_suite(head: RecordedHead, run: Run | None) -> str:
    """Say why this suite may make something else of the same sources.

    Whoever forges a record chooses its hash, version and commit: so they never prove anything, and
    only tell a difference that may have a reason from one that has none.
    """
    own = rules_hash(load_rules())
    if head.criteria.hash != own:
        return f"made by another rule set: hash {head.criteria.hash[:12]}, here {own[:12]}"
    if run is None:
        return ""
    here = version_of(_PACKAGE)
    if run.packages.get(_PACKAGE, here) != here:
        return f"made by another version of the suite: {run.packages[_PACKAGE]}, here {here}"
    here = checkout()[0] if run.commit else ""
    if here and run.commit != here:
        return f"made by another commit of the suite: {run.commit}, here {here}"
    return ""


def _judge_again(head: RecordedHead, sources: Iterable[Proof]) -> Reproduced | str:
    """Return the record made again, or why that is not possible."""
    if head.settings.left_out:
        return f"the run was partial: {head.settings.left_out}"
    if any(source.status != "proven" for source in sources):
        return "not all of its sources are there as they were"
    options = options_of(head)
    try:
        return reproduce(options)
    except CmekAuditError as error:
        return f"it cannot be judged again: {' '.join(str(error).split())}"
    except _BROKEN as error:
        return f"it cannot be judged again: {type(error).__name__}"


# --- the record -----------------------------------------------------------------------------------


def _prove_record(report: _Report) -> Iterator[Proof]:
    again = report.again
    if isinstance(again, str):
        yield Proof(HEAD, "not-proven", again)
        yield Proof(FINDINGS, "not-proven", again)
        return
    yield _prove_head(report, again)
    yield _prove_findings(report, again)


def _prove_head(report: _Report, again: Reproduced) -> Proof:
    differing = _differing(report.record.head, again.head)
    if not differing:
        return Proof(HEAD, "proven", "judged again from its sources: equal")
    told = f"judged again from its sources, these differ: {', '.join(differing)}"
    return _unequal(HEAD, told, report)


def _differing(old: Mapping[str, Any], again: Mapping[str, Any]) -> list[str]:
    """Name the blocks that differ, by their bytes: Python takes ``true``, 1 and 1.0 for equal."""
    names = [name for name in {**old, **again} if name not in {"run", "report"}]
    differing = [name for name in names if _bytes_of(old, name) != _bytes_of(again, name)]
    if not differing and [*old] != [*again]:
        return ["the order of its blocks"]
    return differing[:_MOST_NAMED]


def _bytes_of(head: Mapping[str, Any], name: str) -> str:
    return canonical(head[name]) if name in head else ""


def _prove_findings(report: _Report, again: Reproduced) -> Proof:
    told = pluralize(report.head.findings.count, "finding")
    if report.head.findings.sha256 != again.head["findings"]["sha256"]:
        return _unequal(FINDINGS, "judged again from its sources: other findings", report)
    if report.head.criteria.hash != again.head["criteria"]["hash"]:
        reason = f"{report.other_suite}; judged again by those here: the same {told}"
        return Proof(FINDINGS, "not-proven", reason)
    return Proof(FINDINGS, "proven", f"judged again from its sources: the same {told}")


def _unequal(name: str, told: str, report: _Report) -> Proof:
    """Return the proof of what was made again and is not equal."""
    if report.other_suite:
        return Proof(name, "not-proven", f"{report.other_suite}; {told}")
    return Proof(name, "differs", told)


# --- what is rendered from the record -------------------------------------------------------------


def _prove_rendered(report: _Report, of_record: Status) -> Iterator[Proof]:
    """Render the record again; what is equal is proven no further than the record is."""
    for each in RENDERED:
        absent = _not_a_file(report, each)
        yield from [_prove_page(report, each, of_record)] if absent is None else absent


def _prove_page(report: _Report, rendered: Rendered, of_record: Status) -> Proof:
    name = rendered.file
    try:
        is_equal = _is_rendered(report.record, rendered, report.location / name)
    except RecordError:
        return Proof(name, "differs", "nothing can be rendered from the record")
    except OSError as error:
        return Proof(name, "not-proven", f"it cannot be read: {error.strerror}")
    if not is_equal:
        return _unequal(name, f"not the {rendered.noun} that the record renders to", report)
    if of_record != "proven":
        told = "is not proven" if of_record == "not-proven" else "differs"
        return Proof(
            name, "not-proven", f"rendered again from the record: equal; the record {told}"
        )
    return Proof(name, "proven", "rendered again from the record: equal")


def _is_rendered(record: Record, rendered: Rendered, file: Path) -> bool:
    with relying_on(record):
        raw = encode(rendered.render(record.head, record.lines()))
    with open_regular(file) as opened:
        return opened.read(len(raw) + 1) == raw


def _not_a_file(report: _Report, each: Rendered | PytestReport) -> list[Proof] | None:
    """Return what is to be said of a report that is missing or no file; None if it is one."""
    path = report.location / each.file
    if not os.path.lexists(path):
        return list(_missing(report, each.format, each.file))
    if found := _odd(path):
        return [Proof(each.file, "differs", f"found {found}, expected a file")]
    return None


def _missing(report: _Report, wanted: str, file: str) -> Iterator[Proof]:
    """Name a file that is not there; the record says in ``run`` which reports were asked for."""
    formats = report.run.formats if report.run else None
    if formats is None:
        yield unprovable(file, "not there; the record does not say whether it was asked for")
    elif wanted in formats:
        is_provable = any(each.format == wanted for each in RENDERED)
        reason = "not there; the record says that it was asked for"
        yield Proof(file, "not-proven", reason, is_provable)


# --- what nothing can prove -----------------------------------------------------------------------


def _weigh_files(report: _Report) -> Iterator[Proof]:
    """Hold what pytest wrote against the record: it cannot be made again."""
    for pytest_report in PYTEST_REPORTS:
        absent = _not_a_file(report, pytest_report)
        path, contradicts = report.location / pytest_report.file, _CONTRADICTS[pytest_report.format]
        yield from [_weigh(report, path, contradicts)] if absent is None else absent


def _weigh(report: _Report, path: Path, contradicts: consistency.Contradicts) -> Proof:
    head = report.record.head
    try:
        with relying_on(report.record):
            is_outside, checks = ended_outside(head), _checks_of(report)
            found = consistency.contradictions(contradicts, path, head, checks)
    except RecordError:
        return Proof(path.name, "differs", "nothing can be compared with the record")
    except OSError as error:
        return unprovable(path.name, f"it cannot be read: {error.strerror}")
    if found:
        return _unequal(path.name, f"it contradicts the record: {found}", report)
    if is_outside:
        return Proof(path.name, "not-proven", f"its checks are not compared: {OUTSIDE}")
    compared = ["verdict", "banners", "counts", *(["checks"] if checks is not None else [])]
    agrees = f"written by pytest; it agrees with the record in: {', '.join(compared)}"
    return unprovable(path.name, agrees)


def _checks_of(report: _Report) -> consistency.Checks | None:
    """Return the checks of which pytest's reports must consist.

    None if the rules are others, or if the run has errors of which the findings know nothing.
    """
    again = report.again
    if isinstance(again, str) or ended_outside(report.record.head):
        return None
    if again.head["criteria"]["hash"] != report.head.criteria.hash:
        return None
    return again.checks


def _weigh_run(report: _Report) -> Iterator[Proof]:
    if report.run is None:
        yield Proof("run", "differs", "it does not hold what an audit writes")
        return
    with relying_on(report.record):
        found = "; ".join(consistency.against_run(report.run, report.record.head["verdict"]))
    if found:
        yield Proof("run", "differs", f"it cannot be: {found}")
    else:
        yield unprovable("run", "only the record says who ran the audit, when and how")
    mode = report.head.settings.mode
    if against := _against_mode(report.head, report.run):
        yield Proof("settings.mode", "differs", f"{mode}: {against}")
    elif mode == "live":
        yield unprovable("settings.mode", "live: nothing shows that Astra's own server answered")


def _against_mode(head: RecordedHead, run: Run) -> str:
    told = [bundle.evidence for bundle in head.bundles if bundle.evidence]
    times = ((each.started, each.ended) for each in told)
    return consistency.against_mode(head.settings.mode, times, run)


# --- what else there is ---------------------------------------------------------------------------


def _name_others(place: Path) -> Iterator[Proof]:
    """Name what lies beside the report, and is not looked at; what is hidden misleads nobody."""
    found = sorted(each.name for each in place.iterdir())
    others = [name for name in found if name not in WRITTEN and not name.startswith(".")]
    for name in others[:_MOST_NAMED]:
        told = "no part of this report: not looked at"
        told = "the audit before this one: not looked at" if name == PREVIOUS else told
        yield unprovable(name, told)
    if len(others) > _MOST_NAMED:
        more = len(others) - _MOST_NAMED
        yield unprovable(f"{more:,} more", "no part of this report: not looked at")


def _lines(report: _Report) -> Iterator[str]:
    """Say what the record says; and what was found instead, where that is not the same."""
    head, again = report.record.head, report.again
    yield f"report: {report.head.report}"
    yield from banners(head)
    yield f"verdict: {_verdict(head)}, as of {utc(report.head.settings.as_of)}"
    if isinstance(again, Reproduced) and _differing(head, again.head):
        yield f"verdict now, by this suite: {_verdict(again.head)}"


def _verdict(head: Mapping[str, Any]) -> str:
    counts = (f"{count} {status}" for status, count in head["counts"].items() if count)
    return ", ".join([head["verdict"]["outcome"], *counts])
