"""Counts of one thing by independent routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given

from checks.engine.finding import OPEN
from checks.shared import comparisons
from checks.shared.comparisons import Difference, compare, missing_regions, reconcile
from inventory.index.organization_index import index_organization
from inventory.model.database import Database
from inventory.model.gaps import Fact, Gap, ListPass, Reading
from inventory.model.key import VendorAccount
from inventory.model.terraform_managed import ManagedDatabase, ManagedResources
from tests.builders import (
    DATABASE,
    a_database,
    a_key,
    a_planned_database,
    a_view,
    an_organization,
    aws_key_id,
    azure_key_id,
    database_data,
    uuid,
)
from tests.checks.judging import judged
from tests.checks.strategies import organizations
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from checks.shared.comparisons import Comparison
    from inventory.model.organization import Organization

PLACE = "serverless / aws / us-east-1"
KEY = aws_key_id()


def _read(organization: Organization, **more: object) -> Organization:
    """Make ``organization`` one that was read from Astra, its databases twice."""
    count = len([database for database in organization.databases or () if not database.is_planned])
    more = {"readings": (_reading(count, count),)} | more
    return organization.model_copy(update={"vendor_accounts": (_account(),), **more})


def _reading(*counts: int, **more: Any) -> Reading:  # noqa: ANN401 (fields of any type)
    """Make a reading of the databases that counted these, page by page of 100, 99, and so on."""
    passes = tuple(
        ListPass(entries=count, page_size=size)
        for count, size in zip(counts, range(100, 0, -1), strict=False)
    )
    fields = {"fact": "databases", "address": "/v2/databases", "requests": 4, "passes": passes}
    return Reading.model_validate(fields | {"answers": {"200": 4}} | more)


def _account(region: str = "us-east-1") -> VendorAccount:
    place = {"type": "serverless", "provider": "aws", "region": region}
    return VendorAccount.model_validate({**place, "account": "111122223333"})


def _gap(fact: Fact) -> Gap:
    return Gap(fact=fact, reason="refused", detail="403")


def _healthy(**more: Any) -> Organization:  # noqa: ANN401 (fields of any type)
    fields = {"keys": [a_key()], "databases": [a_database()], "region_views": [a_view()]}
    return an_organization(**(fields | more))


def _odd(**over: object) -> Database:
    """Make a database whose tier tells no type."""
    data = database_data(**over) | {"tier": "new"}
    return Database.model_validate({name: data[name] for name in data if name != "type"})


def _comparison(organization: Organization, what: str) -> Comparison:
    comparisons = compare(index_organization(organization))
    [found] = [comparison for comparison in comparisons if comparison.what == what]
    return found


def _shown(organization: Organization, what: str) -> dict[str, Any]:
    [shown] = [comparison for comparison in reconcile(organization) if comparison["what"] == what]
    return shown


def _counts(shown: dict[str, Any]) -> list[int | None]:
    return [route["count"] for route in shown["routes"]]


def _in_short(organization: Organization, what: str) -> tuple[list[int | None], Any, list[str]]:
    shown = _shown(organization, what)
    return _counts(shown), shown["agree"], shown["differences"]


# --- what is compared -----------------------------------------------------------------------------


def test_an_inventory_of_one_route_is_not_compared() -> None:
    """An inventory that knows neither views nor readings has nothing to compare."""
    assert reconcile(an_organization(keys=[a_key()], databases=[a_database()])) == []


def test_everything_that_was_read_is_compared() -> None:
    """Of an organization that was read from Astra and has a plan, everything is compared."""
    databases = [a_database(), a_planned_database()]
    shown = reconcile(_read(_managing(_healthy(databases=databases), DATABASE)))
    assert {each["what"] for each in shown} == comparisons.COUNTED
    assert {each["agree"] for each in shown} == {True}


def test_both_views_in_a_file_are_compared() -> None:
    """A file with the views of regions and nothing else of Astra's is compared in that."""
    shown = {comparison["what"] for comparison in reconcile(_healthy())}
    assert shown == {"serverless-keys", "managed-clusters-keys", "region-views"}


# --- keys -----------------------------------------------------------------------------------------


def test_keys_agree() -> None:
    """The list of keys and the views of regions agree if they show the same keys."""
    assert _in_short(_healthy(), "serverless-keys") == ([1, 1], True, [])


