"""What is said of what nothing can make again: pytest's own reports, and the block ``run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.run.pytest_reports import PYTEST_REPORTS
from cmek_audit.verification import consistency
from cmek_audit.verification.loaded_report import proofs_without_file, unequal
from cmek_audit.verification.proof import Proof, unprovable
from inventory.errors import EvidenceError, RecordError
from reports.presentation.banners import OUTSIDE, ended_outside
from reports.record.reader import relying_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cmek_audit.verification.consistency import Run
    from cmek_audit.verification.loaded_report import LoadedReport
    from cmek_audit.verification.recorded_head import RecordedHead

_CONTRADICTS = {"junit": consistency.against_junit, "results": consistency.against_results}


def check_pytest_reports(report: LoadedReport) -> Iterator[Proof]:
    """Compare what pytest wrote with the record: it cannot be made again."""
    for pytest_report in PYTEST_REPORTS:
        absent = proofs_without_file(report, pytest_report)
        path, contradicts = report.location / pytest_report.file, _CONTRADICTS[pytest_report.name]
        yield from [_check_file(report, path, contradicts)] if absent is None else absent


def _check_file(report: LoadedReport, path: Path, contradicts: consistency.Contradicts) -> Proof:
    head = report.record.head
    try:
        with relying_on(report.record):
            is_outside, checks = ended_outside(head), _expected_checks(report)
            found = consistency.contradictions(contradicts, path, head, checks)
    except RecordError:
        return Proof(path.name, "differs", "nothing can be compared with the record")
    except OSError as error:
        return unprovable(path.name, f"it cannot be read: {error.strerror}")
    if found:
        return unequal(path.name, f"it contradicts the record: {found}", report)
    if is_outside:
        return Proof(path.name, "not-proven", f"its checks are not compared: {OUTSIDE}")
    compared = ["verdict", "banners", "counts", *(["checks"] if checks is not None else [])]
    agrees = f"written by pytest; it agrees with the record in: {', '.join(compared)}"
    return unprovable(path.name, agrees)


def _expected_checks(report: LoadedReport) -> consistency.Checks | None:
    """Return the checks of which pytest's reports must consist.

    None if the rules are others, or if the run has errors that are not among the findings.
    """
    reproduced = report.reproduced
    if isinstance(reproduced, str) or ended_outside(report.record.head):
        return None
    if reproduced.head["criteria"]["hash"] != report.head.criteria.hash:
        return None
    return reproduced.checks


def check_run(report: LoadedReport) -> Iterator[Proof]:
    """Name what in the block ``run`` cannot be; and whether the audit can have been live."""
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
    if contradiction := mode_contradiction(report.head, report.run):
        yield Proof("settings.mode", "differs", f"{mode}: {contradiction}")
    elif mode == "live":
        yield unprovable("settings.mode", "live: nothing shows that Astra's own server answered")
    if contradiction := kms_contradiction(report.head, report.run):
        yield Proof("settings.kms", "differs", contradiction)


def mode_contradiction(head: RecordedHead, run: Run) -> str:
    """Return why the audit cannot have been live or recorded, as it says; empty if it can."""
    evidence = [bundle.evidence for bundle in head.bundles if bundle.evidence]
    times = ((bundle.started, bundle.ended) for bundle in evidence if bundle.address)
    return consistency.against_mode(head.settings.mode, times, run)


def kms_contradiction(head: RecordedHead, run: Run) -> str:
    """Return why the audit cannot have asked the clouds that it says; empty if it can.

    Empty, too, if what it recorded is not there: that is reported of the source.
    """
    from inventory.astra.replay import read_configuration  # noqa: PLC0415 (only for bundles)

    asked: set[str] = set()
    for bundle in head.bundles:
        evidence = bundle.evidence
        if evidence and run.started <= evidence.started and evidence.ended <= run.ended:
            try:
                asked.update(read_configuration(bundle.path).clouds.ask)
            except (EvidenceError, OSError, ValueError):  # ValueError: a path that cannot be
                return ""
    return consistency.against_kms(head.settings.kms, head.settings.mode, asked)
