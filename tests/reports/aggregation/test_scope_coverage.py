"""The coverage of one key scope: its cell never looks better than the worst finding about it."""

from __future__ import annotations

from typing import Any

import pytest

from checks.engine.card import Severity
from checks.engine.finding import (
    OPEN,
    Status,
    key_subject,
)
from reports.aggregation.coverage_states import PROOFS
from tests.builders import (
    a_database,
    an_organization,
    key_id_for,
    kms_facts,
)
from tests.reports.coverage_findings import (
    PROVEN,
    SCOPE,
    about_planned_key,
    attested_key,
    audited,
    cells,
    proof,
)
from tests.reports.recording import a_finding


@pytest.mark.parametrize(
    ("rule", "status", "reason", "state"),
    [
        ("CMEK-01", "pass", "", "unproven"),
        ("CMEK-01", "fail", "", "missing"),
        ("CMEK-01", "waived", "", "missing"),
        ("CMEK-01", "inconclusive", "unknown-type", "undetermined"),
        ("CMEK-01", "inconclusive", "ordered-by-plan", "missing"),
        ("CMEK-01", "not-applicable", "astra-provided", "astra-provided"),
        ("CMEK-01", "not-applicable", "unsupported-combination", "unsupported"),
        ("CMEK-09", "fail", "", "unused"),
        ("CMEK-09", "waived", "", "unused"),
        ("CMEK-09", "inconclusive", "not-recorded", "spare"),
        ("CMEK-09", "pass", "", "spare"),
        ("CMEK-13", "fail", "", "in-question"),
    ],
)
def test_a_finding_gives_the_state_of_a_cell(
    rule: str, status: Status, reason: str, state: str
) -> None:
    """What is known of the key of a scope follows from the finding that the cell leads to."""
    severity: Severity = "advisory" if rule == "CMEK-09" else "high"
    finding = a_finding(status, rule, severity, reason=reason, databases=3, existing=1)
    counted = rule in {"CMEK-01", "CMEK-09"}
    cell: dict[str, Any] = {
        "type": "serverless",
        "provider": "aws",
        "region": "us-east-1",
        "state": state,
        "finding": finding.id,
        "rule": rule,
        "status": status,
        "severity": severity,
        "message": "It is so.",
        "databases": 3 if counted else 0,
        "existing": 1 if counted else 0,
        "unprotected": 0,
        "protected": 0,
        "keys": int(rule == "CMEK-09"),
        "planned_keys": [],
        "advisories": int(severity == "advisory" and status in OPEN),
    }
    lacking = "CMEK-02 and CMEK-05 and CMEK-07 and CMEK-12"
    if state == "unproven":
        cell["message"] = f"Nothing was judged here by {lacking}."
    assert cells(finding) == [cell]


def test_a_need_speaks_before_a_key() -> None:
    """A cell with databases shows whether they have their key, and counts different keys."""
    used = [proof("CMEK-09"), proof("CMEK-09")]
    used += [a_finding("pass", "CMEK-09", subject=key_subject(SCOPE, key_id_for("aws", "r")))]
    needed = a_finding("pass", "CMEK-01", databases=2)
    for order in ([*used, needed], [needed, *used]):
        [cell] = cells(*order)
        assert (cell["state"], cell["databases"], cell["keys"]) == ("unproven", 2, 2)


def test_databases_that_exist_and_that_are_planned_are_counted_together() -> None:
    """A scope without a key has a finding for each of both, and the cell counts all of them."""
    given = [
        a_finding("fail", databases=2, existing=2),
        a_finding("fail", databases=3, existing=0, cause="planned-without-key"),
    ]
    [cell] = cells(*given)
    assert (cell["state"], cell["databases"], cell["existing"]) == ("missing", 5, 2)


def test_a_key_in_order_is_covered() -> None:
    """A cell is green if its key is there, its own, first, the right one and usable."""
    [cell] = cells(*PROVEN)
    assert (cell["state"], cell["status"], cell["finding"]) == ("covered", "pass", PROVEN[0].id)


@pytest.mark.parametrize("rule", PROOFS[1:])
def test_every_proof_is_needed(rule: str) -> None:
    """Where one of the rules that prove a key judged nothing, the cell is not green."""
    [cell] = cells(*(finding for finding in PROVEN if finding.rule != rule))
    message = f"Nothing was judged here by {rule}."
    assert (cell["state"], cell["message"]) == ("unproven", message)


@pytest.mark.parametrize("rule", ["CMEK-02", "CMEK-05", "CMEK-10", "CMEK-11", "CMEK-13"])
@pytest.mark.parametrize(
    ("status", "state"),
    [("error", "failing"), ("fail", "failing"), ("inconclusive", "unproven"), ("waived", "waived")],
)
def test_any_rule_takes_green_away(rule: str, status: Status, state: str) -> None:
    """Whatever is open or waived in a scope shows in its cell, with rule, severity and words."""
    bad = a_finding(status, rule, "medium", message="It rusts.")
    [cell] = cells(*PROVEN, bad)
    assert {name: cell[name] for name in ("state", "finding", "rule", "status", "message")} == {
        "state": state,
        "finding": bad.id,
        "rule": rule,
        "status": status,
        "message": "It rusts.",
    }


