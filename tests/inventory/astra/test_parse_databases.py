"""What Astra's list of databases means, and what it does not tell."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.astra.parse_databases import parse_databases
from inventory.astra.parsing import ParsedList
from inventory.model.database import Database, DatabaseRegion
from tests.builders import ORGANIZATION, OTHER_ORGANIZATION, moment
from tests.inventory.live import (
    PATH,
    an_exchange,
    datacenter,
    listed_database,
)

CREATED = moment("2026-05-01T00:00:00Z")
ADDED = moment("2026-06-01T00:00:00Z")


def gaps(parsed: ParsedList) -> set[tuple[str, str, str]]:
    return {(gap.fact, gap.reason, gap.detail) for gap in parsed.gaps}


UNKNOWN = "the provider {} is unknown"


A_TIME = "expected a time with its zone, as text, such as 2026-11-20T02:00:00Z"


def databases(*entries: dict[str, Any]) -> ParsedList:
    exchange = an_exchange(list(entries))
    return parse_databases([(exchange, place) for place in range(len(entries))], ORGANIZATION)


def one(**over: Any) -> ParsedList:  # noqa: ANN401
    return databases(listed_database(**over))


def with_centers(*centers: object, **over: object) -> ParsedList:
    info = {"datacenters": list(centers), "region": None} | over
    return one(info=info)


def regions(parsed: ParsedList) -> list[tuple[str, object]]:
    (database,) = parsed.entries
    return [(region.name, region.added_at) for region in database.regions]


ID = str(listed_database()["id"])
NAMED = f"the database '{ID}'"


def test_databases() -> None:
    """A database is read with all that the rules need, and nothing else."""
    parsed = databases(listed_database(2), listed_database())
    expected = [
        Database(
            id=str(listed_database(number)["id"]),
            name=f"orders-{number}",
            tier="serverless",
            provider="aws",
            regions=(DatabaseRegion(name="us-east-1", added_at=ADDED, provider="aws"),),
            created_at=CREATED,
            seen=seen,
        )
        for number, seen in ((2, f"{PATH}:1"), (1, f"{PATH}:1"))
    ]
    assert parsed == ParsedList(expected, [])
    assert {database.type for database in parsed.entries} == {"serverless"}


def test_fields_that_may_be_absent() -> None:
    """A database without name, status or times goes by its id, as unknown and undated."""
    center = datacenter(dateCreated=None, cloudProvider=None)
    parsed = one(info={"name": "", "datacenters": [center]}, status=None, creationTime=None)
    (database,) = parsed.entries
    assert (database.name, database.status, database.created_at) == (ID, "UNKNOWN", None)
    assert [(region.added_at, region.provider) for region in database.regions] == [(None, None)]
    assert parsed.gaps == []


@pytest.mark.parametrize("name", [" ", "\u200b", "\u2800\u3164"])
def test_name_that_nobody_sees(name: str) -> None:
    """A database whose name a reader does not see goes by its id; its name is no gap."""
    parsed = one(info={"name": name, "datacenters": [datacenter()]})
    assert [entry.name for entry in parsed.entries] == [ID]
    assert parsed.gaps == []


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", "", None])
def test_time_that_is_none(never: str | None) -> None:
    """The year 1 is no time, and an absent time is none."""
    center = datacenter(dateCreated=never)
    parsed = one(info={"datacenters": [center]}, creationTime=never)
    (database,) = parsed.entries
    assert (database.created_at, regions(parsed)) == (None, [("us-east-1", None)])


def test_creation_stands_in_for_one_region() -> None:
    """If the one region of a database is undated, it was added when that was created."""
    assert regions(with_centers(datacenter(dateCreated=None))) == [("us-east-1", CREATED)]
    twice = with_centers(datacenter(dateCreated=None), datacenter(dateCreated=None))
    assert regions(twice) == [("us-east-1", CREATED)]


def test_creation_does_not_stand_in_for_several_regions() -> None:
    """In a database of several regions, a region without a date stays undated."""
    parsed = with_centers(datacenter("us-east-2"), datacenter(dateCreated=None))
    assert regions(parsed) == [("us-east-1", None), ("us-east-2", ADDED)]


def test_regions_come_from_datacenters() -> None:
    """A region is there once, by its oldest datacenter, and in an order of its own."""
    late = "2026-07-01T00:00:00Z"
    parsed = with_centers(
        datacenter("b", dateCreated=late), datacenter("a"), datacenter("b"), datacenter("c")
    )
    assert regions(parsed) == [("a", ADDED), ("b", ADDED), ("c", ADDED)]
    assert parsed.gaps == []


def test_region_with_an_undated_datacenter_is_undated() -> None:
    """If any datacenter of a region is undated, it may be the oldest, and the region is undated."""
    parsed = with_centers(datacenter("b"), datacenter("b", dateCreated=None), datacenter("a"))
    assert regions(parsed) == [("a", ADDED), ("b", None)]


def test_datacenters_win_over_the_main_region() -> None:
    """The regions are those of the datacenters; another main region is a gap beside them."""
    parsed = with_centers(datacenter("a"), region="b")
    assert regions(parsed) == [("a", ADDED)]
    detail = f"{NAMED} names the region 'b', but has no datacenter there"
    assert gaps(parsed) == {("databases", "malformed", detail)}


@pytest.mark.parametrize("region", [[], {}, ["a"], {"a": 1}])
def test_main_region_that_is_no_text(region: object) -> None:
    """A main region that is no text is compared like any other."""
    parsed = with_centers(datacenter("a"), region=region)
    assert {gap.reason for gap in parsed.gaps} == ({"malformed"} if region else set())


def test_terminated_datacenters() -> None:
    """A terminated datacenter is none; if it was the main region's, that is no gap."""
    parsed = with_centers(datacenter("a"), datacenter("b", status="terminated"), region="b")
    assert regions(parsed) == [("a", ADDED)]
    assert parsed.gaps == []


