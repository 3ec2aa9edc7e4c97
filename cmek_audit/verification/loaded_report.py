"""A report that is being verified: what was read of it, and what is said of its files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cmek_audit.verification.proof import Proof, unprovable
from reports.formats.registry import EXPORTED, RENDERED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.run.pytest_reports import PytestReport
    from cmek_audit.verification.consistency import Run
    from cmek_audit.verification.recorded_head import RecordedHead
    from cmek_audit.verification.reproduction import Reproduced
    from reports.formats.registry import Format
    from reports.record.reader import Record


class LoadedReport(NamedTuple):
    """A report whose record is as it was written.

    Attributes:
        location: its folder.
        record: its record.
        head: what verifying needs of the head.
        run: what the record says of its run; None if that is nothing an audit writes.
        other_suite: why this suite may make something else of the same sources; empty if it
            may not.
        reproduced: the audit, made again; in words why not, where that is not possible.
    """

    location: Path
    record: Record
    head: RecordedHead
    run: Run | None
    other_suite: str
    reproduced: Reproduced | str


def unequal(name: str, reason: str, report: LoadedReport) -> Proof:
    """Return the proof of what was made again and is not equal.

    Another version of the suite may have a reason for it, so that the difference proves nothing.
    """
    if report.other_suite:
        return Proof(name, "not-proven", f"{report.other_suite}; {reason}")
    return Proof(name, "differs", reason)


def proofs_without_file(
    report: LoadedReport, expected: Format | PytestReport
) -> list[Proof] | None:
    """Return what is to be said of a report that is missing or no file; None if it is there.

    Of one that is a folder, it says only whether it is missing.
    """
    path = report.location / expected.place
    if not os.path.lexists(path):
        return list(_missing(report, expected.name, expected.place))
    if expected.file and (found := irregular(path)):
        return [Proof(expected.file, "differs", f"found {found}, expected a file")]
    return None


def irregular(path: Path) -> str:
    """Name what ``path`` is; empty if it is a regular file."""
    try:
        # A link is not followed: it could lead out of the report, or to what never ends.
        mode = path.lstat().st_mode
    except OSError as error:
        return error.strerror or "nothing"
    if stat.S_ISREG(mode):
        return ""
    return "a link" if stat.S_ISLNK(mode) else "no regular file"


def _missing(report: LoadedReport, name: str, file: str) -> Iterator[Proof]:
    """Name a file that is missing; the record lists in ``run`` which formats were asked for."""
    formats = report.run.formats if report.run else None
    if formats is None:
        yield unprovable(file, "missing; the record does not say whether it was asked for")
    elif name in formats:
        is_provable = any(rendered.name == name for rendered in (*RENDERED, *EXPORTED))
        reason = "missing; the record says that it was asked for"
        yield Proof(file, "not-proven", reason, is_provable)
