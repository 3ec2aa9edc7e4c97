"""What nothing can make again is compared with the record, and never proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.verification.verify_report import verify_report
from tests.cmek_audit.verification.verified import about, reason_of, render_pages, rewrite, stopping
from tests.reports.samples import (
    Report,
)

if TYPE_CHECKING:
    Head = dict[str, Any]


# --- what nothing can prove -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"exit_code": 0}, "its exit code is 0, and the verdict is one that stops"),
        ({"ended": "2026-11-20T00:00:00Z"}, "it ended before it started"),
        ({"started": "yesterday"}, "it does not hold what an audit writes"),
        ({"exit_code": -1}, "it does not hold what an audit writes"),
    ],
    ids=["exit-code", "times", "no-time", "no-code"],
)
def test_a_run_that_cannot_be_differs(report: Report, change: Head, words: str) -> None:
    """A block ``run`` that contradicts itself or the verdict is found out."""
    rewrite(report, lambda head: head["run"].update(change))
    render_pages(report)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {"run": "differs"}
    assert words in reason_of(verified, "run")


def test_a_record_without_a_run_differs(report: Report) -> None:
    """A head from which the block ``run`` was taken is not as it was written."""
    rewrite(report, lambda head: head.pop("run"))
    verified = verify_report(str(report.folder))
    assert stopping(verified).items() >= {"run": "differs", "audit.json": "differs"}.items()


def test_who_ran_it_is_never_proven(report: Report) -> None:
    """A block ``run`` that was rewritten cannot be reported from another, and is named for that."""
    rewrite(report, lambda head: head["run"].update(actor="Somebody Else"))
    render_pages(report)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {}
    assert about(verified, "run: not proven (only the record says who ran the audit, when and how")


def _to_live(head: Head) -> None:
    head["settings"]["mode"] = "live"


def test_a_file_that_is_called_live_differs(report: Report) -> None:
    """A record of a plain file says in vain that Astra itself was read."""
    rewrite(report, _to_live)
    render_pages(report)
    verified = verify_report(str(report.folder))
    assert (
        stopping(verified).items() >= {"settings.mode": "differs", "audit.json": "differs"}.items()
    )
    assert reason_of(verified, "settings.mode") == (
        "live: it says that Astra itself was read, and no bundle was recorded while the audit ran"
    )


def test_an_older_bundle_that_is_called_live_differs(live: Report) -> None:
    """A bundle that was recorded before the audit ran makes it no live one."""
    rewrite(live, _to_live)
    assert stopping(verify_report(str(live.folder)))["settings.mode"] == "differs"


def test_a_live_audit_that_is_called_recorded_differs(live: Report) -> None:
    """A bundle that was recorded while the audit ran shows that it was live."""
    evidence = live.head["evidence"][0]
    times = {name: evidence[name] for name in ("started", "ended")}
    rewrite(live, lambda head: head["run"].update(times))
    verified = verify_report(str(live.folder))
    assert stopping(verified)["settings.mode"] == "differs"
    assert reason_of(verified, "settings.mode").startswith(
        "recorded: it says that no server was asked"
    )