@pytest.mark.parametrize("rule", PROOFS[1:])
def test_a_planned_key_proves_nothing(rule: str) -> None:
    """That a planned key complies says nothing of the key that is registered."""
    rest = [finding for finding in PROVEN if finding.rule != rule]
    [cell] = cells(*rest, about_planned_key("pass", rule))
    assert cell["state"] == "unproven"


def test_a_planned_key_takes_green_away() -> None:
    """A second key that a plan would register shows in the cell of the first, which is named."""
    bad = about_planned_key("fail", "CMEK-02", "critical")
    [cell] = cells(*PROVEN, bad, about_planned_key("pass", "CMEK-07"))
    assert (cell["state"], cell["finding"], cell["keys"]) == ("failing", bad.id, 1)
    assert cell["planned_keys"] == ["astra_customer_key.new"]


def test_the_worst_finding_is_shown() -> None:
    """A failure comes before what could not be judged, and a waived one comes last."""
    ordered = [
        a_finding("fail", "CMEK-05", "critical"),
        a_finding("fail", "CMEK-12", "high"),
        a_finding("fail", "CMEK-11", "medium"),
        a_finding("inconclusive", "CMEK-13", "critical"),
        a_finding("waived", "CMEK-07", "critical"),
    ]
    while ordered:
        [cell] = cells(*PROVEN, *reversed(ordered))
        assert cell["finding"] == ordered.pop(0).id


@pytest.mark.parametrize("status", ["fail", "inconclusive"])
def test_advisories_are_counted_and_leave_a_cell_green(status: Status) -> None:
    """What the documentation only recommends takes no green away."""
    [cell] = cells(*PROVEN, a_finding(status, "CMEK-16", "advisory"))
    assert (cell["state"], cell["advisories"]) == ("covered", 1)


def test_clouds_left_out_prove_nothing() -> None:
    """Where nobody asked the cloud whether a key is usable, the cell says so and is not green."""
    others = [finding for finding in PROVEN if finding.rule != "CMEK-12"]
    message = "This audit leaves KMS data out."
    left = a_finding("not-applicable", "CMEK-12", reason="clouds-left-out", message=message)
    [cell] = cells(*others, left)
    assert (cell["state"], cell["rule"], cell["message"]) == ("unproven", "CMEK-12", message)


def test_a_key_that_astra_cannot_use_does_not_look_supported() -> None:
    """A database that expects a key where Astra has none fails, and so does its cell."""
    place = {"type": "managed-clusters", "provider": "azure"}
    databases = [
        a_database(**place, regions=["eastus", "westus"]),
        a_database(**place, regions=["northeurope"], encryption="astra-provided", reason="a trial"),
    ]
    cells = audited(an_organization(keys=[], databases=databases))
    assert [(cell["region"], cell["state"], cell["rule"], cell["status"]) for cell in cells] == [
        ("eastus", "unsupported", "CMEK-04", "fail"),
        ("northeurope", "astra-provided", "CMEK-01", "not-applicable"),
        ("westus", "unsupported", "CMEK-04", "fail"),
    ]
    assert all(cell["region"] in cell["message"] for cell in cells if cell["status"] == "fail")


@pytest.mark.parametrize(
    ("key", "state", "rule", "unprotected"),
    [
        ({}, "covered", "CMEK-01", 0),
        ({"registered": {"at": "2026-07-01T00:00:00Z", "by": "a", "on": "2026-07-01"}},
         "failing", "CMEK-05", 1),
        ({"registered": None}, "unproven", "CMEK-05", 0),
        ({"kms": kms_facts(enabled=False)}, "failing", "CMEK-12", 0),
        ({"kms": None}, "unproven", "CMEK-12", 0),
        ({"kms": kms_facts(rotation_enabled=False)}, "failing", "CMEK-11", 0),
        ({"key_id": key_id_for("aws", "eu-west-1")}, "failing", "CMEK-07", 0),
    ],
    ids=["in-order", "late", "undated", "disabled", "unasked", "not-rotating", "of-elsewhere"],
)  # fmt: skip
def test_a_cell_of_an_audit(key: Any, state: str, rule: str, unprotected: int) -> None:  # noqa: ANN401
    """A key that is there is green only if it came first, has the right id and is usable."""
    [cell] = audited(an_organization(keys=[attested_key(**key)]))
    assert (cell["state"], cell["rule"], cell["unprotected"]) == (state, rule, unprotected)


def test_two_versions_of_a_key_are_one() -> None:
    """A key that is listed by two of its versions is counted once."""
    stem = key_id_for("gcp", "us-east1")
    place = {"provider": "gcp", "region": "us-east1"}
    keys = [attested_key(**place, key_id=f"{stem}/cryptoKeyVersions/{number}") for number in (1, 2)]
    databases = [a_database(provider="gcp", regions=["us-east1"])]
    [cell] = audited(an_organization(keys=keys, databases=databases))
    assert cell["keys"] == 1
