"""Risks: open until somebody resolves them or a waiver that counts covers them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest

from checks.engine.card import SEVERITIES
from checks.engine.finding import NOT_COMPLYING, Finding
from checks.engine.waivers import State
from reports.formats.oscal.observations import observation_uuid
from reports.formats.oscal.risks import Risks, risk_uuid
from reports.formats.oscal.waivers import waiver_uuid
from reports.record.encoding import encode_finding
from tests.reports.oscal_reading import property_of
from tests.reports.recording import RULES, a_finding, record
from tests.reports.waiving import a_request, a_waiver

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Status
    from checks.engine.waivers import Waiver


def _risk(
    folder: Path,
    finding: Finding,
    waivers: list[tuple[Waiver, State]] | None = None,
    *,
    shows_waivers: bool = True,
) -> Any:  # noqa: ANN401 (read as JSON)
    head = record(folder, [finding], waivers=waivers or []).head
    return Risks(head, shows_waivers=shows_waivers).of(json.loads(encode_finding(finding)))


@pytest.mark.parametrize("status", NOT_COMPLYING)
def test_all_that_does_not_comply_is_a_risk(tmp_path: Path, status: Status) -> None:
    """A risk is open, whatever is unknown about it; only a waived failure has an approval."""
    shown = _risk(tmp_path, a_finding(status, waiver="W-1" if status == "waived" else ""))
    assert shown["status"] == ("deviation-approved" if status == "waived" else "open")
    assert property_of(shown, "status") == status
    assert shown["uuid"] == risk_uuid(a_finding().id)


def test_every_severity_is_a_facet(tmp_path: Path) -> None:
    """A risk is characterized by its severity, in the project's own system."""
    risks: Any = Risks(record(tmp_path).head, shows_waivers=True)
    for severity in SEVERITIES:
        shown = risks.of(json.loads(encode_finding(a_finding(severity=severity))))
        facet = {"name": "severity", "system": "urn:cmek-audit:oscal", "value": severity}
        assert shown["characterizations"][0]["facets"] == [facet]


def test_every_rule_says_why_it_matters(tmp_path: Path) -> None:
    """A risk has the rationale of its rule, what to do, and the controls of every framework."""
    risks: Any = Risks(record(tmp_path).head, shows_waivers=True)
    for rule in RULES:
        card = rule.card
        shown = risks.of(json.loads(encode_finding(a_finding(rule=card.id))))
        (remediation,) = shown["remediations"]
        assert remediation["title"] == f"Comply with {card.id}"
        assert _words(shown["statement"]) == _words(card.rationale)
        assert _words(remediation["description"]) == _words(card.remediation)
        controls = [prop["value"] for prop in shown["props"] if prop["name"] == "controls"]
        assert any(control.startswith("ISO/IEC 27001:2022: ") for control in controls)


def _words(text: str) -> list[str]:
    return text.replace("`", "").split()


def test_an_action_is_recommended(tmp_path: Path) -> None:
    """The step that resolves a finding is its remediation, with the id of the action."""
    (remediation,) = _risk(tmp_path, a_finding(action="Register a key"))["remediations"]
    assert (remediation["lifecycle"], remediation["title"]) == ("recommendation", "Register a key")
    assert property_of(remediation, "action") == a_finding(action="Register a key").action_id


def test_the_steps_of_an_action_are_its_description(tmp_path: Path) -> None:
    """Where the record has the steps of an action, they describe the remediation."""
    finding = a_finding(action="Register a key")
    head = record(tmp_path, [finding]).head
    head["actions"] = [{"id": finding.action_id, "steps": ["Create it.", "Register it."]}]
    shown: Any = Risks(head, shows_waivers=False).of(json.loads(encode_finding(finding)))
    assert shown["remediations"][0]["description"] == "Create it.\n\nRegister it."


def test_a_waived_risk_has_its_last_day(tmp_path: Path) -> None:
    """A waived failure has a deadline, what protects instead, and the log of its approval."""
    finding = a_finding("waived", waiver="W-1")
    shown = _risk(tmp_path, finding, [(a_waiver(), "active")])
    assert (shown["status"], shown["deadline"]) == ("deviation-approved", "2027-03-01T23:59:59Z")
    assert shown["mitigating-factors"][0]["description"] == "The application encrypts."
    changes = [entry["status-change"] for entry in shown["risk-log"]["entries"]]
    assert changes == ["deviation-requested", "deviation-approved"]


@pytest.mark.parametrize("state", get_args(State))
def test_a_waiver_that_does_not_count_leaves_a_risk_open(tmp_path: Path, state: State) -> None:
    """A failure with a waiver of any state stays open; a request is a request."""
    waiver = a_request() if state == "requested" else a_waiver()
    shown = _risk(tmp_path, a_finding(), [(waiver, state)])
    assert shown["status"] == ("deviation-requested" if state == "requested" else "open")
    assert shown.keys().isdisjoint({"deadline", "mitigating-factors"})
    assert shown["risk-log"]["entries"]


@pytest.mark.parametrize("status", ["inconclusive", "error"])
def test_no_waiver_covers_what_is_unknown(tmp_path: Path, status: Status) -> None:
    """What could not be judged has no log of a waiver, though one names it."""
    shown = _risk(tmp_path, a_finding(status, reason="stale"), [(a_request(), "requested")])
    assert (shown["status"], "risk-log" in shown) == ("open", False)


def test_another_cause_has_no_waiver(tmp_path: Path) -> None:
    """A waiver is named by the risk of its own cause alone."""
    shown = _risk(tmp_path, a_finding(cause="other"), [(a_request(), "requested")])
    assert (shown["status"], "risk-log" in shown) == ("open", False)


@pytest.mark.parametrize("shows_waivers", [True, False])
def test_a_risk_leads_to_its_observations(tmp_path: Path, *, shows_waivers: bool) -> None:
    """A risk names the observation of its finding, and that of its waiver if there is one."""
    finding = a_finding("waived", waiver="W-1")
    head = record(tmp_path, [finding], waivers=[(a_waiver(), "active")]).head
    risks: Any = Risks(head, shows_waivers=shows_waivers)
    shown = risks.of(json.loads(encode_finding(finding)))
    related = [observation_uuid(head["report"], finding.id)]
    related += [waiver_uuid(head["report"], "W-1")] if shows_waivers else []
    assert [item["observation-uuid"] for item in shown["related-observations"]] == related


def test_a_rule_that_the_record_lacks_is_named(tmp_path: Path) -> None:
    """A finding of a rule that the record does not describe is still a risk, with the rule's id."""
    finding = a_finding()
    head = record(tmp_path, [finding]).head
    head["criteria"]["rules"] = []
    shown: Any = Risks(head, shows_waivers=False).of(json.loads(encode_finding(finding)))
    assert (shown["statement"], shown["remediations"][0]["description"]) == ("CMEK-01", "CMEK-01")
