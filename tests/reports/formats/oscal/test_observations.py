"""Findings as observations: every status, its evidence, and how long its facts are new."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.card import SEVERITIES
from checks.engine.finding import EVIDENCE_KINDS, STATUSES, Finding
from reports.formats.oscal.back_matter import CitedFiles
from reports.formats.oscal.observations import Observations
from reports.formats.oscal.subjects import Organizations
from reports.record.encoding import encode_finding
from tests.builders import an_organization
from tests.reports.oscal_reading import property_of
from tests.reports.recording import RULE_IDS, a_finding, record

if TYPE_CHECKING:
    from pathlib import Path

    from reports.formats.oscal.json_parts import Json


@pytest.fixture
def head(tmp_path: Path) -> Any:  # noqa: ANN401 (tests change it as they like)
    return record(tmp_path, [], [an_organization()]).head


def _observe(head: Any, finding: Finding) -> Json:  # noqa: ANN401 (as above)
    observations = Observations(head, Organizations(head), CitedFiles(head))
    return observations.of(json.loads(encode_finding(finding)))


@pytest.mark.parametrize(
    ("status", "kind", "begin"),
    [
        ("pass", "control-objective", "It is so."),
        ("not-applicable", "control-objective", "Does not apply: It is so."),
        ("fail", "finding", "It is so."),
        ("waived", "finding", "Fails, and is waived: It is so."),
        ("inconclusive", "finding", "Could not be judged: It is so."),
        ("error", "finding", "The check broke: It is so."),
    ],
)
def test_every_status_has_its_words(head: Any, status: Any, kind: str, begin: str) -> None:  # noqa: ANN401 (as above)
    """What passes or does not apply is no finding; all others are, and say why."""
    shown = _observe(head, a_finding(status, reason="stale" if status == "error" else ""))
    assert (shown["types"], shown["description"]) == ([kind], begin)
    assert property_of(shown, "status") == status
    assert shown["methods"] == ["TEST"]


def test_every_status_is_tried() -> None:
    """The test above has each status there is."""
    (mark,) = test_every_status_has_its_words.pytestmark
    assert {row[0] for row in mark.args[1]} == set(STATUSES)


@pytest.mark.parametrize("kind", EVIDENCE_KINDS)
def test_what_people_state_is_an_interview_too(head: Any, kind: str) -> None:  # noqa: ANN401 (as above)
    """A pass that rests on what somebody stated has the method for that."""
    shown = _observe(head, a_finding("pass", rests_on=kind))
    assert ("INTERVIEW" in shown["methods"]) is (kind in {"attested", "portal"})  # type: ignore[operator]
    assert property_of(shown, "rests-on") == kind


def test_facts_are_properties(head: Any) -> None:  # noqa: ANN401 (as above)
    """Rule, severity, cause, reason, change, age and databases of a finding are properties."""
    finding = a_finding(
        "inconclusive",
        reason="stale",
        change="new",
        since="2026-11-20T02:00:00Z",
        audits=2,
        databases=3,
        existing=1,
    )
    shown = _observe(head, finding)
    assert isinstance(shown["props"], list)
    assert {prop["name"]: prop["value"] for prop in shown["props"]} == {
        "finding": finding.id,
        "rule": "CMEK-01",
        "status": "inconclusive",
        "severity": "high",
        "cause": "without-key",
        "reason": "stale",
        "change": "new",
        "since": "2026-11-20T02:00:00Z",
        "audits": "2",
        "databases": "3",
        "planned-databases": "2",
    }


def test_every_rule_and_severity_has_its_place(head: Any) -> None:  # noqa: ANN401 (as above)
    """Each rule and each severity is a property of its observations."""
    shown = [_observe(head, a_finding(rule=rule)) for rule in RULE_IDS]
    assert [property_of(item, "rule") for item in shown] == RULE_IDS
    graded = [_observe(head, a_finding(severity=severity)) for severity in SEVERITIES]
    assert [property_of(item, "severity") for item in graded] == list(SEVERITIES)


def test_facts_are_new_for_a_while(head: Any) -> None:  # noqa: ANN401 (as above)
    """An observation is as old as the record of its organization, and expires with it."""
    shown = _observe(head, a_finding())
    assert head["settings"]["max_age_seconds"] == 30 * 86_400
    assert (shown["collected"], shown["expires"]) == (
        "2026-11-20T02:00:00Z",
        "2026-12-20T02:00:00Z",
    )
    head["settings"]["max_age_seconds"] = 10**12
    assert "expires" not in _observe(head, a_finding())


def test_facts_without_a_time_have_that_of_the_audit(head: Any) -> None:  # noqa: ANN401 (as above)
    """What has no organization, or none that was recorded, was collected for the audit."""
    shown = _observe(head, a_finding(organization="other"))
    assert (shown["collected"], "expires" in shown) == (head["settings"]["as_of"], False)


def test_evidence_leads_to_files(head: Any) -> None:  # noqa: ANN401 (as above)
    """Each file of the evidence is named once in a row, with its lines and Terraform's address."""
    places = (("a.yaml", 1), ("a.yaml", 9), ("b.tf", 3, "astra_database.x[0]"), ("", 0))
    files = CitedFiles(head)
    shown = _observe(head, a_finding(evidence=places))
    assert shown["relevant-evidence"] == [
        {"href": files.cite("a.yaml"), "description": "Line 1. Line 9"},
        {"href": files.cite("b.tf"), "description": "Line 3 `astra_database.x[0]`"},
    ]
    assert "relevant-evidence" not in _observe(head, a_finding())


def test_much_evidence_is_counted(head: Any) -> None:  # noqa: ANN401 (as above)
    """Of many places the first twenty are named, and the others are counted."""
    places = tuple((f"{number}.yaml", 1) for number in range(22))
    shown = _observe(head, a_finding(evidence=places))
    assert len(shown["relevant-evidence"]) == 20  # type: ignore[arg-type]
    assert shown["remarks"] == "findings.ndjson names 2 more places."
