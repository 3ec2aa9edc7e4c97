"""What is proven of the record and its pages: they are made again, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.verification.verify_report import verify_report
from tests.cmek_audit.verification.verified import (
    DIFFER,
    PAGES,
    RECORD,
    about,
    reason_of,
    render_pages,
    rewrite,
    rewrite_findings,
    stopping,
)
from tests.reports.samples import (
    Report,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Head = dict[str, Any]


# --- the record was made up -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "block"),
    [
        (lambda head: head["verdict"].update(outcome="compliant"), "verdict"),
        (lambda head: head["counts"].update(fail=0), "counts"),
        (lambda head: head["waivers"][0].update(approved_by="Nobody"), "waivers"),
        (lambda head: head["attestations"][0].update(by="Nobody"), "attestations"),
        (lambda head: head["criteria"]["rules"][0].update(severity="low"), "criteria"),
        (lambda head: head.update(more=1), "more"),
        (lambda head: head.pop("key_plan"), "key_plan"),
    ],
    ids=["verdict", "counts", "waiver", "attestation", "rule", "a-block-more", "a-block-less"],
)
def test_a_made_up_head_is_found_out(
    report: Report, change: Callable[[Head], object], block: str
) -> None:
    """A head that was changed and given a fitting report id differs from what is judged again."""
    rewrite(report, change)
    verified = verify_report(str(report.folder))
    assert stopping(verified)["audit.json"] == "differs"
    assert reason_of(verified, "audit.json") == f"{DIFFER} {block}"


def test_made_up_findings_are_found_out(report: Report) -> None:
    """Findings that were changed together with their hash differ from what is judged again."""
    rewrite_findings(report, b'"fail"', b'"pass"')
    verified = verify_report(str(report.folder))
    assert stopping(verified).keys() >= {"audit.json", "findings.ndjson"}
    assert reason_of(verified, "findings.ndjson") == "judged again from its sources: other findings"


@pytest.mark.parametrize(
    ("name", "noun"),
    [("audit.html", "page"), ("summary.md", "summary"), ("audit.sarif", "list of results")],
)
def test_a_changed_report_is_found_out(report: Report, name: str, noun: str) -> None:
    """A page, a summary or a list that is not what the record renders to is none of this report."""
    path = report.folder / name
    path.write_text(path.read_text().replace("Not compliant", "Compliant"))
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {name: "differs"}
    assert reason_of(verified, name) == f"not the {noun} that the record renders to"


def test_a_record_that_cannot_be_rendered_is_no_crash(report: Report) -> None:
    """A head that was made up so that nothing can be made of it has no page of this report."""
    rewrite(report, lambda head: head.pop("actions"))
    verified = verify_report(str(report.folder))
    assert len(about(verified, ": differs (nothing can be rendered from the record)")) == 2


def test_what_a_forged_record_renders_to_is_not_proven(report: Report) -> None:
    """A page that is made again from a record which differs is proven no further than that."""
    rewrite(report, lambda head: head["verdict"].update(outcome="compliant", text="Compliant."))
    render_pages(report)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {"audit.json": "differs", **dict.fromkeys(PAGES, "not-proven")}
    assert about(verified, "audit.html: not proven (rendered again from the record: equal; the ")


def test_true_is_not_one(report: Report) -> None:
    """A value that Python takes for equal, and JSON does not, differs."""
    rewrite(report, lambda head: head["verdict"].update(exit_code=True))
    assert stopping(verify_report(str(report.folder)))["audit.json"] == "differs"


def test_the_order_of_the_blocks_is_compared(report: Report) -> None:
    """A head whose blocks stand in another order is not the one that was written."""
    rewrite(report, lambda head: head.update(verdict=head.pop("verdict")))
    verified = verify_report(str(report.folder))
    assert about(verified, "these differ: the order of its blocks")


# --- another suite --------------------------------------------------------------------------------


def _other_rules(head: Head) -> None:
    head["criteria"]["hash"] = "0" * 64


def test_nothing_of_another_rule_set_is_proven(report: Report) -> None:
    """If the rules are others now, neither the record nor what it renders to is proven."""
    rewrite(report, _other_rules)
    render_pages(report)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == dict.fromkeys((*RECORD, *PAGES), "not-proven")
    reason = reason_of(verified, "audit.json")
    assert reason.startswith("made by another rule set: hash 000000000000, here ")
    assert reason.endswith(f"; {DIFFER} criteria")
    assert reason_of(verified, "findings.ndjson").endswith(
        f"judged again by those here: the same {len(report.lines)} findings"
    )
    assert reason_of(verified, "audit.html").endswith("equal; the record is not proven")


def test_a_forger_gains_nothing_by_another_hash(report: Report) -> None:
    """Titles and severities that were rewritten beside another hash prove nothing.

    What the rules here find is shown beside the recorded verdict.
    """

    def forge(head: Head) -> None:
        _other_rules(head)
        head["criteria"]["rules"][0].update(title="In other words", severity="low")
        head["verdict"].update(outcome="compliant", text="Compliant.")

    rewrite(report, forge)
    for name in PAGES:
        (report.folder / name).write_text("Compliant")
    verified = verify_report(str(report.folder))
    assert stopping(verified) == dict.fromkeys((*RECORD, *PAGES), "not-proven")
    assert reason_of(verified, "audit.json").endswith("these differ: verdict, criteria")
    assert about(verified, "verdict: compliant, ")
    assert about(verified, "verdict now, by this suite: not compliant, ")


def test_other_findings_by_other_rules_are_not_proven(report: Report) -> None:
    """Findings that the rules here do not give may be those of the other rules, or made up."""
    rewrite(report, _other_rules)
    rewrite_findings(report, b'"fail"', b'"pass"')
    verified = verify_report(str(report.folder))
    assert stopping(verified)["findings.ndjson"] == "not-proven"
    assert reason_of(verified, "findings.ndjson").endswith("sources: other findings")


def test_what_another_version_made_is_not_proven(report: Report) -> None:
    """The head names the version that made it; what that does not change is proven all the same."""
    rewrite(report, lambda head: head["tool"].update({"version": "9.9"}))
    render_pages(report)
    verified = verify_report(str(report.folder))
    assert stopping(verified) == dict.fromkeys(("audit.json", *PAGES), "not-proven")
    words = "made by another version of the suite: 9.9, here "
    assert reason_of(verified, "audit.json").startswith(words)


def test_a_difference_may_be_one_of_commits(report: Report) -> None:
    """What another commit says it made is not proven where it differs, and proven where not."""
    words = "made by another commit of the suite: 0000000000"
    rewrite(report, lambda head: head["run"].update({"commit": "0" * 40}))
    render_pages(report)
    assert stopping(verify_report(str(report.folder))) == {}
    (report.folder / "summary.md").write_text("Compliant")
    verified = verify_report(str(report.folder))
    assert stopping(verified) == {"summary.md": "not-proven"}
    assert words in reason_of(verified, "summary.md")