@pytest.mark.parametrize(
    ("keys", "views", "counts", "difference"),
    [
        ([a_key()], [a_view(key_id=None)], [1, 0], f"key list: {KEY}, regional lookup: no key"),
        ([a_key()], [], [1, 0], f"key list: {KEY}, regional lookup: not recorded"),
        ([], [a_view()], [0, 1], f"key list: no key, regional lookup: {KEY}"),
        (
            [a_key()],
            [a_view(key_id=aws_key_id(number=2))],
            [1, 1],
            f"key list: {KEY}, regional lookup: {aws_key_id(number=2)}",
        ),
    ],
    ids=["not-shown", "not-recorded", "not-listed", "another"],
)
def test_keys_differ(keys: list[Any], views: list[Any], counts: list[int], difference: str) -> None:
    """Keys that only one route shows, or that the routes show differently, are named."""
    organization = _healthy(keys=keys, region_views=views)
    shown = (counts, False, [f"{PLACE}: {difference}"])
    assert _in_short(organization, "serverless-keys") == shown
    assert _shown(organization, "serverless-keys")["rule"] == "CMEK-13"


def test_versions_of_a_key_are_one_key() -> None:
    """A key id with a version and one without are the same key."""
    ids = [azure_key_id(version=version) for version in ("", "0" * 32)]
    keys = [a_key(provider="azure", region="westeurope", key_id=ids[0])]
    views = [a_view(provider="azure", region="westeurope", key_id=ids[1])]
    organization = _healthy(keys=keys, databases=[], region_views=views)
    assert _in_short(organization, "serverless-keys") == ([1, 1], True, [])


def test_there_are_no_views_where_there_are_no_keys() -> None:
    """Managed Clusters on Azure have no customer keys, so that no view of them is missed."""
    place = {"type": "managed-clusters", "provider": "azure"}
    key = a_key(**place, region="westeurope")
    database = a_database(**place, regions=["westeurope"])
    organization = _healthy(keys=[key], databases=[database], region_views=[])
    assert _in_short(organization, "managed-clusters-keys") == ([0, 0], True, [])
    assert _in_short(organization, "region-views") == ([0, 0], True, [])


@pytest.mark.parametrize("fact", ["serverless-keys", "region-views"])
def test_keys_that_were_not_read_do_not_agree(fact: Fact) -> None:
    """Where a route was not read to its end nothing agrees, and a count of nothing is no count."""
    whole = _healthy(gaps=[_gap(fact)])
    assert _in_short(whole, "serverless-keys") == ([1, 1], None, [])
    empty = _healthy(keys=[], region_views=[], gaps=[_gap(fact)])
    counts = [None, 0] if fact == "serverless-keys" else [0, None]
    assert _in_short(empty, "serverless-keys") == (counts, None, [])


def test_a_gap_hides_no_difference() -> None:
    """What differs is named also where it can be explained by what was not read."""
    organization = _healthy(region_views=[], gaps=[_gap("region-views")])
    differences = [f"{PLACE}: key list: {KEY}, regional lookup: not recorded"]
    assert _in_short(organization, "serverless-keys") == ([1, None], None, differences)


def test_views_are_due_where_keys_and_databases_are() -> None:
    """A view is missed where a database is deployed; one of neither key nor database is not."""
    organization = _healthy(
        databases=[a_database(regions=["us-east-1", "eu-west-1"])],
        region_views=[a_view(), a_view(region="us-west-2", key_id=None)],
    )
    differences = ["serverless / aws / eu-west-1: no regional lookup was recorded"]
    assert _in_short(organization, "region-views") == ([2, 1], False, differences)


def test_a_database_of_unknown_type_is_due_no_view() -> None:
    """Where the tier has no type, nobody knows which view is due: CMEK-14 doubts the database."""
    database = _odd()
    organization = _healthy(keys=[], databases=[database], region_views=[])
    assert _counts(_shown(organization, "region-views")) == [0, 0]


def test_accounts_are_named_for_every_key() -> None:
    """A key without an account, and an account without a key, are differences."""
    organization = _read(_healthy(), vendor_accounts=(_account("eu-west-1"),))
    differences = [
        f"{PLACE}: no account is named",
        "serverless / aws / eu-west-1: accounts, but no key",
    ]
    assert _in_short(organization, "vendor-accounts") == ([1, 1], False, differences)


# --- databases ------------------------------------------------------------------------------------


