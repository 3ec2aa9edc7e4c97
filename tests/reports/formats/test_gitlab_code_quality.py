"""The findings as code quality on GitLab: what it reads, and what it would drop."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import Context
from checks.engine.finding import OPEN, STATUSES, Finding, Status
from checks.engine.outcome import Gate
from inventory.model.sources import Source
from inventory.text.deceptive_text import deceptive_positions
from reports.formats.gitlab_code_quality import CodeQualityLimits, render, render_parts
from reports.record.writer import Settings
from tests.builders import AS_OF
from tests.hypothesis_profile import examples
from tests.reports.recording import RULE_IDS, SOURCE, a_finding, findings, record
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, WAIVERS, audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    Json = dict[str, Any]

TEXT, LINE = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}
ISSUE = {
    "type": "object",
    "required": ["description", "check_name", "fingerprint", "severity", "location"],
    "properties": {
        "description": TEXT,
        "check_name": TEXT,
        "fingerprint": TEXT,
        "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
        "location": {
            "type": "object",
            "required": ["path", "lines"],
            "properties": {
                "path": TEXT | {"not": {"pattern": r"^(\.?/|\.\.)"}},
                "lines": {"required": ["begin"], "properties": {"begin": LINE}},
            },
        },
    },
    "additionalProperties": False,
}
"""What GitLab requires of an issue, and what its documentation asks for."""

VALIDATOR = Draft202012Validator({"type": "array", "items": ISSUE})
ROOT = Path("/repo/acme")


def _issues(text: str) -> list[Json]:
    """Return the issues of a report, which must be valid and have fingerprints of their own."""
    issues: list[Json] = json.loads(text)
    assert [error.message for error in VALIDATOR.iter_errors(issues)] == []
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    assert [issue for issue in issues if deceptive_positions(issue["description"])] == []
    return issues


def _text(
    *given: Finding,
    limits: CodeQualityLimits | None = None,
    sources: Sequence[Source] = (SOURCE,),
    **over: Any,  # noqa: ANN401 (settings are of any type)
) -> str:
    shown = Settings(Context(AS_OF), Gate(), "subject", **over)
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given, settings=shown, sources=sources)
    return render(made.head, made.findings.splitlines(keepends=True), limits, ROOT)


def _of(*given: Finding, **over: Any) -> list[Json]:  # noqa: ANN401 (as above)
    return _issues(_text(*given, **over))


# --- valid ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [COMPLIANT, VIOLATIONS, HOSTILE], ids=["good", "bad", "hostile"])
def test_a_report_is_valid(tmp_path: Path, data: list[Json]) -> None:
    """Of an audit, each open finding is one issue that GitLab accepts, and nothing else is."""
    report = audit(tmp_path, data, WAIVERS if data is VIOLATIONS else ())
    issues = _issues(render(report.head, report.lines))
    shown = [json.loads(line) for line in report.lines]
    assert {issue["fingerprint"] for issue in issues} == {
        finding["id"] for finding in shown if finding["status"] in OPEN
    }


@examples(40)
@given(st.lists(findings(), max_size=4))
def test_any_findings_are_valid(given: list[Finding]) -> None:
    """Whatever findings hold, each that is open has an issue of its own."""
    assert len(_of(*given)) == sum(finding.status in OPEN for finding in given)


def test_a_compliant_audit_has_no_issue() -> None:
    """Where nothing is open the list is empty, so that what was fixed is shown as fixed."""
    assert _text(a_finding("pass")) == "[]\n"


def test_an_issue_is_a_line(tmp_path: Path) -> None:
    """The text is ASCII without a mark of byte order, and each issue is one part and one line."""
    report = audit(tmp_path, VIOLATIONS)
    parts = list(render_parts(report.head, report.lines))
    text = render(report.head, report.lines)
    assert "".join(parts) == text
    assert text.isascii()
    assert text.startswith('[\n{"description":')
    assert len(parts) - 1 == len(text.splitlines()) - 2 == len(_issues(text))


# --- complete -------------------------------------------------------------------------------------


PLACES: dict[Severity, str] = {
    "critical": "blocker",
    "high": "critical",
    "medium": "major",
    "low": "minor",
    "advisory": "info",
}


def test_every_status_and_severity_has_its_place() -> None:
    """What is open is an issue of its severity, and what complies or is waived is none."""
    given = {
        (status, severity): _any(status, severity, f"{status}-{severity}")
        for status in STATUSES
        for severity in SEVERITIES
    }
    shown = {issue["fingerprint"]: issue["severity"] for issue in _of(*given.values())}
    assert shown == {
        finding.id: "blocker" if status == "error" else PLACES[severity]
        for (status, severity), finding in given.items()
        if status in OPEN
    }


def _any(status: Status, severity: Severity, region: str) -> Finding:
    reasons = {"inconclusive": "stale", "error": "broken", "not-applicable": "none"}
    waiver = "w" if status == "waived" else ""
    reason = reasons.get(status, "")
    return a_finding(status, severity=severity, region=region, reason=reason, waiver=waiver)


def test_every_rule_has_its_place() -> None:
    """The rule of a finding is the check of its issue."""
    given = [a_finding(rule=rule) for rule in RULE_IDS]
    assert [issue["check_name"] for issue in _of(*given)] == RULE_IDS


@pytest.mark.parametrize(
    ("status", "begin"),
    [("fail", ""), ("inconclusive", "Inconclusive: "), ("error", "Check broke: ")],
)
def test_an_issue_says_what_to_do(status: Status, begin: str) -> None:
    """An issue has the outcome, but of a failure, the subject, the condition and the step."""
    found = a_finding(
        status,
        organization="acme",
        action="Register a key",
        reason="stale",
        evidence=(("plans/a b.tf", 7, "astra_database.orders"),),
    )
    subject = "acme / Serverless on AWS / us-east-1"
    assert _of(found) == [
        {
            "description": f"{begin}{subject}: It is so. To do: Register a key.",
            "check_name": "CMEK-01",
            "fingerprint": found.id,
            "severity": "blocker" if status == "error" else "critical",
            "location": {"path": "plans/a b.tf", "lines": {"begin": 7}},
        }
    ]


def test_two_findings_of_one_id_are_two_issues() -> None:
    """GitLab keeps one issue of a fingerprint, so a second one gets another."""
    found = a_finding()
    prints = [issue["fingerprint"] for issue in _of(found, found, found)]
    assert prints == [found.id, f"{found.id}:2", f"{found.id}:3"]


def test_a_name_is_shown_as_it_is() -> None:
    """What cannot be seen in a name or a path is shown by its code point."""
    (issue,) = _of(a_finding(organization="a\u202eb\n", evidence=(("x\u200b/\ud800.tf", 1),)))
    assert issue["description"].startswith("a(U+202E)b(U+000A) / ")
    assert issue["location"]["path"] == "x(U+200B)/(U+D800).tf"


# --- locations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "path", "line"),
    [
        ((("./a.yaml", 3),), "a.yaml", 3),
        ((("/repo/acme/x/a.yaml", 3),), "x/a.yaml", 3),
        ((("a.yaml", 0),), "a.yaml", 1),
        ((("/etc/a.yaml", 3), ("b.yaml", 4)), "b.yaml", 4),
        ((), "acme.yaml", 1),
    ],
    ids=["dot", "whole-path", "whole-file", "first-inside", "no-evidence"],
)
def test_a_path_is_one_of_the_repository(
    evidence: tuple[tuple[str, int], ...], path: str, line: int
) -> None:
    """An issue is at a line of the repository, and a finding without evidence at its source."""
    (issue,) = _of(a_finding(evidence=evidence))
    assert issue["location"] == {"path": path, "lines": {"begin": line}}
    assert "outside" not in issue["description"]


OUTSIDE, INSIDE = (
    SOURCE.model_copy(update={"path": path}) for path in ("/etc/acme.yaml", "x/acme.yaml")
)


@pytest.mark.parametrize(
    ("sources", "path"),
    [([OUTSIDE, INSIDE], "x/acme.yaml"), ([OUTSIDE], "audit.json"), ([], "audit.json")],
    ids=["source", "no-source-inside", "no-source"],
)
def test_what_is_outside_the_repository_is_named_in_words(sources: list[Source], path: str) -> None:
    """A file that GitLab cannot link is named in the text, and the issue is at the first source."""
    (issue,) = _of(a_finding(evidence=(("../other/a.yaml", 7),)), sources=sources)
    assert issue["location"] == {"path": path, "lines": {"begin": 1}}
    assert issue["description"].endswith(
        ": It is so. Found in /repo/other/a.yaml:7, outside the repository."
    )


# --- the audit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "banner"),
    [
        ({"is_example": True}, "EXAMPLE, NOT AUDIT EVIDENCE"),
        ({"left_out": "all"}, "PARTIAL RUN, NOT AUDIT EVIDENCE"),
    ],
    ids=["example", "partial"],
)
def test_what_is_no_evidence_is_an_issue(over: Json, banner: str) -> None:
    """A run that leaves something out has an issue, as what it did not find is no longer listed."""
    first, second = _of(a_finding(), **over)
    assert first["description"].partition(": ")[0] == banner
    assert (first["check_name"], first["severity"]) == ("cmek-audit", "major")
    assert first["location"] == {"path": "acme.yaml", "lines": {"begin": 1}}
    assert second["check_name"] == "CMEK-01"
    assert _of(**over) == [first]


def test_the_issue_of_a_banner_is_the_same_one_in_every_audit() -> None:
    """Banners that differ in their details only are one issue, and others are different ones."""
    partial, other = (_of(left_out=text)[0]["fingerprint"] for text in ("some", "all"))
    assert partial == other != _of(is_example=True)[0]["fingerprint"]


def test_a_note_on_a_source_is_an_issue() -> None:
    """A limit of a source is an issue of the mildest severity, and each is one of its own."""
    source = SOURCE.model_copy(update={"notes": ("It is large.", "It is old.")})
    assert [(issue["description"], issue["severity"]) for issue in _of(sources=[source])] == [
        ("Note on acme.yaml: It is large.", "info"),
        ("Note on acme.yaml: It is old.", "info"),
    ]


def test_two_runs_of_one_audit_are_the_same(tmp_path: Path) -> None:
    """Nothing depends on who ran an audit and when."""
    report = audit(tmp_path, VIOLATIONS)
    run = report.head["run"]
    other = report.head | {"run": dict.fromkeys(run, "") | {"exit_code": run["exit_code"]}}
    assert render(other, report.lines) == render(report.head, report.lines)


# --- bounds ---------------------------------------------------------------------------------------


def test_findings_beyond_the_limit_are_counted() -> None:
    """Of too many findings the most urgent are kept, broken checks first, and an issue counts."""
    given = [
        _any("fail", "advisory", "a"),
        _any("inconclusive", "high", "b"),
        _any("fail", "critical", "c"),
        _any("error", "low", "d"),
        _any("fail", "medium", "e"),
    ]
    *shown, last = _of(*given, limits=CodeQualityLimits(findings=3))
    assert [issue["fingerprint"] for issue in shown] == [given[at].id for at in (3, 2, 1)]
    more = "2 more open findings are listed in findings.ndjson."
    assert last["description"] == f"{more} None of them is more severe than these."
    assert (last["severity"], last["check_name"]) == ("critical", "cmek-audit")
    assert len(_of(*given, limits=CodeQualityLimits(findings=5))) == 5


@examples(30)
@given(st.lists(findings(), max_size=8), st.integers(1_000, 9_000))
def test_a_report_is_never_larger_than_its_limit(given: list[Finding], most: int) -> None:
    """The text of any findings has at most as many bytes as it may have, and counts the others."""
    text = _text(*given, limits=CodeQualityLimits(bytes=most))
    assert len(text) <= most
    issues, total = _issues(text), sum(finding.status in OPEN for finding in given)
    counted = [issue for issue in issues if issue["check_name"] == "cmek-audit"]
    left_out = int(counted[0]["description"].split()[0]) if counted else 0
    assert len(issues) - len(counted) + left_out == total


def test_the_limits_are_said() -> None:
    """No more than 5,000 findings are shown, in no more than 10 MB."""
    assert CodeQualityLimits() == (5_000, 10_000_000)
