"""The plan of action: valid, with every open finding in an item, and none where nothing is open."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES
from checks.engine.finding import OPEN, Finding, key_id_subject
from reports.formats.oscal import assessment_results
from reports.formats.oscal.poam import render, render_parts
from reports.formats.registry import RENDERABLE
from reports.record.stored_lines import StoredLines
from tests.hypothesis_profile import examples
from tests.reports.everything import record_of_everything
from tests.reports.oscal_reading import (
    by_finding,
    property_of,
    read_plan,
    read_result,
    without_twins,
)
from tests.reports.recording import RULE_IDS, RUN, a_finding, findings, record
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, WAIVERS, audit
from tests.reports.waiving import a_request

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SEVERAL = st.lists(findings(), max_size=5, unique_by=lambda finding: finding.id)


def _render(folder: Path, given_findings: Iterable[Finding], **over: Any) -> str:  # noqa: ANN401 (as ``record`` takes it)
    made = record(folder, given_findings, **over)
    return render(made.head, made.findings.splitlines(keepends=True))


def _assert_whole(plan: Any, opened: set[str]) -> None:  # noqa: ANN401 (read as JSON)
    """Check that each open finding has an observation and a risk, and each risk is in one item."""
    assert by_finding(plan["observations"]).keys() == opened
    assert by_finding(plan["risks"]).keys() == opened
    items = plan["poam-items"]
    risks = [risk["risk-uuid"] for item in items for risk in item["related-risks"]]
    assert sorted(risks) == sorted(risk["uuid"] for risk in plan["risks"])


# --- valid and whole ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [VIOLATIONS, pytest.param(HOSTILE, marks=pytest.mark.slow)],
    ids=["bad", "hostile"],
)
def test_plans_are_valid(tmp_path: Path, data: list[Any]) -> None:
    """What is open is valid by NIST's schema, and all of it is in an item."""
    report = audit(tmp_path, data, WAIVERS)
    recorded = map(json.loads, report.lines)
    opened = {finding["id"] for finding in recorded if finding["status"] in OPEN}
    _assert_whole(read_plan(render(report.head, report.lines)), opened)


@examples(20)
@given(_SEVERAL)
def test_any_open_findings_are_valid(tmp_path_factory: Any, given_findings: list[Finding]) -> None:  # noqa: ANN401 (pytest has no public type)
    """Whatever open findings hold, the plan is valid, sound, and has each of them."""
    text = _render(tmp_path_factory.mktemp("any"), given_findings)
    opened = {finding.id for finding in given_findings if finding.status in OPEN}
    assert bool(text) is bool(opened)
    if opened:
        _assert_whole(read_plan(text), opened)


def test_a_record_of_everything_is_valid(tmp_path: Path) -> None:
    """A record that fills every block has a plan of all that is open."""
    made = record_of_everything(tmp_path / "live", tmp_path)
    assert read_plan(render(made.head, without_twins(made.findings)))["poam-items"]


# --- what is open, and nothing else ---------------------------------------------------------------


def test_where_nothing_is_open_there_is_no_plan(tmp_path: Path) -> None:
    """An audit in which nothing is open has none: no file, and the registry says why."""
    report = audit(tmp_path, COMPLIANT)
    closed = [a_finding("pass"), a_finding("waived", region="r", waiver="W-1")]
    assert not any(report.head["counts"][status] for status in OPEN)
    assert list(render_parts(report.head, report.lines)) == []
    assert _render(tmp_path, closed) == ""
    row = RENDERABLE["oscal-poam"]
    assert list(row.render_files(report.head, report.lines, report.population)) == []
    assert row.no_file == "nothing is open, and OSCAL has no plan without an item"


def test_every_rule_and_status_that_is_open_has_an_item(tmp_path: Path) -> None:
    """A failure, what could not be judged and a check that broke are items, whatever the rule."""
    given_findings = [
        a_finding(status, rule=rule, region=status, reason="stale")
        for rule in RULE_IDS
        for status in sorted(OPEN)
    ]
    plan = read_plan(_render(tmp_path, given_findings))
    found = [(finding.id, finding.status, "open") for finding in given_findings]
    assert [
        (property_of(risk, "finding"), property_of(risk, "status"), risk["status"])
        for risk in plan["risks"]
    ] == found
    titles = [f"{finding.rule}: It is so." for finding in given_findings]
    assert [item["title"] for item in plan["poam-items"]] == titles