def test_no_living_datacenter() -> None:
    """If no datacenter lives, the main region is there, undated, and a gap beside it."""
    parsed = with_centers(datacenter("a", status="TERMINATED"), region="a")
    assert regions(parsed) == [("a", None)]
    assert gaps(parsed) == {("databases", "malformed", f"{NAMED} has no active datacenter")}


HIDDEN = f"{NAMED} has no readable list of datacenters: it may have more regions"


@pytest.mark.parametrize("centers", [None, "text", {}, {"a": 1}, 7, True])
def test_datacenters_that_are_no_list(centers: object) -> None:
    """If datacenters are missing, the main region is there, undated, and a gap beside it."""
    parsed = one(info={"datacenters": centers})
    assert regions(parsed) == [("us-east-1", None)]
    assert gaps(parsed) == {("databases", "malformed", HIDDEN)}


def test_datacenters_that_are_none() -> None:
    """If one of the datacenters cannot be read, the others are, and a gap is beside them."""
    parsed = with_centers(datacenter(), None, "text")
    assert regions(parsed) == [("us-east-1", ADDED)]
    assert gaps(parsed) == {("databases", "malformed", HIDDEN)}


def test_no_datacenters() -> None:
    """An empty list of datacenters is a gap, and the main region undated."""
    parsed = one(info={"datacenters": []})
    assert regions(parsed) == [("us-east-1", None)]
    assert gaps(parsed) == {("databases", "malformed", f"{NAMED} has no active datacenter")}


@pytest.mark.parametrize(
    ("tiers", "tier", "kind"),
    [
        (("serverless", "serverless"), "serverless", "serverless"),
        (("serverless", "SERVERLESS"), "SERVERLESS", "serverless"),
        (("C10", None), "C10", "managed-clusters"),
        ((None, "C10"), "C10", "managed-clusters"),
        (("serverless", "C10"), "C10 and serverless", "unknown"),
        (("C10", "C20"), "C10 and C20", "unknown"),
        (("developer", "developer"), "developer", "unknown"),
        ((None, None), "(none reported)", "unknown"),
        (({"a": 1}, None), "{'a': 1}", "unknown"),
    ],
)
def test_tiers(tiers: tuple[object, object], tier: str, kind: str) -> None:
    """The type follows from the tier; tiers that contradict each other, or none, tell no type."""
    parsed = one(info={"tier": tiers[0], "datacenters": [datacenter(tier=tiers[1])]})
    (database,) = parsed.entries
    assert (database.tier, database.type) == (tier, kind)


@pytest.mark.parametrize(
    ("info", "centers", "provider", "own"),
    [
        ("AWS", "gcp", "aws", "gcp"),
        (None, "GCP", "gcp", "gcp"),
        ("Azure", None, "azure", None),
    ],
)
def test_providers(info: str | None, centers: str | None, provider: str, own: str | None) -> None:
    """The provider is the database's, else a datacenter's; each region keeps its own."""
    parsed = one(info={"cloudProvider": info, "datacenters": [datacenter(cloudProvider=centers)]})
    (database,) = parsed.entries
    assert (database.provider, database.regions[0].provider) == (provider, own)


