"""OSCAL's findings: a control is satisfied only if all evidence complies, some of it directly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from checks.engine.context import Context
from checks.engine.finding import STATUSES, Finding, key_id_subject
from checks.engine.identity import cause_of
from checks.engine.outcome import Gate
from reports.formats.oscal.controls import read_targets
from reports.formats.oscal.findings import ControlFindings
from reports.formats.oscal.observations import observation_uuid
from reports.formats.oscal.risks import risk_uuid
from reports.formats.oscal.subjects import Organizations
from reports.record.encoding import encode_finding
from reports.record.writer import Settings
from tests.builders import AS_OF, ORGANIZATION
from tests.reports.oscal_reading import property_of
from tests.reports.recording import a_finding, record

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.finding import Status


def _findings(folder: Path, *given: Finding, **over: Any) -> dict[str, Any]:  # noqa: ANN401 (settings of any type)
    """Return the finding of each control in each organization, by both."""
    made = record(folder, given, settings=Settings(Context(AS_OF), Gate(), "subject", **over))
    head: Any = made.head
    known = {"id": ORGANIZATION, "name": ORGANIZATION, "captured_at": None}
    head["population"]["organizations"] = [known]
    gathered = ControlFindings(head, read_targets(head), Organizations(head))
    for finding in given:
        uuid = observation_uuid(made.head["report"], finding.id)
        gathered.add(json.loads(encode_finding(finding)), uuid)
    read = [json.loads("".join(parts)) for parts in gathered.parts()]
    return {f"{item['target']['target-id']} {_owner(item)}".strip(): item for item in read}


def _owner(item: Any) -> str:  # noqa: ANN401 (read as JSON)
    organization = property_of(item, "organization") or ""
    return "" if organization == ORGANIZATION else organization or "across"


def _states(folder: Path, *given: Finding, **over: Any) -> dict[str, tuple[str, str]]:  # noqa: ANN401 (as above)
    found = _findings(folder, *given, **over)
    statuses = {name: item["target"]["status"] for name, item in found.items()}
    return {name: (status["state"], status["reason"]) for name, status in statuses.items()}


FAIL, OTHER, PASS = ("not-satisfied", "fail"), ("not-satisfied", "other"), ("satisfied", "pass")


@pytest.mark.parametrize(
    ("status", "conclusion"),
    [
        ("pass", PASS),
        ("fail", FAIL),
        ("waived", FAIL),
        ("inconclusive", OTHER),
        ("error", OTHER),
        ("not-applicable", OTHER),
    ],
)
def test_only_a_pass_satisfies(tmp_path: Path, status: Any, conclusion: tuple[str, str]) -> None:  # noqa: ANN401 (one of the statuses)
    """Of all statuses only a pass satisfies the control to which it is direct evidence."""
    found = a_finding(status, reason="stale" if status == "not-applicable" else "")
    assert _states(tmp_path, found)["sc-12_smt"] == conclusion


def test_every_status_is_tried() -> None:
    """The test above has each status there is."""
    (mark,) = test_only_a_pass_satisfies.pytestmark
    assert {row[0] for row in mark.args[1]} == set(STATUSES)


@pytest.mark.parametrize("status", ["fail", "waived", "inconclusive", "error"])
def test_one_finding_that_does_not_comply_is_enough(tmp_path: Path, status: Status) -> None:
    """However many pass, one that does not leaves a control not satisfied, supporting or not."""
    passing = [a_finding("pass", region=f"r{number}") for number in range(3)]
    supporting = a_finding(status, rule="CMEK-06")
    states = _states(tmp_path, *passing, supporting)
    assert states["sc-12_smt"][0] == "not-satisfied"
    assert _states(tmp_path, *passing)["sc-12_smt"] == PASS


def test_support_alone_satisfies_nothing(tmp_path: Path) -> None:
    """Passes that only support other evidence make no finding; a failure does."""
    passing, failing = a_finding("pass", rule="CMEK-06"), a_finding(rule="CMEK-06", region="r")
    assert _states(tmp_path, passing) == {}
    assert _states(tmp_path, passing, failing) == {"sc-12_smt": FAIL}


def test_context_is_no_evidence(tmp_path: Path) -> None:
    """A rule that gives context to a control says nothing about it."""
    assert _states(tmp_path, a_finding(rule="CMEK-08"), a_finding("pass", rule="CMEK-16")) == {}


def test_each_organization_has_findings_of_its_own(tmp_path: Path) -> None:
    """What fails in one organization, or across all, does not decide about another."""
    across = a_finding(rule="CMEK-06", subject=key_id_subject("", "k"))
    good, bad = a_finding("pass"), a_finding(organization="acme")
    states = _states(tmp_path, good, bad, across)
    assert states == {
        "sc-12_smt": PASS,
        "sc-12_smt acme": FAIL,
        "sc-28.1_smt acme": FAIL,
        "cm-8_smt acme": FAIL,
        "sc-12_smt across": FAIL,
    }
    found = _findings(tmp_path, across)["sc-12_smt across"]
    assert found["title"].endswith(", across organizations")


@pytest.mark.parametrize(
    ("status", "conclusion"), [("fail", FAIL), ("waived", FAIL), ("pass", PASS)]
)
def test_an_organization_that_shares_a_key_is_not_satisfied(
    tmp_path: Path, status: Status, conclusion: tuple[str, str]
) -> None:
    """What fails across organizations counts in each organization that its cause names."""
    cause = "" if status == "pass" else cause_of("shared-by", ORGANIZATION)
    across = a_finding(status, rule="CMEK-06", subject=key_id_subject("", "k"), cause=cause)
    stranger = a_finding(
        rule="CMEK-06", subject=key_id_subject("", "l"), cause=cause_of("shared-by", "nobody")
    )
    states = _states(tmp_path, a_finding("pass"), across, stranger)
    assert states["sc-12_smt"] == conclusion
    assert {name.partition(" ")[2] for name in states} == {"", "across"}


def test_facts_that_were_left_out_satisfy_nothing(tmp_path: Path) -> None:
    """A control is not satisfied if facts of the clouds were left out by a setting."""
    left_out = a_finding("not-applicable", rule="CMEK-12", reason="clouds-left-out")
    assert _states(tmp_path, a_finding("pass"), left_out)["sc-12_smt"] == OTHER


@pytest.mark.parametrize(
    ("over", "remark"),
    [
        (
            {"is_example": True},
            "EXAMPLE, NOT AUDIT EVIDENCE: what was audited is marked as an example.",
        ),
        ({"left_out": "all"}, "PARTIAL RUN, NOT AUDIT EVIDENCE: all."),
    ],
    ids=["example", "partial"],
)
def test_what_is_no_evidence_satisfies_nothing(tmp_path: Path, over: Any, remark: str) -> None:  # noqa: ANN401 (settings of any type)
    """An example or a partial run satisfies no control, and says why; it fails as others do."""
    (status,) = [
        item["target"]["status"] for item in _findings(tmp_path, a_finding("pass"), **over).values()
    ]
    assert status == {"state": "not-satisfied", "reason": "other", "remarks": remark}
    assert _states(tmp_path, a_finding(), **over)["sc-12_smt"] == FAIL


def test_a_finding_leads_to_its_evidence(tmp_path: Path) -> None:
    """A finding names the observations and risks behind it, its numbers, and what is not shown."""
    given = [a_finding("pass"), a_finding(region="r"), a_finding("pass", rule="CMEK-08")]
    found = _findings(tmp_path, *given)["sc-12_smt"]
    made = record(tmp_path, given).head
    assert found["related-observations"] == [
        {"observation-uuid": observation_uuid(made["report"], finding.id)} for finding in given[:2]
    ]
    assert found["related-risks"] == [{"risk-uuid": risk_uuid(given[1].id)}]
    assert found["description"] == "Findings that give evidence: 1 fail, 1 pass."
    assert (property_of(found, "fail"), property_of(found, "pass")) == ("1", "1")
    assert found["target"]["title"] == "SC-12: Cryptographic keys are established and managed"
    assert found["remarks"].startswith("The audit covers registration")


def test_without_nist_a_finding_is_about_its_rule(tmp_path: Path) -> None:
    """Where no control of NIST is shown, each rule has a finding for each organization."""
    states = _states(
        tmp_path, a_finding(), a_finding("pass", rule="CMEK-08"), frameworks=("SOC 2",)
    )
    assert states == {"cmek-01_obj": FAIL, "cmek-08_obj": PASS}