def test_readings_agree_with_the_inventory() -> None:
    """The list that was read twice alike, and is audited as it was read, agrees."""
    shown = _shown(_read(_healthy()), "databases")
    assert [route["by"] for route in shown["routes"]] == [
        "reading 1, by pages of 100",
        "reading 2, by pages of 99",
        "the audited inventory",
    ]
    assert (_counts(shown), shown["agree"]) == ([1, 1, 1], True)


@pytest.mark.parametrize(
    ("counts", "last"),
    [([1, 2], "1 and 2"), ([1, 1234, 1234], "1,234 and 1,234")],
    ids=["not-alike", "not-audited"],
)
def test_readings_differ(counts: list[int], last: str) -> None:
    """Readings that hold another number than the audited inventory are a difference."""
    organization = _read(_healthy(), readings=(_reading(*counts),))
    difference = f"the last readings counted {last}, the audited inventory holds 1"
    assert _in_short(organization, "databases") == ([*counts, 1], False, [difference])


def test_an_earlier_reading_may_hold_less() -> None:
    """Databases that appear while the list is read do no harm once two readings agree."""
    organization = _read(_healthy(), readings=(_reading(0, 1, 1),))
    assert _in_short(organization, "databases") == ([0, 1, 1, 1], True, [])


def test_databases_that_were_not_read_do_not_agree() -> None:
    """Where the list was refused nothing agrees, and the reason is named."""
    organization = _read(_healthy(databases=[]), readings=(_reading(0),))
    gaps = (_gap("databases"), _gap("vendor-accounts"))
    shown = _in_short(organization.model_copy(update={"gaps": gaps}), "databases")
    assert shown == ([0, 0], None, ["refused (403)"])


def test_a_reading_without_numbers_is_not_compared() -> None:
    """A reading of the databases without passes, and any of another fact, is not compared."""
    readings = (_reading(note="2 by pages of 100"), _reading(1, 1, fact="identity"))
    organization = _read(_healthy(), readings=readings)
    assert "databases" not in {comparison["what"] for comparison in reconcile(organization)}


def test_a_database_of_unknown_type_is_in_no_scope() -> None:
    """A living database whose tier tells no type is named; one that is terminated is not."""
    databases = [
        a_database(),
        a_database(id=uuid(9)),
        _odd(id=uuid(7), name="odd"),
        _odd(id=uuid(8), status="TERMINATED"),
    ]
    difference = f"odd ({uuid(7)}): tier 'new' does not identify the type"
    shown = _in_short(_read(_healthy(databases=databases)), "placements")
    assert shown == ([3, 2], False, [difference])


def _planned(name: str) -> object:
    return a_planned_database(name=name)


def _managing(organization: Organization, *ids: str) -> Organization:
    """Let ``ids`` be databases that stand in Terraform's state."""
    held = [
        ManagedDatabase(id=own, name=f"db-{each}").at("s.json", 1, f"astra_database.db[{each}]")
        for each, own in enumerate(ids)
    ]
    return organization.with_managed(ManagedResources(databases=tuple(held)))


def test_databases_that_terraform_manages_are_listed() -> None:
    """A database in Terraform's state is listed by Astra, however many files tell of it."""
    organization = _managing(_healthy(), DATABASE, DATABASE)
    shown = _shown(organization, "managed")
    assert [route["by"] for route in shown["routes"]] == [
        "in Terraform's state",
        "of these listed by Astra",
    ]
    assert (_counts(shown), shown["agree"], shown["rule"]) == ([1, 1], True, "CMEK-14")


def test_databases_that_only_terraform_knows_are_named() -> None:
    """A database in Terraform's state that Astra does not list is named, with its address."""
    organization = _managing(_healthy(databases=[a_database(), _planned("x")]), DATABASE, uuid(9))
    difference = f"db-1 ({uuid(9)}): astra_database.db[1] is not listed"
    assert _in_short(organization, "managed") == ([2, 1], False, [difference])


def test_a_terminated_database_is_listed() -> None:
    """A database that Astra lists as terminated is not one that nobody knows of."""
    organization = _managing(_healthy(databases=[a_database(status="TERMINATED")]), DATABASE)
    assert _in_short(organization, "managed") == ([1, 1], True, [])


