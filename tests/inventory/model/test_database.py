"""Databases, existing and planned, and their regions."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.model.database import Database, deployed_at
from tests.builders import (
    a_database,
    a_key,
    database_data,
    moment,
    planned_data,
)
from tests.inventory.model.refusals import DATABASE, refusal, without


def test_defaults_of_a_database() -> None:
    """A database exists, is active and ordinary, and leaves its encryption to the policy."""
    database = Database.model_validate(DATABASE)
    assert (database.state, database.status, database.data) == ("existing", "ACTIVE", "ordinary")
    assert database.encryption is None
    assert not database.is_planned
    assert not database.is_terminated
    assert database.identity == DATABASE["id"]


def test_existing_without_id() -> None:
    """An existing database has an id; a planned one goes by its name."""
    data = without(DATABASE, "id")
    assert refusal(Database, data) == ((), "an id, or state: planned")
    planned = Database.model_validate(data | {"state": "planned"})
    assert planned.is_planned
    assert planned.identity == "planned acme-orders"


@pytest.mark.parametrize(
    ("tier", "meant"),
    [("serverless", "serverless"), ("C10", "managed-clusters"), ("developer", "unknown")],
)
def test_type_of_tier(tier: str, meant: str) -> None:
    """The tier that Astra reported tells the type, or that it is unknown."""
    database = Database.model_validate(without(DATABASE, "type") | {"tier": tier})
    assert (database.type, database.tier) == (meant, tier)


def test_type_and_tier() -> None:
    """A type may stand beside a tier that says the same, and beside no other."""
    assert Database.model_validate(DATABASE | {"tier": "serverless"}).type == "serverless"
    text = "no type that contradicts the tier"
    for tier in ("C10", "developer"):
        assert refusal(Database, DATABASE | {"tier": tier}) == ((), text)


def test_neither_type_nor_tier() -> None:
    """A database states its type or its tier; that its type is unknown is no statement."""
    text = "a type, or the tier that Astra reported"
    assert refusal(Database, without(DATABASE, "type")) == ((), text)
    assert refusal(Database, without(DATABASE, "type") | {"tier": None}) == ((), text)
    shown = "a database type, or the tier that Astra reported"
    for tier in ({}, {"tier": "serverless"}):
        assert refusal(Database, DATABASE | {"type": "unknown"} | tier) == (("type",), shown)


def test_regions_once() -> None:
    """A database has at least one region, and each at most once."""
    one, two = {"name": "us-east-1"}, {"name": "us-east-2"}
    assert len(Database.model_validate(DATABASE | {"regions": [one, two]}).regions) == 2
    text = "each region at most once"
    again = one | {"added_at": "2026-06-01T00:00:00Z"}
    assert refusal(Database, DATABASE | {"regions": [one, two, again]}) == ((), text)
    assert refusal(Database, DATABASE | {"regions": []})[0] == ("regions",)


@pytest.mark.parametrize(
    ("status", "is_terminated"),
    [
        ("TERMINATED", True),
        ("terminated", True),
        ("ACTIVE", False),
        ("TERMINATING", False),
        ("ERROR", False),
        ("", False),
        ("TERMINATED ", False),
    ],
)
def test_terminated(status: str, is_terminated: bool) -> None:  # noqa: FBT001
    """Only a database that Astra calls terminated is gone."""
    assert a_database(status=status).is_terminated is is_terminated


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ({"status": "terminated"}, "no status other than ACTIVE with state: planned"),
        ({"status": "PARKED"}, "no status other than ACTIVE with state: planned"),
        ({"created_at": "2026-06-01T00:00:00Z"}, "no created_at with state: planned"),
        ({"created_at": "2099-01-01T00:00:00Z"}, "no created_at with state: planned"),
        ({"seen": "exchanges/0001/0002.json:3"}, "no seen with state: planned"),
        (
            {"regions": [{"name": "us-east-1", "added_at": "2026-06-01T00:00:00Z"}]},
            "no added_at of a region with state: planned of its database",
        ),
    ],
)
def test_what_a_planned_database_cannot_have(over: dict[str, Any], text: str) -> None:
    """What has a time, a status or a place of its own exists, and is not planned."""
    assert refusal(Database, planned_data() | over) == ((), text)


def test_a_region_with_a_time_is_not_planned() -> None:
    """A region that was added at some time is not planned, though the time may be to come."""
    region = {"name": "us-east-1", "state": "planned"}
    data = database_data(regions=["us-west-2", region | {"added_at": "2099-01-01T00:00:00Z"}])
    assert refusal(Database, data) == (("regions", 1), "no added_at with state: planned")


def test_nobody_has_seen_what_is_planned() -> None:
    """A region that is only planned has no details in the portal that somebody could have seen."""
    seen = {"portal": {"key": "customer", "by": "acme-ops", "on": "2026-11-01"}}
    region = {"name": "us-east-1", "state": "planned"} | seen
    data = database_data(regions=["us-west-2", region])
    assert refusal(Database, data) == (("regions", 1), "no portal with state: planned")
    planned = planned_data(regions=[{"name": "us-east-1"} | seen])
    expected = "no portal of a region with state: planned of its database"
    assert refusal(Database, planned) == ((), expected)


def test_an_existing_database_lies_somewhere() -> None:
    """A database all of whose regions are planned is planned itself."""
    data = database_data(regions=[{"name": "us-east-1", "state": "planned"}])
    expected = "a region without state: planned, or state: planned for the database"
    assert refusal(Database, data) == ((), expected)


def test_stated_fields() -> None:
    """An entry states the fields that were given; a database always its type and its state."""
    assert a_key().stated() == {"type", "provider", "region", "key_id"}
    database = Database.model_validate(without(DATABASE, "type") | {"tier": "serverless"})
    assert database.stated() == {"id", "name", "type", "tier", "provider", "regions", "state"}


@pytest.mark.parametrize(
    ("regions", "created", "expected"),
    [
        (["us-east-1"], "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        ([{"name": "us-east-1"}], "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        ([{"name": "us-east-1"}], None, None),
        ([{"name": "us-east-1"}, {"name": "us-east-2"}], "2026-05-01T00:00:00Z", None),
    ],
)
def test_the_creation_dates_a_single_region(
    regions: list[Any], created: str | None, expected: str | None
) -> None:
    """The region's own time counts first; the creation dates a database of one region only."""
    database = a_database(regions=regions, created_at=created)
    expected_time = moment(expected) if expected else None
    assert deployed_at(database, database.regions[0]) == expected_time
