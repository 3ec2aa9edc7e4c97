"""The files of a report: what is missing, what is no file, and what is not looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.verification.verify_report import verify_report
from inventory.errors import RecordError
from reports.formats.registry import BY_PYTEST, EXPORTED, RENDERED
from tests.cmek_audit.verification.verified import (
    PAGES,
    RECORD,
    about,
    reason_of,
    refuse_opening,
    rewrite,
    stopping,
)
from tests.reports.samples import (
    Report,
    save,
)

if TYPE_CHECKING:
    Head = dict[str, Any]


# --- what lies in the folder ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["audit.html", "summary.md", "audit.sarif"])
def test_a_missing_page_is_not_proven(report: Report, name: str) -> None:
    """A page that the record says was asked for, and that is not there, stops."""
    (report.folder / name).unlink()
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {name: "not-proven"}
    assert reason_of(verified, name) == "missing; the record says that it was asked for"


def test_a_record_may_not_say_what_was_written(report: Report) -> None:
    """Where the record does not say which reports were asked for, each missing one is named."""
    rewrite(report, lambda head: head["run"].pop("formats"))
    for name in PAGES:
        (report.folder / name).unlink()
    verified = verify_report(str(report.folder))
    shown = "not proven (missing; the record does not say whether it was asked for)"
    assert stopping(verified) == {}
    rows = (*RENDERED, *EXPORTED, *BY_PYTEST.values())
    assert about(verified, "missing") == [f"{row.place}: {shown}" for row in rows]


def test_what_is_not_looked_at_is_named(report: Report) -> None:
    """Another page in the folder, and the audit before, are named; what is hidden is passed by."""
    (report.folder / "compliant.html").write_text("Compliant")
    (report.folder / "previous").mkdir()
    (report.folder / ".lock").write_text("")
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {}
    assert [*map(str, verified.proofs)][-2:] == [
        "compliant.html: not proven (no part of this report: not looked at)",
        "previous: not proven (the audit before this one: not looked at)",
    ]


def test_many_other_files_are_counted(report: Report) -> None:
    """Of many other files the first fifty are named."""
    for number in range(60):
        (report.folder / f"other-{number:02}.html").write_text("")
    verified = verify_report(str(report.folder))
    assert len(about(verified, "no part of this report")) == 51
    assert verified.proofs[-1].name == "10 more"


@pytest.mark.parametrize("name", ["audit.html", "junit.xml"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_only_files_are_read(report: Report, tmp_path: Path, name: str, kind: str) -> None:
    """What is a link, a pipe or a folder in the place of a file is not opened, and differs."""
    path = report.folder / name
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(save(tmp_path / "secret.json"))
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    verified = verify_report(str(report.folder))
    found = "a link" if kind == "link" else "no regular file"
    assert stopping(verified) == {name: "differs"}
    assert reason_of(verified, name) == f"found {found}, expected a file"


@pytest.mark.parametrize("name", RECORD)
def test_a_record_that_is_a_link_is_refused(report: Report, tmp_path: Path, name: str) -> None:
    """A record that leads out of its folder is refused, whatever stands there."""
    path = report.folder / name
    path.symlink_to(path.rename(tmp_path / name))
    with pytest.raises(RecordError, match="found a link, expected a file of a report"):
        verify_report(str(report.folder))


def test_a_page_that_cannot_be_read_is_not_proven(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that the machine refuses to show is named with the reason."""
    refuse_opening(monkeypatch, "summary.md")
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {"summary.md": "not-proven"}
    assert reason_of(verified, "summary.md") == "it cannot be read: Permission denied"
