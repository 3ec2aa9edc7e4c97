from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.context import Context
from inventory.history import History
from tests.builders import (
    AS_OF,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    database_data,
    key_data,
    organization_data,
)
from tests.checks.judging import earlier, judged, judged_once

if TYPE_CHECKING:
    from pathlib import Path

    from checks.finding import Finding

UNREAD = (
    "No key is recorded, and the serverless keys may not be all: "
    "not-recorded (the record holds no such list)."
)


def attested(time: str, on: str = "2026-11-01") -> dict[str, str]:
    return {"at": time, "by": "acme-security", "on": on}


def deployed(time: str | None, **over: object) -> dict[str, Any]:
    region = {"name": "us-east-1"} | ({"added_at": time} if time else {})
    return database_data(regions=[region], **over)


def judge(time: str | None, history: History | None = None, **organization: object) -> Finding:
    whole = an_organization(databases=[deployed(time)], **organization)
    return judged_once("CMEK-05", whole, context=Context(AS_OF, history=history or History()))


def test_the_evidence_of_a_pass_is_every_record_that_bounds_it(tmp_path: Path) -> None:
    """A pass names database, key, last absence and first presence, each with file and line."""
    history = earlier(
        tmp_path,
        on_2026_01_01=organization_data(keys=[]),
        on_2026_03_01=organization_data(),
        on_2026_04_01=organization_data(),
    )
    finding = judge("2026-06-01T00:00:00Z", history)
    assert finding.status == "pass"
    assert finding.says == (
        "Key registered after 2026-01-01T00:00:00Z and by 2026-03-01T00:00:00Z; "
        "database deployed 2026-06-01T00:00:00Z."
    )
    files = [file.rpartition("/")[2] for file, *_ in finding.evidence]
    assert files == ["", "", "on_2026_01_01.yaml", "on_2026_03_01.yaml"]


@pytest.mark.parametrize(
    ("time", "status", "says"),
    [
        (
            "2026-05-31T23:59:59Z",
            "fail",
            "Key registered at 2026-06-01T00:00:00Z, as acme-security",
        ),
        ("2026-06-01T02:00:01+02:00", "pass", "Key registered at 2026-06-01T00:00:00Z, as acme"),
        ("2026-06-01T02:00:00+02:00", "inconclusive", "Key registered at 2026-06-01T00:00:00Z"),
    ],
)
def test_times_are_compared_in_utc_to_the_second(time: str, status: str, says: str) -> None:
    """An attested registration is compared with the deployment whatever zones they are given in."""
    key = a_key(registered=attested("2026-06-01T00:00:00Z"))
    finding = judge(time, keys=[key])
    assert finding.status == status
    assert finding.says.startswith(says)


@pytest.mark.parametrize(
    ("time", "over", "reason"),
    [
        (None, {}, "time-not-recorded"),
        ("2026-07-01T00:00:00Z", {}, "registration-time-unknown"),
        ("2026-11-20T02:00:00Z", {}, "equal-times"),
        ("2026-11-20T02:00:01Z", {}, "impossible-time"),
        (
            "2026-07-01T00:00:00Z",
            {"keys": [key_data(), key_data(key_id=aws_key_id(number=2))]},
            "rival-keys",
        ),
        (
            "2026-07-01T00:00:00Z",
            {"keys": [key_data(registered=attested("2026-11-20T03:00:00Z", "2026-11-20"))]},
            "contradiction",
        ),
        ("2026-07-01T00:00:00Z", {"keys": None}, "not-recorded"),
    ],
)
def test_each_reason_for_not_knowing_has_a_code(
    time: str | None, over: dict[str, Any], reason: str
) -> None:
    """What keeps the order from being known is told by a code, and so is what would settle it."""
    database = deployed(time, created_at=None)
    finding = judged_once("CMEK-05", an_organization(**({"databases": [database]} | over)))
    assert (finding.status, finding.reason) == ("inconclusive", reason)
    assert finding.action


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        (
            [key_data(), key_data(key_id=aws_key_id(number=2))],
            (
                "Find out which key Astra uses for acme-prod / serverless / aws / us-east-1, and "
                "correct the record or ask IBM Support"
            ),
        ),
        (
            [key_data(registered=attested("2026-11-20T03:00:00Z", "2026-11-20"))],
            (
                "Correct the time at which the key of acme-prod / serverless / aws / us-east-1 was "
                "registered, or the records"
            ),
        ),
        (
            [key_data()],
            (
                "Attest when the key of acme-prod / serverless / aws / us-east-1 was registered, "
                "or give dated earlier records"
            ),
        ),
    ],
    ids=["rivals", "contradiction", "unknown"],
)
def test_an_action_is_one_that_helps(keys: list[dict[str, Any]], action: str) -> None:
    """What cannot be judged for its keys is not settled by an attestation of one time."""
    database = deployed("2026-07-01T00:00:00Z", created_at=None)
    finding = judged_once("CMEK-05", an_organization(keys=keys, databases=[database]))
    assert (finding.status, finding.action) == ("inconclusive", action)


def test_the_creation_dates_a_single_region_only() -> None:
    """Without a time of its own a region was added when the database was made, if it is alone."""
    key = a_key(registered=attested("2026-01-01T00:00:00Z"))
    other = a_key(region="us-west-2", registered=attested("2026-01-01T00:00:00Z"))
    alone = a_database(regions=[{"name": "us-east-1"}])
    two = a_database(regions=[{"name": "us-east-1"}, {"name": "us-west-2"}])
    assert judged_once("CMEK-05", an_organization(keys=[key], databases=[alone])).status == "pass"
    both = judged("CMEK-05", an_organization(keys=[key, other], databases=[two]))
    assert [each.reason for each in both] == ["time-not-recorded", "time-not-recorded"]


