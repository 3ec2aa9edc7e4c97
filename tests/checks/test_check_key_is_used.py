from __future__ import annotations

import pytest

from tests.builders import a_database, a_key, a_planned_database, an_organization, uuid
from tests.checks.judging import judged, judged_once, of_unknown_type


@pytest.mark.parametrize(
    ("count", "message"),
    [(1, "1 database"), (2, "2 databases"), (1200, "1,200 databases")],
)
def test_databases_are_counted(count: int, message: str) -> None:
    """A pass states how many databases are in the key's scope."""
    databases = [a_database(id=uuid(number)) for number in range(count)]
    finding = judged_once("CMEK-09", an_organization(databases=databases))
    assert (finding.message, finding.databases, finding.existing) == (
        f"{message} in its key scope.",
        count,
        count,
    )


def test_planned_databases_use_a_key_too() -> None:
    """A key registered ahead of its database is in use."""
    finding = judged_once("CMEK-09", an_organization(databases=[a_planned_database()]))
    assert (finding.status, finding.databases, finding.existing) == ("pass", 1, 0)


def test_an_idle_key_is_advice_only() -> None:
    """A key without databases is a failure of the mildest severity."""
    finding = judged_once("CMEK-09", an_organization(databases=[]))
    assert (finding.status, finding.severity, finding.databases) == ("fail", "advisory", 0)
    assert finding.action == (
        "Find out why acme-prod / serverless / aws / us-east-1 has a key and no database"
    )


def test_no_database_at_all_may_be_an_answer_to_a_blind_token() -> None:
    """Where Astra lists no database, no key is called idle before somebody attests that."""
    reading = {"fact": "databases", "address": "/v2/databases", "requests": 2, "answers": {}}
    live = {"databases": [], "readings": [reading]}
    finding = judged_once("CMEK-09", an_organization(**live))
    assert (finding.status, finding.reason) == ("inconclusive", "empty")
    attested = {"by": "Ada Example", "on": "2026-11-01"}
    assert judged_once("CMEK-09", an_organization(**live, no_databases=attested)).status == "fail"


def test_unread_databases_may_use_the_key() -> None:
    """A key is not called idle while databases may be missing from the record."""
    finding = judged_once("CMEK-09", an_organization(databases=None))
    assert (finding.status, finding.reason) == ("inconclusive", "not-recorded")
    assert finding.message == (
        "No database is recorded, and the list may be incomplete: "
        "not-recorded (the record has no such list)."
    )


def test_databases_of_unknown_type_may_use_the_key() -> None:
    """A key is not called unused while a database of unknown type is in its region."""
    unknown = of_unknown_type()
    keys = [a_key(), a_key(type="managed-clusters"), a_key(region="us-west-2")]
    found = judged("CMEK-09", an_organization(keys=keys, databases=[unknown]))
    assert [(finding.status, finding.reason) for finding in found] == [
        ("inconclusive", "unknown-type"),
        ("inconclusive", "unknown-type"),
        ("fail", ""),
    ]


def test_an_unused_key_has_its_cause_and_its_place() -> None:
    """A key without a database is shown where it was read, and so is one with databases."""
    key = a_key().at("keys.yaml", 2)
    finding = judged_once("CMEK-09", an_organization(keys=[key], databases=[]))
    assert (finding.status, finding.cause, finding.evidence) == (
        "fail",
        "unused",
        (("keys.yaml", 2),),
    )


# --- what the portal showed -----------------------------------------------------------------------

BY = {"by": "acme-security", "on": "2026-11-10"}


@pytest.mark.parametrize(
    ("portal", "over", "seen"),
    [
        ({"status": "available"}, {}, "Available"),
        ({"status": "in-use"}, {}, "In-Use"),
        ({"status": "available", "due": "2026-11-20"}, {}, ""),
        ({"status": "available"}, {"type": "managed-clusters"}, ""),
        ({"status": "available"}, {"provider": "azure"}, ""),
    ],
)
def test_a_pass_tells_what_the_portal_showed(
    portal: dict[str, str], over: dict[str, str], seen: str
) -> None:
    """A key with databases has something to encrypt; that it does so is not claimed."""
    key = a_key(portal=BY | portal, **over)
    finding = judged_once("CMEK-09", an_organization(keys=[key], databases=[a_database(**over)]))
    look = f" On 2026-11-10 acme-security saw in the portal that the key is {seen}." if seen else ""
    assert (finding.status, finding.message) == ("pass", f"1 database in its key scope.{look}")


@pytest.mark.parametrize(
    ("status", "found", "reason"),
    [("in-use", "inconclusive", "contradiction"), ("available", "fail", "")],
)
def test_a_key_in_use_without_databases_is_a_contradiction(
    status: str, found: str, reason: str
) -> None:
    """A key that somebody saw in use is not called unused, and nobody is advised to remove it."""
    key = a_key(portal=BY | {"status": status})
    finding = judged_once("CMEK-09", an_organization(keys=[key], databases=[]))
    assert (finding.status, finding.reason) == (found, reason)
    assert ("remove" in finding.action) is False


def test_unread_databases_explain_a_key_in_use() -> None:
    """Where databases were not read, one of them may be what somebody saw."""
    key = a_key(portal=BY | {"status": "in-use"})
    finding = judged_once("CMEK-09", an_organization(keys=[key], databases=None))
    assert (finding.status, finding.reason) == ("inconclusive", "not-recorded")