@pytest.mark.parametrize(
    ("over", "reason", "detail"),
    [
        ({"info": {"cloudProvider": "oracle"}}, "unknown-value", UNKNOWN.format("'oracle'")),
        (
            {"info": {"datacenters": [datacenter(cloudProvider="oracle")]}},
            "unknown-value",
            UNKNOWN.format("'oracle'"),
        ),
        (
            {"info": {"cloudProvider": None, "datacenters": None}},
            "unknown-value",
            UNKNOWN.format("nothing"),
        ),
        (
            {"info": {"datacenters": [datacenter(), datacenter(cloudProvider="gcp")]}},
            "malformed",
            "'us-east-1' has two providers",
        ),
        (
            {"info": {"datacenters": [datacenter(None)]}},  # type: ignore[arg-type]
            "malformed",
            "name: found nothing, expected text",
        ),
        (
            {"info": {"datacenters": [datacenter(), datacenter({})]}},  # type: ignore[arg-type]
            "malformed",
            "name: found an empty mapping, expected text",
        ),
        ({"info": {"name": 7}}, "malformed", "name: found 7, expected text"),
        (
            {"info": {"region": None, "datacenters": []}},
            "malformed",
            "name: found nothing, expected text",
        ),
        (
            {"creationTime": "yesterday"},
            "malformed",
            f"created_at: found 'yesterday', {A_TIME}",
        ),
        (
            {"info": {"datacenters": [datacenter(dateCreated=1780272000)]}},
            "malformed",
            f"added_at: found '1780272000', {A_TIME}",
        ),
        (
            {"orgId": OTHER_ORGANIZATION},
            "wrong-organization",
            f"an entry belongs to organization '{OTHER_ORGANIZATION}'",
        ),
    ],
)
def test_databases_that_cannot_be_understood(
    over: dict[str, Any], reason: str, detail: str
) -> None:
    """A database that cannot be understood is a gap with the words found; the others are read."""
    parsed = databases(listed_database(**over), listed_database(2))
    assert [entry.name for entry in parsed.entries] == ["orders-2"]
    assert gaps(parsed) == {("databases", reason, f"{detail} ({PATH}:1)")}


@pytest.mark.parametrize("info", [None, [], "text", 7])
def test_databases_without_info(info: object) -> None:
    """A database without its particulars is a gap that names it."""
    parsed = databases(listed_database() | {"info": info})
    assert parsed.entries == []
    assert gaps(parsed) == {("databases", "malformed", f"{NAMED} has no info ({PATH}:1)")}


def test_statuses_are_kept_as_they_are() -> None:
    """The status is an open set, and kept as Astra reports it."""
    parsed = [one(status=status).entries[0] for status in ("PARKED", "NEW-ONE", "TERMINATED")]
    assert [database.status for database in parsed] == ["PARKED", "NEW-ONE", "TERMINATED"]
    assert [database.is_terminated for database in parsed] == [False, False, True]


@pytest.mark.parametrize("field", ["status", "creationTime"])
def test_half_a_character_is_no_text(field: str) -> None:
    """A text that no encoding can write makes its database a gap, and no other."""
    parsed = databases(listed_database(1), listed_database(2) | {field: "\ud800"})
    assert [database.name for database in parsed.entries] == [listed_database(1)["info"]["name"]]
    assert [gap.reason for gap in parsed.gaps] == ["malformed"]


@pytest.mark.parametrize("field", ["tier", "name", "region"])
def test_half_a_character_anywhere(field: str) -> None:
    """Whatever text of a database is no text, the database is a gap, and can be written."""
    info = listed_database()["info"] | {field: "x\udfff"}
    if field == "region":
        info["datacenters"] = [datacenter() | {"region": "x\udfff"}]
    parsed = one(info=info)
    assert (parsed.entries, [gap.reason for gap in parsed.gaps]) == ([], ["malformed"])
    assert parsed.gaps[0].detail.isascii()


def test_a_datacenter_of_another_provider() -> None:
    """A database whose datacenter is of another provider may be of either, which is a gap."""
    parsed = one(info={"cloudProvider": "AWS", "datacenters": [datacenter(cloudProvider="GCP")]})
    assert [gap.reason for gap in parsed.gaps] == ["malformed"]
    assert "is in 'AWS', but a datacenter is in 'GCP'" in parsed.gaps[0].detail
