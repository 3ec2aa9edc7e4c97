"""Every database is read, or a gap says that the list is not known to be whole."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from inventory.astra.parsing import FetchedOrganization
from inventory.astra.replay import replay
from inventory.evidence.reader import open_bundle
from inventory.model.gaps import ListPass, TerminatedCount
from tests.builders import OTHER_ORGANIZATION
from tests.inventory.live import (
    FIRST_PAGE,
    Astra,
    answer,
    configured,
    datacenter,
    fleet,
    gaps,
    listed_database,
    names,
    read,
    reasons,
    single,
    write_bundle,
)

if TYPE_CHECKING:
    from pathlib import Path


def placed(number: int, tier: str, *places: tuple[str, str], **over: Any) -> dict[str, Any]:  # noqa: ANN401
    centers = [datacenter(region, cloudProvider=provider) for provider, region in places]
    info = {"tier": tier, "cloudProvider": places[0][0], "region": places[0][1]}
    centers = [center | {"tier": tier} for center in centers]
    return listed_database(number, info=info | {"datacenters": centers}, **over)


@pytest.mark.parametrize("count", [0, 1, 97, 98, 99, 100, 101, 198, 199, 200, 250])
def test_every_database_is_read(count: int) -> None:
    """Every database is read, however many pages that takes, and the list is read twice."""
    fetched = read(Astra(databases=fleet(count)))
    assert sorted(names(fetched.organization)) == sorted(
        f"orders-{number + 1}" for number in range(count)
    )
    assert reasons(fetched) == set()
    databases = fetched.lists["databases"]
    assert databases.passes == tuple(ListPass(entries=count, page_size=size) for size in (100, 99))
    assert databases.terminated == TerminatedCount(entries=0)


def test_terminated_databases_are_known_to_be_gone() -> None:
    """What was terminated is known as that, however many pages it takes, and counts nowhere."""
    gone = [organization | {"status": "TERMINATED"} for organization in fleet(130)[1:]]
    fetched = read(Astra(databases=fleet(1), gone=gone))
    databases = fetched.organization.databases or ()
    assert Counter(database.is_terminated for database in databases) == {True: 129, False: 1}
    assert len(fetched.lists["databases"].entries) == 1
    assert fetched.lists["databases"].terminated == TerminatedCount(entries=129)
    assert reasons(fetched) == set()


def test_only_what_is_terminated_counts_as_that() -> None:
    """A database among the terminated ones that lives, there or in the list, is not gone."""
    alive, other = fleet(2)
    fetched = read(Astra(databases=[alive], gone=[alive | {"status": "TERMINATED"}, other]))
    databases = fetched.organization.databases or ()
    assert [(database.name, database.is_terminated) for database in databases] == [
        ("orders-1", False)
    ]


def test_terminated_databases_that_cannot_be_read() -> None:
    """If the terminated ones cannot be read, that is said; they are taken for vanished then."""
    address = "/v2/databases?include=terminated&provider=ALL&limit=100"
    fetched = read(Astra(databases=fleet(1), other={address: answer({}, 400)}))
    assert fetched.lists["databases"].terminated == TerminatedCount(entries=0, complete=False)
    assert reasons(fetched) == set()


def test_list_ends_with_an_empty_page() -> None:
    """A page that is not full proves nothing: it is asked on until a page is empty."""
    astra = Astra(databases=fleet(3))
    read(astra)
    last = listed_database(3)["id"]
    assert astra.asked.count(f"{FIRST_PAGE}&starting_after={last}") == 1


def test_pages_of_another_size_than_asked() -> None:
    """If pages are shorter than was asked for, every database is read all the same."""

    class Short(Astra):
        def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
            return super()._page(query)[:2]

    fetched = read(Short(databases=fleet(7)))
    assert (len(names(fetched.organization)), reasons(fetched)) == (7, set())


def test_databases_are_in_the_order_of_their_ids() -> None:
    """Databases stand in the order of their ids, in whatever order they were read."""
    shuffled = [listed_database(number) for number in (3, 1, 2)]

    class AtOnce(Astra):
        def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
            return [] if "starting_after" in query else shuffled

    assert names(read(AtOnce()).organization) == ["orders-1", "orders-2", "orders-3"]


def cut_short(fetched: FetchedOrganization) -> str:
    ((fact, reason, detail),) = gaps(fetched)
    assert (fact, reason) == ("databases", "cut-short")
    return detail


def test_growth_that_settles() -> None:
    """If a database appears between the readings, a third reading that agrees settles it."""
    fetched = read(Astra(readings=[fleet(2), fleet(3), fleet(3)]))
    assert (names(fetched.organization), reasons(fetched)) == (
        ["orders-1", "orders-2", "orders-3"],
        set(),
    )
    assert [one.entries for one in fetched.lists["databases"].passes] == [2, 3, 3]


def test_growth_that_goes_on() -> None:
    """If no two readings in a row agree, the list is not known to be whole; all found is kept."""
    fetched = read(Astra(readings=[fleet(2), fleet(3), fleet(9)]))
    assert len(names(fetched.organization)) == 9
    odd = ", ".join(f"'{listed_database(number)['id']}'" for number in (3, 4, 5))
    assert cut_short(fetched) == (
        f"3 readings of the list differ (2, 3, 9 databases), in: {odd} and 4 more"
    )


@pytest.mark.parametrize(
    "readings",
    [
        [fleet(3), fleet(2), fleet(2)],
        [fleet(3), fleet(3)[1:], fleet(3)[:2]],
        [fleet(3), [], []],
        [fleet(3), fleet(2), fleet(3)],
    ],
)
def test_databases_that_vanish(readings: list[list[dict[str, Any]]]) -> None:
    """If a database is missing from a later reading, the list is not known; it is kept."""
    fetched = read(Astra(readings=readings))
    assert cut_short(fetched).startswith("3 readings of the list differ (3, ")
    assert names(fetched.organization) == ["orders-1", "orders-2", "orders-3"]


@pytest.mark.parametrize(
    "info",
    [
        {"datacenters": [datacenter(), datacenter("us-east-2")]},
        {"tier": "C10"},
        {"datacenters": [datacenter(dateCreated="2026-06-02T00:00:00Z")]},
    ],
)
def test_readings_that_differ_in_content(info: dict[str, Any]) -> None:
    """Readings that say different things of one database do not agree, though it is in both."""
    now = [listed_database(1, info=info)]
    fetched = read(Astra(readings=[fleet(1), now, fleet(1)]))
    ((fact, reason, detail),) = gaps(fetched)
    assert (fact, reason) == ("databases", "malformed")
    assert detail.startswith("3 readings of the list differ (1, 1, 1 databases)")


@pytest.mark.parametrize("info", [None, "text", 7])
def test_databases_without_particulars(info: object) -> None:
    """A database without its particulars is a gap, and the same in each reading."""
    fetched = read(Astra(databases=[listed_database(1) | {"info": info}]))
    assert reasons(fetched) == {("databases", "malformed")}
    assert len(fetched.lists["databases"].passes) == 2


def test_details_may_differ() -> None:
    """What no rule hangs on may differ between readings."""
    now = [listed_database(1, observedStatus="PARKING", storage={"nodeCount": 3})]
    assert reasons(read(Astra(readings=[fleet(1), now]))) == set()


def last_page(number: int) -> str:
    return f"{FIRST_PAGE}&starting_after={listed_database(number)['id']}"


def test_page_loop() -> None:
    """If the first page comes again and again, the list is cut short, and not read for ever."""
    page = answer(fleet(100))
    astra = Astra(databases=fleet(150), other={last_page(100): page})
    fetched = read(astra)
    assert cut_short(fetched).startswith(f"a page repeats '{listed_database(1)['id']}' (exchanges/")
    assert len(names(fetched.organization)) == 100
    assert astra.asked.count(last_page(100)) == 1


def test_page_that_overlaps() -> None:
    """If a page repeats an entry of an earlier one, the list is cut short."""
    page = answer([listed_database(101), listed_database(100)])
    fetched = read(Astra(databases=fleet(150), other={last_page(100): page}))
    assert cut_short(fetched).startswith(
        f"a page repeats '{listed_database(100)['id']}' (exchanges/"
    )


def test_page_that_repeats_itself() -> None:
    """If a page holds an entry twice, the list is cut short, and the entry is named."""
    page = answer([listed_database(1), listed_database(2), listed_database(2)])
    fetched = read(Astra(other={FIRST_PAGE: page}))
    assert cut_short(fetched).startswith(f"a page repeats '{listed_database(2)['id']}' (exchanges/")
    assert names(fetched.organization) == ["orders-1", "orders-2"]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        7,
        "text",
        {},
        {"id": None},
        {"id": 7},
        {"id": ""},
        {"id": "two words"},
        {"id": "\ud800"},
        {"id": "x" * 100_000},
        {"id": "https://other.example.test/\u00e9"},
    ],
)
def test_entries_without_an_id(entry: object) -> None:
    """An entry without an id that can be one is a gap; those beside it are kept."""
    page = answer([listed_database(1), entry])
    fetched = read(Astra(other={FIRST_PAGE: page}))
    ((fact, reason, detail),) = gaps(fetched)
    assert (fact, reason) == ("databases", "malformed")
    assert re.fullmatch(r"1 entries without an id \(exchanges/0001\.ndjson\.gz:[0-9]+\)", detail)
    assert names(fetched.organization) == ["orders-1"]


@pytest.mark.parametrize("odd", ["a&limit=1", "../kms", "a%20b", "a#b", "AstraCS:x"])
def test_ids_that_steer_addresses(odd: str) -> None:
    """An id cannot change what is asked for next: it is there as it is, and no more."""
    astra = Astra(databases=[listed_database(1) | {"id": odd}])
    read(astra)
    asked = [address for address in astra.asked if "starting_after" in address]
    pattern = (
        r"/v2/databases\?include=(?:non)?terminated&provider=ALL&limit=[0-9]+"
        r"&starting_after=[^&#?/]+"
    )
    assert asked
    assert all(re.fullmatch(pattern, address) for address in asked)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer({}, 403), "refused"),
        (answer({}), "malformed"),
        (answer({}, 503), "unavailable"),
        (httpx.Response(404, text="404 page not found"), "wrong-address"),
    ],
)
@pytest.mark.parametrize("page", [FIRST_PAGE, last_page(100)])
def test_page_that_cannot_be_read(page: str, reply: httpx.Response, reason: str) -> None:
    """If a page cannot be read, the list is not known to be whole; what was read is kept."""
    fetched = read(Astra(databases=fleet(150), other={page: reply}), attempts=2)
    assert reasons(fetched) == {("databases", reason)}
    assert len(names(fetched.organization)) == (0 if page == FIRST_PAGE else 100)


@pytest.mark.parametrize("page", [FIRST_PAGE, last_page(100)])
def test_null_instead_of_a_page(page: str) -> None:
    """``null`` is no page, so it does not end the list: what follows it is unknown."""
    fetched = read(Astra(databases=fleet(150), other={page: answer(None)}), attempts=2)
    assert reasons(fetched) == {("databases", "malformed")}
    assert len(names(fetched.organization)) == (0 if page == FIRST_PAGE else 100)


def test_database_of_another_organization() -> None:
    """A database of another organization is a gap, and its place is not asked."""
    foreign = placed(2, "serverless", ("AWS", "a"), orgId=OTHER_ORGANIZATION)
    astra = Astra(databases=[listed_database(1), foreign])
    fetched = read(astra)
    assert reasons(fetched) == {("databases", "wrong-organization")}
    assert single(astra) == {"aws us-east-1"}


# --- no page, and no end --------------------------------------------------------------------------


class Nth(Astra):
    """Astra that answers ``null`` to the page asked for at ``place``, from 0, of all lists."""

    def __init__(self, place: int, count: int, **fields: Any) -> None:  # noqa: ANN401
        super().__init__(databases=fleet(count), **fields)
        self.location = place
        self.pages: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        right = super().answer(request)
        if request.url.path != "/v2/databases":
            return right
        self.pages.append(self.asked[-1])
        return answer(None) if len(self.pages) == self.location + 1 else right


GONE = [{**database, "status": "TERMINATED"} for database in fleet(350)[250:]]
PLACES = {
    0: "first page",
    1: "second page",
    2: "page after the last",
    3: "first page of the second reading",
    4: "second page of it",
    5: "page after its last",
    6: "terminated ones",
    7: "page after the last of them",
}


@pytest.mark.parametrize("place", PLACES, ids=PLACES.values())
def test_null_instead_of_any_page(place: int) -> None:
    """``null`` is no page and ends no list, wherever it is; what was read before is kept."""
    astra = Nth(place, 150, gone=GONE)
    fetched = read(astra, attempts=1)
    is_terminated = "include=terminated" in astra.pages[place]
    assert is_terminated is (place > 5)
    assert reasons(fetched) == (set() if is_terminated else {("databases", "malformed")})
    terminated = fetched.lists["databases"].terminated
    assert (terminated and terminated.complete) is not is_terminated
    listed = {name for name in names(fetched.organization) if int(name.partition("-")[2]) <= 150}
    assert len(listed) == {0: 0, 1: 100}.get(place, 150)


def test_null_is_asked_for_again() -> None:
    """A page that was ``null`` once is asked for again, and the list is whole then."""
    for place in range(len(PLACES)):
        fetched = read(Nth(place, 150, gone=GONE), attempts=2)
        assert (reasons(fetched), len(fetched.lists["databases"].entries)) == (set(), 150)


class Endless(Astra):
    """Astra whose list of databases has no end."""

    def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
        if query["include"] == "terminated":
            return []
        after = int(query.get("starting_after", "0")[-12:], 16)
        return [listed_database(after + number) for number in range(1, int(query["limit"]) + 1)]


def test_list_without_end(tmp_path: Path) -> None:
    """A list without an end is read up to the limit of pages: a gap, also in a replay."""
    fetched = read(Endless(), most_pages=3)
    detail = "more than 3 pages in one list: the limit is most_pages"
    assert gaps(fetched) == {("databases", "too-large", detail)}
    assert len(fetched.organization.databases or ()) == 300
    bundle = write_bundle(tmp_path / "bundle", (configured(), Endless()), most_pages=3)
    (organization,) = open_bundle(bundle).organizations()
    assert [gap.reason for gap in organization.gaps] == ["too-large"]
    assert replay(bundle).manifest.requests == 3 + 4 + 1


def test_list_with_as_many_pages_as_it_may_have() -> None:
    """The page that ends a list counts like the others."""
    assert reasons(read(Astra(databases=fleet(198)), most_pages=3)) == set()
    assert reasons(read(Astra(databases=fleet(201)), most_pages=3)) == {("databases", "too-large")}