def test_the_plan_has_the_risks_of_the_results(tmp_path: Path) -> None:
    """A risk has the same UUID in both documents of an audit, and so has an observation."""
    report = audit(tmp_path, VIOLATIONS)
    plan = read_plan(render(report.head, report.lines))
    result = read_result(assessment_results.render(report.head, report.lines))
    for name in ("observations", "risks"):
        known = {item["uuid"] for item in result[name]}
        assert {item["uuid"] for item in plan[name]} <= known


def test_a_request_is_in_the_log(tmp_path: Path) -> None:
    """A failure whose waiver is only requested is in the plan, and its log has the request."""
    plan = read_plan(_render(tmp_path, [a_finding()], waivers=[(a_request(), "requested")]))
    (risk,) = plan["risks"]
    assert risk["status"] == "deviation-requested"
    assert risk["risk-log"]["entries"][0]["title"] == "Waiver W-1 requested"


# --- items ----------------------------------------------------------------------------------------


def test_what_one_action_resolves_is_one_item(tmp_path: Path) -> None:
    """Findings of one action are one item, with its words, its worst severity and its age."""
    action = "Register a key"
    young: Any = {"change": "new", "since": "2026-11-20T02:00:00Z", "audits": 1}
    old: Any = {"change": "unchanged", "since": "2026-10-01T02:00:00Z", "audits": 9}
    given_findings = [
        a_finding(action=action, severity="low", **young),
        a_finding(action=action, rule="CMEK-03", severity="critical", **old),
        a_finding("inconclusive", rule="CMEK-05", reason="stale", action="Look"),
        a_finding("pass", rule="CMEK-07"),
    ]
    plan = read_plan(_render(tmp_path, given_findings))
    first, second = plan["poam-items"]
    assert (first["title"], first["remarks"]) == (action, "It concerns 2 open findings.")
    facts = {"severity": "critical", "findings": "2", "since": "2026-10-01T02:00:00Z"}
    facts |= {"purpose": "repair", "action": given_findings[0].action_id}
    assert {name: property_of(first, name) for name in facts} == facts
    assert [len(first[name]) for name in ("related-observations", "related-risks")] == [2, 2]
    assert (second["title"], property_of(second, "since")) == ("Look", None)


def test_an_action_has_its_steps(tmp_path: Path) -> None:
    """An item says step by step what to do; without steps it says what its rule says."""
    report = audit(tmp_path, VIOLATIONS)
    head = report.head
    known = {action["id"]: action for action in head["actions"]}
    for item in read_plan(render(head, report.lines))["poam-items"]:
        action = known[property_of(item, "action") or ""]
        steps = item["description"].split("\n\n")
        assert len(steps) == len(action["steps"])
        assert property_of(item, "who") == action["who"]
    few = read_plan(render(head | {"actions": []}, report.lines))["poam-items"]
    assert {property_of(item, "who") for item in few} == {None}
    assert all(len(item["description"]) > 20 for item in few)


def test_every_severity_has_its_place(tmp_path: Path) -> None:
    """An item has the severity of its findings."""
    graded = [a_finding(severity=severity, region=severity) for severity in SEVERITIES]
    items = read_plan(_render(tmp_path, graded))["poam-items"]
    assert [property_of(item, "severity") for item in items] == list(SEVERITIES)


def test_what_goes_across_organizations_is_an_item(tmp_path: Path) -> None:
    """A finding of no organization is in the plan like any other."""
    across = a_finding(rule="CMEK-06", subject=key_id_subject("", "k"))
    plan = read_plan(_render(tmp_path, [across]))
    assert [property_of(item, "key") for item in plan["local-definitions"]["inventory-items"]] == [
        "k"
    ]


# --- the file -------------------------------------------------------------------------------------


def test_the_same_audit_has_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of who ran the audit when is in the plan, and it is read from files alike."""
    report = audit(tmp_path, VIOLATIONS, WAIVERS)
    text = render(report.head, report.lines)
    assert (
        render(report.head | {"run": RUN}, StoredLines(report.folder / "findings.ndjson")) == text
    )


def test_audits_of_the_same_organizations_are_of_one_system(tmp_path: Path) -> None:
    """The system has the same id every night, whatever was found in it."""
    plans = [read_plan(_render(tmp_path, [a_finding(region=region)])) for region in ("a", "b")]
    assert plans[0]["system-id"] == plans[1]["system-id"]
    assert plans[0]["uuid"] != plans[1]["uuid"]
