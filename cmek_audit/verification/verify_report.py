"""A finished report, verified: what of it is made again from its sources, and is equal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.catalogue import load_rules, rules_hash
from checks.engine.context import utc
from cmek_audit.run.provenance import checkout, version_of
from cmek_audit.run.report_folder import PREVIOUS, WRITTEN
from cmek_audit.verification.consistency import Run
from cmek_audit.verification.export_proofs import prove_exported
from cmek_audit.verification.loaded_report import LoadedReport
from cmek_audit.verification.proof import Proof, unprovable, worst
from cmek_audit.verification.record_proofs import differing_blocks, prove_record, prove_rendered
from cmek_audit.verification.recorded_head import RecordedHead
from cmek_audit.verification.reproduction import Reproduced, options_of, reproduce
from cmek_audit.verification.run_proofs import (
    check_pytest_reports,
    check_run,
    kms_contradiction,
    mode_contradiction,
)
from cmek_audit.verification.source_files import prove_sources
from inventory.errors import CmekAuditError, RecordError
from inventory.text.display import printable
from reports.presentation.banners import banners
from reports.record.layout import RECORD
from reports.record.reader import Record, checked, read_record, relying_on
from reports.record.writer import TOOL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.model.head import Head

_MOST_NAMED = 50
_BROKEN = (ArithmeticError, OSError, RecursionError, ValueError)
"""What judging raises where sources of the right hash, but of no audit, break it."""


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


def verify_report(folder: str, below: Path | None = None) -> Verified:
    """Verify the report in ``folder``: what of it its sources give again.

    Paths are taken as the audit was given them, so it is to be run where the audit was; only those
    inside the folder ``below`` are, if one is given. Nothing in ``folder`` is touched. Raises
    RecordError if the record is none, or not as it was written.
    """
    report, sources = _load(Path(folder), below)
    of_record = list(prove_record(report))
    proofs = [
        *of_record,
        *prove_rendered(report, status := worst(proof.status for proof in of_record)),
        *prove_exported(report, status),
        *check_pytest_reports(report),
        *check_run(report),
        *sources,
        *_name_others(report.location),
    ]
    with relying_on(report.record):
        lines = list(_summary_lines(report))
    return Verified(
        [_printable(proof) for proof in proofs],
        [printable(line) for line in lines],
        bool(report.head.bundles),
    )


def _printable(proof: Proof) -> Proof:
    return proof._replace(name=printable(proof.name), reason=printable(proof.reason, 2_000))


# --- what is read ---------------------------------------------------------------------------------


def _load(folder: Path, below: Path | None) -> tuple[LoadedReport, list[Proof]]:
    """Read the report, and make its audit again; return it with what is proven of its sources."""
    record = _read_record(folder)
    head = checked(record.path, RecordedHead, record.head)
    run = _read_run(record)
    sources = list(prove_sources(head, below))
    reproduced = _reproduce(head, sources, below)
    # That it was live, and asked clouds, is no fact of its sources, from which it was judged again.
    if isinstance(reproduced, Reproduced) and run and not mode_contradiction(head, run):
        reproduced.head["settings"]["mode"] = head.settings.mode
    if isinstance(reproduced, Reproduced) and run and not kms_contradiction(head, run):
        reproduced.head["settings"]["kms"] = head.settings.kms
    report = LoadedReport(
        location=folder,
        record=record,
        head=head,
        run=run,
        other_suite=_other_suite(head, run),
        reproduced=reproduced,
    )
    return report, sources


def _read_record(folder: Path) -> Record:
    """Read the record; no link is followed, as it could lead out of the folder."""
    for name in RECORD:
        if (folder / name).is_symlink():
            raise RecordError(f"{folder / name}: found a link, expected a file of a report")
    return read_record(folder)


def _read_run(record: Record) -> Run | None:
    try:
        return checked(record.path, Run, record.head.get("run"))
    except RecordError:
        return None


def _other_suite(head: RecordedHead, run: Run | None) -> str:
    """Return why this suite may make something else of the same sources.

    Whoever forges a record chooses its hash, version and commit. So they never prove anything: they
    only separate a difference that may have a reason from one that has none.
    """
    here = rules_hash(load_rules())
    if head.criteria.hash != here:
        return f"made by another rule set: hash {head.criteria.hash[:12]}, here {here[:12]}"
    here = version_of(TOOL)
    if head.tool.version != here:
        return f"made by another version of the suite: {head.tool.version}, here {here}"
    if run is None:
        return ""
    here = checkout()[0] if run.commit else ""
    if here and run.commit != here:
        return f"made by another commit of the suite: {run.commit}, here {here}"
    return ""


def _reproduce(
    head: RecordedHead, sources: Iterable[Proof], below: Path | None
) -> Reproduced | str:
    """Return the record made again, or why that is not possible."""
    if head.settings.left_out:
        return f"the run was partial: {head.settings.left_out}"
    if any(source.status != "proven" for source in sources):
        return "not all of its sources are there as they were"
    if below and head.settings.default_example:
        return "it is of the bundled example, which is judged again only where it was judged"
    options = options_of(head)
    try:
        return reproduce(options)
    except CmekAuditError as error:
        return f"it cannot be judged again: {' '.join(str(error).split())}"
    except _BROKEN as error:
        return f"it cannot be judged again: {type(error).__name__}"


# --- what else there is ---------------------------------------------------------------------------


def _name_others(folder: Path) -> Iterator[Proof]:
    """Name what else is in the folder, and is not verified; hidden files mislead nobody."""
    names = sorted(entry.name for entry in folder.iterdir())
    others = [name for name in names if name not in WRITTEN and not name.startswith(".")]
    for name in others[:_MOST_NAMED]:
        what = "the audit before this one" if name == PREVIOUS else "no part of this report"
        yield unprovable(name, f"{what}: not looked at")
    if len(others) > _MOST_NAMED:
        more = len(others) - _MOST_NAMED
        yield unprovable(f"{more:,} more", "no part of this report: not looked at")


def _summary_lines(report: LoadedReport) -> Iterator[str]:
    """Yield what the record states; and what was found instead, where that is not the same."""
    head, reproduced = report.record.head, report.reproduced
    yield f"report: {report.head.report}"
    yield from banners(head)
    yield f"verdict: {_verdict(head)}, as of {utc(report.head.settings.as_of)}"
    if isinstance(reproduced, Reproduced) and differing_blocks(head, reproduced.head):
        yield f"verdict now, by this suite: {_verdict(reproduced.head)}"


def _verdict(head: Head) -> str:
    counts = (f"{count} {status}" for status, count in head["counts"].items() if count)
    return ", ".join([head["verdict"]["outcome"], *counts])
