"""Which looks at the portal would resolve what is open, and that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import Context
from cmek_audit.commands.portal.needed import Look, find_needed
from tests.builders import (
    AS_OF,
    a_key,
    an_organization,
    aws_key_id,
    azure_key_id,
    database_data,
    key_data,
    planned_data,
    uuid,
)
from tests.checks.judging import judged
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from inventory.model.organization import Organization

REGISTERED = {"by": "acme-it", "on": "2026-11-01", "at": "2026-05-01T00:00:00Z"}
BY = {"by": "acme-security", "on": "2026-11-10"}
AZURE = {"provider": "azure", "region": "a", "key_id": azure_key_id()}


def in_region(number: int, name: str = "us-east-1", **over: object) -> dict[str, Any]:
    """Return a database in one region, deployed on 2026-06-01."""
    added = over.pop("added_at", "2026-06-01T00:00:00Z")
    regions = [{"name": name, "added_at": added}]
    return database_data(id=uuid(number), name=f"db-{number}", regions=regions, **over)


def entries(*databases: dict[str, Any], **over: object) -> list[Look]:
    organization = an_organization(**({"databases": list(databases)} | over))
    return find_needed([organization], Context(AS_OF)).entries


def shown(found: list[Look]) -> list[tuple[Any, ...]]:
    """Name each look, with how much it resolves and whether it may not be needed."""
    return [
        (
            look.kind,
            look.database.name if look.database else look.scope.region,
            look.databases,
            look.only_if_in_use,
        )
        for look in found
    ]


def test_one_look_at_a_key_resolves_a_scope() -> None:
    """A key is looked at first; the regions only if it is in use and several may use it."""
    assert shown(entries(in_region(1), in_region(2))) == [
        ("key", "us-east-1", 2, False),
        ("region", "db-1", 1, True),
        ("region", "db-2", 1, True),
    ]


def test_a_key_with_one_database_needs_no_other_look() -> None:
    """Whatever the portal shows of a key resolves the only database of its scope."""
    [look] = entries(in_region(1))
    assert (look.kind, look.databases, look.is_only_one) == ("key", 1, True)


@pytest.mark.parametrize(
    "others",
    [
        [in_region(2, encryption="astra-provided", reason="public data")],
        [in_region(2, status="TERMINATED")],
        [in_region(2, added_at="2026-11-21T00:00:00Z") | {"created_at": None}],
    ],
)
def test_one_open_database_among_others_is_looked_at_itself(others: list[dict[str, Any]]) -> None:
    """Where another database may be what uses a key, its region is one look that is enough."""
    found = entries(in_region(1), *others)
    assert [(look.kind, look.only_if_in_use) for look in found][:1] == [("region", False)]


def test_keys_in_azure_and_rivals_show_nothing() -> None:
    """Where the key shows nothing, or several are claimed, each region is looked at."""
    azure = an_organization(
        keys=[key_data(**AZURE)],
        databases=[in_region(number, "a", provider="azure") for number in (1, 2)],
    )
    found = find_needed([azure], Context(AS_OF)).entries
    expected = [("region", "db-1", 1, False), ("region", "db-2", 1, False)]
    assert shown(found) == expected
    rivals = [key_data(), key_data(key_id=aws_key_id(number=2))]
    assert shown(entries(in_region(1), in_region(2), keys=rivals)) == expected


def test_what_no_look_resolves_is_counted() -> None:
    """Managed Clusters, unknown types, missing times and unread keys are left, each by its reason.

    A planned database is not looked at, whatever is open about it.
    """
    classic = {"type": "managed-clusters"}
    hidden = in_region(3, tier="developer")
    del hidden["type"]
    undated = in_region(4, "us-west-2") | {"regions": [{"name": "us-west-2"}, {"name": "b"}]}
    organization = an_organization(
        keys=[key_data(), key_data(**classic), key_data(region="us-west-2")],
        databases=[in_region(2, **classic), hidden, undated | {"created_at": None}, planned_data()],
    )
    needed = find_needed([organization], Context(AS_OF))
    assert needed.entries == []
    assert needed.left == {
        "registration-time-unknown": 1,
        "unknown-type": 1,
        "time-not-recorded": 1,
    }
    assert needed.open == 3


def test_contradictions_are_not_resolved_by_another_look() -> None:
    """A look that contradicts the order of times is to be found wrong, not to be repeated."""
    key = key_data(registered=REGISTERED, portal=BY | {"status": "available"})
    needed = find_needed([an_organization(keys=[key])], Context(AS_OF))
    assert (needed.entries, needed.left) == ([], {"contradiction": 1})


def test_a_look_that_has_run_out_is_repeated() -> None:
    """A key of which a look has run out is looked at again, though its databases pass."""
    portal = BY | {"status": "in-use", "due": "2026-11-20"}
    [look] = entries(in_region(1), keys=[key_data(registered=REGISTERED, portal=portal)])
    assert (look.kind, look.shows_use, look.databases) == ("key", True, 0)


def test_a_key_without_an_order_is_looked_at_for_both() -> None:
    """One look at a key that has run out serves its databases, too."""
    portal = BY | {"status": "in-use", "due": "2026-11-20"}
    found = entries(in_region(1), in_region(2), keys=[key_data(portal=portal)])
    assert (found[0].kind, found[0].shows_use, found[0].databases) == ("key", True, 2)


def test_a_database_of_today_is_looked_at_later() -> None:
    """A look on the day of a deployment shows nothing, so that it is named as too early."""
    today = in_region(1, added_at="2026-11-19T00:00:00Z")
    organization = an_organization(databases=[today, in_region(2)])
    found = find_needed([organization], Context(AS_OF.replace(day=19))).entries
    assert [look.is_younger for look in found] == [False, True, False]


def test_looks_that_resolve_most_come_first() -> None:
    """Keys with many databases come first, and last what may not be needed."""
    databases = [in_region(1), in_region(2)]
    databases += [in_region(number, "us-west-2") for number in (3, 4, 5)]
    found = entries(*databases, keys=[a_key(), a_key(region="us-west-2")])
    assert [look.databases for look in found] == [3, 2, 1, 1, 1, 1, 1]


def answered(organization: Organization, found: list[Look], status: str, key: str) -> Organization:
    """Record an answer to each look, as if somebody had looked on 2026-11-10."""
    keys = {look.scope: look for look in found if look.key}
    regions = {(look.database.id, look.scope.region) for look in found if look.database is not None}
    data = organization.model_dump(exclude_unset=True)
    for entry in data["keys"]:
        if any(look.key and look.key.key_id == entry["key_id"] for look in keys.values()):
            entry["portal"] = BY | {"status": status}
    for database in data["databases"]:
        for region in database["regions"]:
            is_needed = status == "in-use" or not keys
            if is_needed and (database["id"], region["name"]) in regions:
                region["portal"] = BY | {"key": key}
    return an_organization(**data)


@examples(100)
@given(
    st.lists(st.sampled_from(["us-east-1", "us-west-2"]), min_size=1, max_size=4),
    st.sampled_from(["in-use", "available"]),
)
def test_the_looks_resolve_what_they_are_for(places: list[str], status: str) -> None:
    """Once every look is answered, no database is left of which the order is not known."""
    databases = [in_region(number, place) for number, place in enumerate(places, 1)]
    keys = [key_data(region=place) for place in dict.fromkeys(places)]
    organization = an_organization(keys=keys, databases=databases)
    found = find_needed([organization], Context(AS_OF)).entries
    key = "customer" if status == "in-use" else "astra"
    after = judged("CMEK-05", answered(organization, found, status, key))
    assert {finding.status for finding in after} == {"pass" if status == "in-use" else "fail"}