@pytest.mark.parametrize("databases", [None, []], ids=["absent", "refused"])
def test_what_terraform_manages_is_not_compared_with_what_was_not_read(
    databases: list[Any] | None,
) -> None:
    """Where Astra's list was not read, what Terraform manages agrees with nothing."""
    organization = _healthy(databases=databases, gaps=[_gap("databases")])
    difference = f"db-0 ({DATABASE}): astra_database.db[0] is not listed"
    shown = _in_short(_managing(organization, DATABASE), "managed")
    assert shown == ([1, None], None, [difference])


def test_a_planned_database_is_not_listed_by_astra() -> None:
    """A planned database under the id of a managed one does not show that Astra lists that one."""
    organization = _managing(_healthy(databases=[a_planned_database(id=DATABASE)]), DATABASE)
    difference = f"db-0 ({DATABASE}): astra_database.db[0] is not listed"
    assert _in_short(organization, "managed") == ([1, 0], False, [difference])


# --- all of them ----------------------------------------------------------------------------------


def test_each_comparison_has_the_rule_that_judges_it() -> None:
    """What is counted in keys and views is judged by one rule, everything else by another."""
    shown = reconcile(_read(_managing(_healthy(), DATABASE)))
    assert {comparison["what"]: comparison["rule"] for comparison in shown} == {
        "serverless-keys": "CMEK-13",
        "managed-clusters-keys": "CMEK-13",
        "region-views": "CMEK-13",
        "vendor-accounts": "CMEK-14",
        "databases": "CMEK-14",
        "placements": "CMEK-14",
        "managed": "CMEK-14",
    }


@pytest.mark.parametrize(
    ("what", "facts"),
    [
        ("serverless-keys", {"serverless-keys", "region-views"}),
        ("managed-clusters-keys", {"managed-clusters-keys", "region-views"}),
        (
            "region-views",
            {"databases", "serverless-keys", "managed-clusters-keys", "region-views"},
        ),
        ("vendor-accounts", {"serverless-keys", "managed-clusters-keys", "vendor-accounts"}),
        ("databases", {"databases"}),
        ("placements", {"databases"}),
        ("managed", {"databases"}),
    ],
)
def test_nothing_agrees_over_what_was_not_read(what: str, facts: set[Fact]) -> None:
    """A comparison agrees only if everything that it counts was read in full."""
    whole = _read(_managing(_healthy(), DATABASE))
    open_facts = {
        fact
        for fact in get_args(Fact)
        if _shown(whole.model_copy(update={"gaps": (_gap(fact),)}), what)["agree"] is None
    }
    assert open_facts == facts


@pytest.mark.parametrize(
    ("what", "counts"), [("region-views", [1, None]), ("vendor-accounts", [1, None])]
)
def test_a_route_without_an_answer_has_no_count(what: str, counts: list[int | None]) -> None:
    """A route of which nothing was read counts nothing, which is not zero."""
    gaps = (_gap("region-views"), _gap("vendor-accounts"))
    organization = _read(_healthy(region_views=[]), vendor_accounts=(), gaps=gaps)
    assert _counts(_shown(organization, what)) == counts


def test_the_first_gap_of_a_fact_is_shown() -> None:
    """Of several gaps of one list, the first is named as the reason."""
    gaps = [_gap("databases"), _gap("databases").model_copy(update={"detail": "later"})]
    organization = _read(_healthy(), gaps=tuple(gaps))
    assert _shown(organization, "databases")["differences"] == ["refused (403)"]


def test_differences_are_named_in_the_order_of_their_scopes() -> None:
    """The order in which keys, views and accounts are listed does not show."""
    regions = ["r5", "r3", "r1", "r4", "r2", "r6", "r8", "r7"]
    keys = [a_key(region=region) for region in regions]
    ordered = [f"serverless / aws / {region}" for region in sorted(regions)]
    organization = _read(_healthy(keys=keys, databases=[], region_views=[]), vendor_accounts=())
    assert _shown(organization, "region-views")["differences"] == [
        f"{scope}: no regional lookup was recorded" for scope in ordered
    ]
    assert _shown(organization, "vendor-accounts")["differences"] == [
        f"{scope}: no account is named" for scope in ordered
    ]
    assert [
        text.partition(":")[0] for text in _shown(organization, "serverless-keys")["differences"]
    ] == ordered
    accounts = tuple(_account(region) for region in regions)
    organization = _read(_healthy(keys=[], databases=[]), vendor_accounts=accounts)
    assert _shown(organization, "vendor-accounts")["differences"] == [
        f"{scope}: accounts, but no key" for scope in ordered
    ]
    ids = [aws_key_id(number=number) for number in (4, 2, 3, 1)]
    rivals = _healthy(keys=[a_key(key_id=each) for each in ids], region_views=[])
    assert _shown(rivals, "serverless-keys")["differences"] == [
        f"{PLACE}: key list: {', '.join(sorted(ids))}, regional lookup: not recorded"
    ]


