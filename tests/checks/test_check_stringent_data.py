"""CMEK-15, which rests on an attestation alone."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.model.database import Database
from tests.builders import a_database, a_planned_database, an_organization
from tests.checks.judging import judged, judged_once

BY: dict[str, Any] = {"by": "acme-security", "on": "2026-11-01"}
SAID = "acme-security attested on 2026-11-01: the application "


def stringent(**shown: object) -> Database:
    return a_database(data="stringent", application_encryption=BY | shown if shown else None)


@pytest.mark.parametrize(
    ("shown", "status", "message"),
    [
        (
            {"encrypted": True, "method": "column encryption"},
            "pass",
            f"{SAID}encrypts the data (column encryption).",
        ),
        (
            {"encrypted": True},
            "pass",
            f"{SAID}encrypts the data (method not named).",
        ),
        (
            {"encrypted": False},
            "fail",
            f"{SAID}does not encrypt the data.",
        ),
        (
            {"encrypted": True, "due": "2026-11-20"},
            "inconclusive",
            (
                "acme-security attested it, but the attestation is valid from 2026-11-01 to "
                "2026-11-20 only."
            ),
        ),
        ({}, "inconclusive", "It is not attested whether the application encrypts the data."),
    ],
)
def test_stringent_data_rests_on_an_attestation(
    shown: dict[str, Any], status: str, message: str
) -> None:
    """A stringent database is judged by what somebody attested of its application."""
    finding = judged_once("CMEK-15", an_organization(databases=[stringent(**shown)]))
    assert (finding.status, finding.message, finding.severity) == (status, message, "advisory")
    assert (finding.name, finding.databases, finding.existing) == ("acme-orders", 1, 1)


def test_stringent_data_is_judged_once_a_database() -> None:
    """A stringent database is one subject, in however many regions it lies; others are none."""
    spread = a_database(id="a", data="stringent", regions=["us-east-1", "us-west-2"])
    found = judged("CMEK-15", an_organization(databases=[spread, a_database(id="b")]))
    assert [finding.subject.database for finding in found] == ["a"]


def test_stringent_data_needs_the_application_whoever_holds_the_keys() -> None:
    """A stringent database that uses Astra's keys is judged like any other."""
    own = a_database(data="stringent", encryption="astra-provided", reason="public data")
    assert judged_once("CMEK-15", an_organization(databases=[own])).status == "inconclusive"


@pytest.mark.parametrize(
    ("shown", "cause", "action"),
    [
        ({"encrypted": True}, "", ""),
        (
            {"encrypted": False},
            "not-encrypted",
            "Consider encryption by the applications of acme-prod",
        ),
        (
            {},
            "not-attested",
            "Attest how the applications of acme-prod encrypt stringent data",
        ),
        (
            {"encrypted": True, "due": "2026-11-20"},
            "attestation-not-current",
            "Attest how the applications of acme-prod encrypt stringent data",
        ),
    ],
)
def test_stringent_data_has_its_cause_and_its_place(
    shown: dict[str, Any], cause: str, action: str
) -> None:
    """Each answer about stringent data has its code, its action and the database's place."""
    database = stringent(**shown).at("now.yaml", 4)
    finding = judged_once("CMEK-15", an_organization(databases=[database]))
    assert (finding.cause, finding.action, finding.evidence) == (cause, action, (("now.yaml", 4),))


def test_a_planned_stringent_database_has_a_cause_of_its_own() -> None:
    """What is only planned is another cause than what exists, by every rule on databases."""
    planned = a_planned_database(data="stringent")
    (finding,) = judged("CMEK-15", an_organization(databases=[planned]))
    assert finding.cause == "planned-not-attested"
