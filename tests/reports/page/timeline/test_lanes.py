"""The lanes of a timeline: one for each key scope."""

from __future__ import annotations

from typing import Any

import pytest

from reports.page.timeline.deployments import Order, deployment
from reports.page.timeline.key_life import RegionLook
from reports.page.timeline.lanes import MOST_LINES, Lane, LaneScope, OrganizationLanes
from tests.builders import aws_key_id, azure_key_id, moment

SCOPE = {"type": "serverless", "provider": "aws", "region": "us-east-1"}


def key_line(number: int = 1, **over: object) -> Any:  # noqa: ANN401 (a line of the record)
    """Return the line of a registered key."""
    found = {"kind": "key", "path": "o/key", "organization": "o", "state": "registered"}
    return found | SCOPE | {"key_id": aws_key_id(number=number), "file": "f", "line": 1} | over


def database_line(*regions: dict[str, str], **over: object) -> Any:  # noqa: ANN401 (a line)
    """Return the line of an existing database."""
    line: dict[str, object] = {"kind": "database", "path": "o/database/d", "organization": "o"}
    line |= {"state": "existing", "id": "d", "name": "orders", "file": "f", "line": 2}
    return line | ({"type": "serverless", "regions": list(regions)} if regions else {}) | over


def region_entry(name: str = "us-east-1", **over: Any) -> dict[str, str]:  # noqa: ANN401 (fields)
    """Return a region of a database."""
    scope = f"o/serverless/aws/{name}"
    entry = {"name": name, "scope": scope, "state": "existing", "encryption": "customer-managed"}
    return entry | over


def _found(organization: OrganizationLanes) -> list[Any]:
    return [
        (lane.scope.region, database.name, database.at, database.is_planned, database.order.code)
        for lane in organization.lanes.values()
        for database in lane.databases.named
    ]


def test_a_database_has_a_lane_in_each_region() -> None:
    """Each region has the order that was found of it there, and its own time."""
    organization = OrganizationLanes("o")
    line = database_line(
        region_entry(added_at="2026-01-01T00:00:00Z"),
        region_entry("us-east-2", deployed_at="2026-02-01T00:00:00Z"),
        region_entry("us-west-2"),
        region_entry("eu-west-1", state="planned"),
    )
    orders = {"o/database/d/us-east-1": Order("after"), "o/database/d/eu-west-1": Order("failing")}
    organization.add_database(line, orders)
    assert _found(organization) == [
        ("us-east-1", "orders", moment("2026-01-01T00:00:00Z"), False, "after"),
        ("us-east-2", "orders", moment("2026-02-01T00:00:00Z"), False, "not-judged"),
        ("us-west-2", "orders", None, False, "not-judged"),
        ("eu-west-1", "orders", None, True, "failing"),
    ]
    assert organization.used == set(orders)


def test_a_terminated_database_has_no_lane() -> None:
    """A terminated database is counted, and not shown."""
    organization = OrganizationLanes("o")
    organization.add_database(database_line(region_entry(), state="terminated"), {})
    assert (organization.lanes, organization.terminated) == ({}, 1)


def test_what_a_plan_does_not_show_has_a_lane_of_its_own() -> None:
    """A planned key or database without a key scope shares the lane without one."""
    organization = OrganizationLanes("o")
    organization.add_key({"kind": "key", "state": "planned", "change": "register"})  # type: ignore[typeddict-item]
    organization.add_database(database_line(state="planned"), {})
    [lane] = organization.lanes.values()
    assert (lane.scope, lane.planned_keys) == (LaneScope(), ["register"])
    assert _found(organization) == [("", "orders", None, True, "not-judged")]


def test_a_finding_without_a_listed_database_is_not_lost() -> None:
    """What was judged and is not listed is shown without time and key scope."""
    organization = OrganizationLanes("o.2e")
    organization.add_unlisted("o.2e/database/d.2e1/us-east-1", Order("unknown"))
    assert organization.name == "o."
    assert _found(organization) == [("", "d.1", None, False, "unknown")]


@pytest.mark.parametrize(
    ("code", "expected"),
    [("broken", True), ("unknown", True), ("after", False), ("not-applicable", False)],
)
def test_a_finding_about_the_organization_makes_it_incomplete(code: str, *, expected: bool) -> None:
    """An organization of which not all could be judged may have more databases."""
    organization = OrganizationLanes("o")
    organization.add_unlisted("o", Order(code))
    assert (organization.is_incomplete, organization.lanes) == (expected, {})


def test_the_lines_of_keys_are_kept_up_to_a_number() -> None:
    """Lines of registered and planned keys are kept, each version too, and the others counted."""
    lane = Lane(LaneScope())
    lines = [key_line(number % 2, state="registered") for number in range(MOST_LINES - 1)]
    lines += [key_line(state="planned", change="register")] * 3
    for line in lines:
        lane.add_key(line)
    assert (lane.lines, lane.more_lines) == (lines[:MOST_LINES], 2)


def test_looks_at_regions_are_counted() -> None:
    """What the portal showed of databases is counted by day and key; too many days are left out."""
    organization = OrganizationLanes("o")
    look: Any = {"key": "customer", "by": "it", "on": "2026-03-01", "due": "2027-03-01"}
    for number in range(1, 26):
        seen = look | {"on": f"2026-03-{number:02}"}
        organization.add_database(database_line(region_entry(portal=seen)), {})
    organization.add_database(database_line(region_entry(portal=look)), {})
    [lane] = organization.lanes.values()
    assert lane.portal_counts[RegionLook("2026-03-01", "customer", "2027-03-01")] == 2
    assert (len(lane.portal_counts), lane.portal_counts.total()) == (20, 21)


def test_versions_of_a_key_are_one_key() -> None:
    """Another version of a key is no other key; beyond three, keys are counted."""
    lane = Lane(LaneScope())
    for version in ("0" * 32, "1" * 32):
        lane.add_key(key_line(key_id=azure_key_id(version=version)))
    counts = [(len(lane.keys), lane.more_keys)]
    for number in range(2, 7):
        lane.add_key(key_line(number))
    assert [*counts, (len(lane.keys), lane.more_keys)] == [(1, 0), (3, 3)]


def test_planned_changes_are_listed_once() -> None:
    """Two planned keys of one kind say the same."""
    lane = Lane(LaneScope())
    for change in ("register", "register", "remove"):
        lane.add_key(key_line(state="planned", change=change))
    assert (lane.keys, lane.planned_keys) == ([], ["register", "remove"])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([key_line()], False),
        ([key_line(replaced=[{"cases": ["TS1"]}])], False),
        ([key_line(replaced=[{"cases": ["TS1"]}, {"cases": []}])], True),
        ([key_line(contradiction="It is so.")], True),
        ([key_line(), key_line(2)], True),
    ],
)
def test_a_doubt_about_a_key_is_one_of_its_lane(lines: list[Any], *, expected: bool) -> None:
    """A lane whose key is in doubt ranks with those whose order is not known."""
    lane = Lane(LaneScope())
    for line in lines:
        lane.add_key(line)
    lane.databases.add(deployment("d", None, Order("after"), is_planned=False))
    worse = Lane(LaneScope())
    worse.databases.add(deployment("d", None, Order("unknown"), is_planned=False))
    assert (lane.is_doubtful, lane.rank == worse.rank) == (expected, expected)