def test_the_region_counts_more_than_the_database() -> None:
    """A region added later than the database was made is judged by its own time."""
    key = a_key(registered=attested("2026-05-01T00:00:00Z"))
    database = deployed("2026-06-01T00:00:00Z", created_at="2026-04-01T00:00:00Z")
    organization = an_organization(keys=[key], databases=[database])
    assert judged_once("CMEK-05", organization).status == "pass"


def test_each_region_of_a_database_is_judged_by_itself() -> None:
    """A database may be protected in one region and not in the next."""
    early = a_key(registered=attested("2026-05-01T00:00:00Z"))
    late = a_key(region="us-west-2", registered=attested("2026-07-01T00:00:00Z"))
    database = a_database(regions=["us-east-1", "us-west-2", "eu-west-1"])
    found = judged("CMEK-05", an_organization(keys=[early, late], databases=[database]))
    assert [(each.subject.region, each.status) for each in found] == [
        ("us-east-1", "pass"),
        ("us-west-2", "fail"),
        ("eu-west-1", "fail"),
    ]
    assert {(each.name, each.databases, each.existing) for each in found} == {("acme-orders", 1, 1)}


@pytest.mark.parametrize(
    ("keys", "status", "says"),
    [
        ([key_data()], "pass", "The key is registered, the database only planned."),
        ([], "fail", "No key is registered, and the database is about to be deployed."),
        (
            None,
            "inconclusive",
            UNREAD,
        ),
    ],
)
def test_a_planned_database_needs_the_key_now(
    keys: list[Any] | None, status: str, says: str
) -> None:
    """What is only planned passes if its key is registered now, and is critical if it is not."""
    organization = an_organization(keys=keys, databases=[a_planned_database()])
    finding = judged_once("CMEK-05", organization)
    assert (finding.status, finding.severity) == (status, "critical")
    assert (finding.databases, finding.existing) == (1, 0)
    assert finding.says == says


def test_the_key_of_the_other_type_does_not_help() -> None:
    """A key registered in time, yet for the other type, protects nothing."""
    key = a_key(type="managed-clusters", registered=attested("2026-01-01T00:00:00Z"))
    finding = judge("2026-06-01T00:00:00Z", keys=[key])
    assert (finding.status, finding.severity) == ("fail", "high")
    assert finding.says == ("No key is registered: the database runs on Astra's keys.")


@pytest.mark.parametrize(("on", "status"), [("2026-11-21", "pass"), ("2026-11-22", "inconclusive")])
def test_an_attestation_counts_from_its_day_on(on: str, status: str) -> None:
    """A statement made after the day of the audit does not count yet; one of that day does."""
    key = a_key(registered=attested("2026-01-01T00:00:00Z", on))
    assert judge("2026-06-01T00:00:00Z", keys=[key]).status == status


def test_an_undated_record_bounds_nothing() -> None:
    """A key seen in a record without a time may have come at any time."""
    finding = judge("2026-06-01T00:00:00Z", captured_at=None)
    assert (finding.status, finding.reason) == ("inconclusive", "registration-time-unknown")
    assert finding.says.startswith("Key registered at an unknown time;")


def test_an_existing_database_of_the_future_is_impossible() -> None:
    """A deployment later than the audit is doubted, also where the record does not say its time."""
    key = a_key(registered=attested("2026-01-01T00:00:00Z"))
    finding = judge("2026-11-21T02:00:01Z", keys=[key], captured_at=None)
    assert (finding.status, finding.reason) == ("inconclusive", "impossible-time")
    assert finding.says == (
        "Deployed 2026-11-21T02:00:01Z, later than its own record of 2026-11-21T02:00:00Z."
    )
    assert judge("2026-11-21T02:00:00Z", keys=[key], captured_at=None).status == "pass"


def test_a_record_that_did_not_read_the_keys_is_silent(tmp_path: Path) -> None:
    """An earlier record whose keys were refused shows neither absence nor presence."""
    refused = organization_data(keys=[], gaps=[{"fact": "serverless-keys", "reason": "refused"}])
    history = earlier(tmp_path, on_2026_09_01=refused)
    finding = judge("2026-06-01T00:00:00Z", history)
    assert (finding.status, finding.reason) == ("inconclusive", "registration-time-unknown")


def test_an_attestation_that_a_record_contradicts_does_not_count(tmp_path: Path) -> None:
    """A key attested for a day on which a record shows none is inconclusive, not a pass."""
    history = earlier(tmp_path, on_2026_05_01=organization_data(keys=[]))
    key = a_key(registered=attested("2026-04-01T00:00:00Z"))
    finding = judge("2026-06-01T00:00:00Z", history, keys=[key])
    assert (finding.status, finding.reason) == ("inconclusive", "contradiction")
    assert "2026-04-01T00:00:00Z, as acme-security attested" in finding.says


def test_a_replaced_key_was_registered_when_the_first_was(tmp_path: Path) -> None:
    """A scope that had another key before the deployment was protected; the change is CMEK-10's."""
    other = organization_data(keys=[key_data(key_id=aws_key_id(number=9))])
    history = earlier(tmp_path, on_2026_05_01=other)
    assert judge("2026-06-01T00:00:00Z", history).status == "pass"


def test_databases_of_one_scope_share_what_would_settle_them() -> None:
    """One attestation settles all databases of a scope, so it is one action."""
    databases = [
        deployed("2026-06-01T00:00:00Z", id="a"),
        deployed("2026-07-01T00:00:00Z", id="b"),
    ]
    found = judged("CMEK-05", an_organization(databases=databases))
    (action,) = {each.action for each in found}
    assert action == (
        "Attest when the key of acme-prod / serverless / aws / us-east-1 was registered, "
        "or give dated earlier records"
    )