def test_a_key_where_there_can_be_none_is_compared_if_a_view_shows_it() -> None:
    """A key of Managed Clusters on Azure needs no view and no account, yet both may agree on it."""
    place = {"type": "managed-clusters", "provider": "azure", "region": "westeurope"}
    views = [a_view(**place)]
    organization = _read(
        _healthy(keys=[a_key(**place)], databases=[], region_views=views), vendor_accounts=()
    )
    assert _in_short(organization, "managed-clusters-keys") == ([1, 1], True, [])
    assert _in_short(organization, "vendor-accounts") == ([0, 0], True, [])


def test_terminated_databases_are_read_once() -> None:
    """Databases from the list of terminated ones are no part of the readings that are compared."""
    databases = [a_database(), *(a_database(id=uuid(n), status="TERMINATED") for n in (7, 8))]
    two = _reading(1, 1, terminated={"entries": 2})
    organization = _read(_healthy(databases=databases), readings=(two,))
    assert _in_short(organization, "databases") == ([1, 1, 1], True, [])
    many = _reading(1, 1, terminated={"entries": 1_002})
    organization = _read(_healthy(databases=databases), readings=(many,))
    assert _counts(_shown(organization, "databases")) == [1, 1, 3 - 1_002]


def test_the_last_two_readings_have_to_agree() -> None:
    """A list that shrinks while it is read is a difference, though its last reading is audited."""
    organization = _read(_healthy(), readings=(_reading(2, 1),))
    found = _comparison(organization, "databases")
    assert found.differences == (
        Difference("count", "the last readings counted 2 and 1, the audited inventory holds 1"),
    )


def test_many_differences_are_counted() -> None:
    """Beyond the limit differences are counted and not named."""
    keys = [a_key(region=f"r{number:02}") for number in range(25)]
    shown = _shown(_healthy(keys=keys, region_views=[]), "serverless-keys")
    assert (len(shown["differences"]), shown["differences_total"]) == (20, 25)


@examples(150)
@given(organizations(1))
def test_every_difference_is_a_finding_of_its_rule(organization: Organization) -> None:
    """What a comparison shows as a difference is an open finding of the rule beside it."""
    for comparison in compare(index_organization(organization)):
        if comparison.differences:
            statuses = {finding.status for finding in judged(comparison.rule, organization)}
            assert statuses & OPEN, comparison


def test_regions_that_only_the_state_has_are_named_once() -> None:
    """Region names count without case; each missing region of each database is named once."""
    one, two, gone = uuid(1), uuid(2), uuid(3)
    east, west, north = ("aws", "US-EAST-1"), ("aws", "us-west-2"), ("aws", "eu-north-1")
    databases = [
        a_database(id=one, regions=["us-east-1"]),
        a_database(id=two, regions=["Us-East-1"]),
        a_database(id=gone, status="TERMINATED"),
    ]
    places = [(one, (east, west)), (one, (west, north)), (two, (east, west)), (gone, (west,))]
    managed = tuple(
        ManagedDatabase(id=identity, name=f"db-{identity[-1]}", regions=regions)
        for identity, regions in [*places, (uuid(4), (west,))]
    )
    organization = _healthy(databases=databases).with_managed(ManagedResources(databases=managed))
    assert [part.named for part in missing_regions(organization)] == [
        f"db-1 ({one}) in aws/us-west-2",
        f"db-1 ({one}) in aws/eu-north-1",
        f"db-2 ({two}) in aws/us-west-2",
    ]


def test_a_database_whose_regions_the_state_hides_is_named() -> None:
    """A state that does not show all regions of a database is a difference, by name and id."""
    hidden = ManagedDatabase(id=DATABASE, name="acme-orders", missing="marked as sensitive")
    organization = _healthy().with_managed(ManagedResources(databases=(hidden,)))
    found = _comparison(organization, "managed")
    text = f"acme-orders ({DATABASE}): the state does not show its regions"
    assert found.differences == (Difference(DATABASE, text),)
