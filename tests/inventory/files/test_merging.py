"""Several files that describe one moment, made into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import InventoryError, Problem
from inventory.files.merging import merge, merge_planned_databases
from inventory.model.base import Located
from inventory.model.database import Database
from inventory.model.gaps import Gap, Reading
from inventory.model.key import VendorAccount
from inventory.model.organization import Organization
from tests.builders import (
    ORGANIZATION,
    OTHER_DATABASE,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    a_support_case,
    a_view,
    an_organization,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
    moment,
    uuid,
)
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Callable

AWS = aws_key_id("us-east-1", 9)
UNDATED: dict[str, Any] = {"created_at": None, "regions": ["us-east-1"]}
BARE = ("keys", "databases", "plan", "region_views")


def bare(file: str = "a.yaml", line: int = 3, **over: object) -> Organization:
    """Return an organization that states nothing but its id, its name and ``over``."""
    whole = an_organization(**over)
    kept = {"id", "name", "captured_at", *over}
    data = {name: getattr(whole, name) for name in kept}
    return Organization.model_validate(data).at(file, line)


def one_of(*organizations: Organization) -> Organization:
    (merged,) = merge(organizations)
    return merged


def problems(*organizations: Organization) -> list[Problem]:
    with pytest.raises(InventoryError) as caught:
        merge(organizations)
    return list(caught.value.problems)


def at(entry: Located, file: str, line: int) -> Any:  # noqa: ANN401 (the entry itself)
    return entry.at(file, line)


def placed(entries: list[Any], file: str) -> list[Any]:
    return [entry.model_copy().at(file, line) for line, entry in enumerate(entries, 1)]


@st.composite
def files(draw: st.DrawFn) -> list[Organization]:
    """Draw what several files say of one organization: often the same, sometimes another thing."""
    rotation = {"automatic": True, "by": "acme-security", "on": "2026-11-01"}
    keys = [a_key(), a_key(rotation=rotation), a_key(region="us-east-2"), a_key(key_id=AWS)]
    databases = [a_database(), a_database(data="stringent"), a_database(id=OTHER_DATABASE)]
    planned = [a_planned_database(), a_planned_database(name="other")]
    gaps = [Gap(fact="databases", reason=reason) for reason in ("refused", "cut-short")]
    fields: dict[str, st.SearchStrategy[Any]] = {
        "keys": st.lists(st.sampled_from(keys), max_size=2),
        "databases": st.lists(st.sampled_from(databases + planned), max_size=3),
        "gaps": st.lists(st.sampled_from(gaps), max_size=2),
        "captured_at": st.sampled_from([None, moment("2026-11-18"), moment("2026-11-19")]),
    }
    drawn: list[dict[str, Any]] = draw(
        st.lists(st.fixed_dictionaries({}, optional=fields), min_size=1, max_size=4)
    )
    names = ("keys", "databases")
    for number, over in enumerate(drawn):
        over.update({name: placed(over[name], f"{number}.yaml") for name in names if name in over})
    return [bare(f"{number}.yaml", 3, **over) for number, over in enumerate(drawn)]


def shown(merged: Callable[[], list[Organization]]) -> Any:  # noqa: ANN401 (to be compared)
    try:
        organizations = merged()
    except InventoryError as error:
        return set(error.problems)
    [whole] = organizations
    entries = (*(whole.keys or ()), *(whole.databases or ()))
    return whole, whole.stated(), [entry.location for entry in (whole, *entries)]


@examples(200)
@given(files())
def test_all_at_once(several: list[Organization]) -> None:
    """Files are merged to the same as one after the other, and contradict each other alike."""

    def one_by_one() -> list[Organization]:
        whole = several[:1]
        for organization in several[1:]:
            whole = merge([*whole, organization])
        return whole

    expected, merged = shown(one_by_one), shown(lambda: merge(several))
    assert expected <= merged if isinstance(expected, set) else merged == expected


# --- union ----------------------------------------------------------------------------------------


def test_one_file() -> None:
    """What stands in one file only stays what it is, in the order of the files."""
    one, two = an_organization(), an_organization(id=OTHER_ORGANIZATION)
    assert merge([two, one]) == [two, one]
    assert merge([]) == []


def test_union_of_lists() -> None:
    """The lists of two files are united, and what stands in both stands there once."""
    key, other_key = a_key(), a_key(region="us-east-2")
    database, other = a_database(), a_database(id=OTHER_DATABASE)
    view, other_view = a_view(), a_view(region="us-east-2", key_id=None)
    case, other_case = a_support_case(), a_support_case(ticket="TS000000002")
    one = bare(keys=[key], databases=[database, other], region_views=[view], support_cases=[case])
    two = bare(
        "b.yaml",
        keys=[key, other_key],
        databases=[database],
        region_views=[other_view, view],
        support_cases=[other_case, case],
    )
    merged = one_of(one, two)
    assert merged.keys == (key, other_key)
    assert merged.databases == (database, other)
    assert merged.region_views == (view, other_view)
    assert merged.support_cases == (case, other_case)


@pytest.mark.parametrize("name", ["keys", "databases", "region_views"])
def test_lists_that_one_file_lacks(name: str) -> None:
    """A list that one file lacks is that of the other; it is missing only if both lack it."""
    lacking = bare()
    empty = lacking.model_copy(update={name: ()})
    assert getattr(one_of(lacking, empty), name) == ()
    assert getattr(one_of(empty, lacking), name) == ()
    assert getattr(one_of(lacking, lacking), name) is None


def test_fields_that_one_file_lacks() -> None:
    """A field that one file lacks is that of the other."""
    plan = {"paid": True, "by": "acme-security", "on": "2026-11-01"}
    policy = {"default": {"encryption": "astra-provided", "reason": "a trial"}}
    one, two = bare(plan=plan), bare(policy=policy)
    for merged in (one_of(one, two), one_of(two, one)):
        assert merged.plan == one.plan
        assert merged.policy == two.policy


def test_parts_of_entries() -> None:
    """One file may state of a database or a key what the other leaves open."""
    rotation = {"automatic": True, "by": "acme-security", "on": "2026-11-01"}
    one = bare(keys=[a_key(rotation=rotation)], databases=[a_database()])
    two = bare(keys=[a_key()], databases=[a_database(status="TERMINATED", data="stringent")])
    merged = one_of(one, two)
    assert merged == one_of(two, one)
    assert merged.keys == (a_key(rotation=rotation),)
    assert merged.databases == (a_database(status="TERMINATED", data="stringent"),)


def test_regions_in_another_order() -> None:
    """The regions of a database may stand in another order in another file."""
    one = bare(databases=[a_database(regions=["us-east-1", "us-east-2"])])
    two = bare(databases=[a_database(regions=["us-east-2", "us-east-1"])])
    assert one_of(one, two).databases == one.databases


LOOK = {"key": "customer", "by": "acme-security", "on": "2026-11-01"}


def in_regions(*regions: dict[str, Any]) -> Database:
    return a_database(regions=list(regions), created_at=None)


def test_looks_at_regions() -> None:
    """One file may state of a region what the other leaves open, such as a look at the portal."""
    added = {"name": "us-east-1", "added_at": "2026-06-01T00:00:00Z"}
    plain = {"name": "us-west-2"}
    one = bare(databases=[in_regions(added, plain)])
    two = bare(databases=[in_regions(plain, {"name": "us-east-1", "portal": LOOK})])
    assert one_of(one, two).databases == (in_regions(added | {"portal": LOOK}, plain),)
    assert one_of(two, one).databases == (in_regions(plain, added | {"portal": LOOK}),)


@pytest.mark.parametrize(
    ("one", "two", "field"),
    [
        ({"portal": LOOK}, {"portal": LOOK | {"key": "astra"}}, "portal"),
        ({"portal": LOOK}, {"portal": LOOK | {"by": "acme-audit"}}, "portal"),
        ({}, {"state": "planned"}, "state"),
        ({"state": "planned"}, {}, "state"),
        ({"state": "planned"}, {"portal": LOOK}, "state"),
        ({"encryption": "customer-managed"}, {"encryption": None}, "encryption"),
    ],
)
def test_contradictory_regions(one: dict[str, Any], two: dict[str, Any], field: str) -> None:
    """Two files that state different things of one region are an error, also of its state."""
    files = [
        bare(databases=[at(in_regions({"name": "a"}, {"name": "b"} | over), f"{name}.yaml", 7)])
        for name, over in (("a", one), ("b", two))
    ]
    (problem,) = problems(*files)
    assert problem[:3] == ("b.yaml", 7, f"regions[1].{field}")
    assert problem.expected.endswith(", as a.yaml:7 says")


def test_gaps_of_both_files() -> None:
    """The gaps of both files stay gaps, each once."""
    refused = Gap(fact="databases", reason="refused")
    cut = Gap(fact="databases", reason="cut-short")
    merged = one_of(bare(gaps=[refused]), bare(gaps=[cut, refused], databases=[]))
    assert merged.gaps == (refused, cut)


def test_earliest_time() -> None:
    """Of two times of recording the earlier counts, and none if one file is undated."""
    early, late = moment("2026-11-18"), moment("2026-11-19")
    one, two = bare(captured_at=early), bare(captured_at=late)
    assert one_of(one, two).captured_at == one_of(two, one).captured_at == early
    assert one_of(one, bare(captured_at=None)).captured_at is None
    assert one_of(bare(captured_at=None), one).captured_at is None


def test_three_files() -> None:
    """Any number of files is merged."""
    regions = ["us-east-1", "us-east-2", "us-west-2"]
    merged = one_of(*(bare(keys=[a_key(region=region)]) for region in regions))
    assert [key.region for key in merged.keys or ()] == regions


def test_places_after_merging() -> None:
    """A merged entry keeps the place where it was met first."""
    one = bare(keys=[at(a_key(), "a.yaml", 7)])
    two = bare(
        "b.yaml", keys=[at(a_key(), "b.yaml", 8), at(a_key(region="us-east-2"), "b.yaml", 9)]
    )
    merged = one_of(one, two)
    assert (merged.file, merged.line) == ("a.yaml", 3)
    assert [(key.file, key.line) for key in merged.keys or ()] == [("a.yaml", 7), ("b.yaml", 9)]


# --- contradictions -------------------------------------------------------------------------------


def test_every_contradiction() -> None:
    """What two files state differently is an error that names both places, all at once."""
    plan = {"paid": True, "by": "acme-security", "on": "2026-11-01"}
    one = bare(name="acme-prod", owner="Platform", plan=plan)
    two = bare("b.json", 9, name="acme-test", owner="Data", plan=plan | {"paid": False})
    assert problems(one, two) == [
        Problem("b.json", 9, "name", "'acme-test'", "'acme-prod', as a.yaml:3 says"),
        Problem("b.json", 9, "owner", "'Data'", "'Platform', as a.yaml:3 says"),
        Problem(
            "b.json",
            9,
            "plan",
            str(two.plan)[:80] + f"… ({len(str(two.plan)):,} characters)",
            str(one.plan)[:80] + f"… ({len(str(one.plan)):,} characters), as a.yaml:3 says",
        ),
    ]


@pytest.mark.parametrize(
    ("one", "two", "field", "found", "expected"),
    [
        ({}, {"name": "acme-bills"}, "name", "'acme-bills'", "'acme-orders'"),
        ({}, {"type": "classic"}, "type", "'managed-clusters'", "'serverless'"),
        ({}, {"type": None, "tier": "C10"}, "type", "'managed-clusters'", "'serverless'"),
        ({"type": None, "tier": "C10"}, {}, "type", "'serverless'", "'managed-clusters'"),
        ({"type": None, "tier": "x"}, {}, "type", "'serverless'", "'unknown'"),
        ({}, {"provider": "gcp"}, "provider", "'gcp'", "'aws'"),
        (UNDATED, UNDATED | {"state": "planned"}, "state", "'planned'", "'existing'"),
        (UNDATED | {"state": "planned"}, UNDATED, "state", "'existing'", "'planned'"),
        ({"status": "ACTIVE"}, {"status": "TERMINATED"}, "status", "'TERMINATED'", "'ACTIVE'"),
        ({}, {"regions": ["us-east-2"]}, "regions", "'us-east-2'", "'us-east-1'"),
        ({}, {"regions": ["us-east-1", "b"]}, "regions", "'us-east-1, b'", "'us-east-1'"),
        (
            {},
            {"created_at": "2026-06-02T00:00:00Z"},
            "created_at",
            "2026-06-02 00:00:00+00:00",
            "2026-06-01 00:00:00+00:00",
        ),
    ],
)
def test_contradictory_databases(
    one: dict[str, Any], two: dict[str, Any], field: str, found: str, expected: str
) -> None:
    """Two files that state different things of one database are an error, defaults included."""

    def database(over: dict[str, Any], file: str, line: int) -> Database:
        data = a_database().model_dump(exclude_unset=True) | over
        if over.get("type", "") is None:
            del data["type"]
        regions = over.get("regions")
        if regions:
            data["regions"] = [{"name": region} for region in regions]
        return Database.model_validate(data).at(file, line)

    first = bare(databases=[database(one, "a.yaml", 7)])
    second = bare("b.yaml", databases=[database(two, "b.yaml", 8)])
    assert problems(first, second) == [
        Problem("b.yaml", 8, field, found, f"{expected}, as a.yaml:7 says")
    ]


def test_type_by_tier_in_one_file() -> None:
    """A type in one file and a tier in the other that tells the same are no contradiction."""
    data = a_database().model_dump(exclude_unset=True)
    del data["type"]
    by_tier = Database.model_validate(data | {"tier": "serverless"})
    for databases in ([by_tier, a_database()], [a_database(), by_tier]):
        merged = one_of(*(bare(databases=[database]) for database in databases))
        assert merged.databases == (a_database(tier="serverless"),)


def test_contradictory_views() -> None:
    """Two files that show different keys for one region are an error."""
    one = bare(region_views=[at(a_view(), "a.yaml", 7)])
    two = bare(region_views=[at(a_view(key_id=None), "b.yaml", 8)])
    expected = f"'{aws_key_id()}', as a.yaml:7 says"
    (problem,) = problems(one, two)
    assert (problem.field, problem.found) == ("key_id", "nothing")
    assert problem.expected.startswith(expected[:60])


def test_one_ticket_for_two_days() -> None:
    """A case of IBM Support may take effect on two days; each file adds what it knows."""
    one, two = a_support_case(on="2026-08-01"), a_support_case(on="2026-09-01")
    assert one_of(bare(support_cases=[one, two]), bare()).support_cases == (one, two)
    assert one_of(bare(support_cases=[one]), bare(support_cases=[two])).support_cases == (one, two)
    other = bare(support_cases=[at(a_support_case(by="acme-ops"), "b.yaml", 8)])
    (problem,) = problems(bare(support_cases=[at(one, "a.yaml", 7)]), other)
    assert problem == Problem("b.yaml", 8, "by", "'acme-ops'", "'acme-security', as a.yaml:7 says")


def test_rival_keys() -> None:
    """Two files that name different keys for one scope are an error."""
    one = bare(keys=[at(a_key(key_id="one"), "a.yaml", 7), at(a_key(key_id="two"), "a.yaml", 8)])
    agreeing = bare(keys=[at(a_key(key_id="two"), "b.yaml", 9)])
    rival = bare(keys=[at(a_key(key_id="three"), "b.yaml", 9)])
    assert one_of(one, agreeing).keys == one.keys
    assert problems(one, rival) == [
        Problem("b.yaml", 9, "key_id", "'three'", "'one', as a.yaml:7 says")
    ]


def test_fewer_keys_than_another_file() -> None:
    """A file that names one of two rival keys contradicts nobody, whichever comes first."""
    both = bare(keys=[a_key(key_id="one"), a_key(key_id="two")])
    one = bare(keys=[a_key(key_id="two")])
    assert {key.key_id for key in one_of(one, both).keys or ()} == {"one", "two"}
    assert {key.key_id for key in one_of(both, one).keys or ()} == {"one", "two"}


@pytest.mark.parametrize(
    "ids",
    [
        [gcp_key_id(version=1), gcp_key_id(version=2)],
        [azure_key_id(), azure_key_id().upper().replace("HTTPS", "https")],
        [azure_key_id(), azure_key_id(version="0" * 32)],
    ],
)
def test_one_key_by_two_ids(ids: list[str]) -> None:
    """Two versions or spellings of one key are no rivals, and none of them is lost."""
    merged = one_of(*(bare(keys=[a_key(key_id=key_id)]) for key_id in ids))
    assert [key.key_id for key in merged.keys or ()] == ids


def test_one_key_in_two_views() -> None:
    """Two files that show two versions of one key for one region do not contradict each other."""
    one, two = (a_view(key_id=gcp_key_id(version=version)) for version in (1, 2))
    assert one_of(bare(region_views=[one]), bare(region_views=[two])).region_views == (one,)
    assert one_of(bare(region_views=[two]), bare(region_views=[one])).region_views == (two,)
    for views in ([one], [a_view(key_id=None)]), ([a_view(key_id=None)], [one]):
        assert len(problems(*(bare(region_views=view) for view in views))) == 1


def test_keys_of_other_scopes() -> None:
    """Different keys for different types, providers or regions are no rivals."""
    one = bare(keys=[a_key(key_id="one")])
    two = bare(keys=[a_key(key_id="two", type="classic"), a_key(key_id="three", region="b")])
    assert len(one_of(one, two).keys or ()) == 3


def test_one_key_in_several_scopes() -> None:
    """That one key serves several scopes is no contradiction: a rule judges it."""
    one, two = bare(keys=[a_key()]), bare(keys=[a_key(type="classic", key_id=aws_key_id())])
    assert len(one_of(one, two).keys or ()) == 2


# --- with a plan's databases ----------------------------------------------------------------------


def test_planned_databases_are_added() -> None:
    """What is planned comes after what exists; what both plan alike stands there once."""
    planned, other = a_planned_database(), a_planned_database(name="acme-other")
    one = bare(databases=[a_database(), planned])
    two = bare("plan.yaml", databases=[planned, other])
    assert merge_planned_databases(one, two) == (a_database(), planned, other)
    assert merge_planned_databases(bare(), two) == (planned, other)


def test_plan_for_an_existing_database() -> None:
    """A plan that plans what exists already, or plans a database otherwise, is an error."""
    one = bare(
        databases=[at(a_database(id=uuid(9)), "a.yaml", 7), at(a_planned_database(), "a.yaml", 8)]
    )
    other = [
        at(a_planned_database(id=uuid(9), name="acme-orders"), "plan.yaml", 5),
        at(a_planned_database(provider="gcp"), "plan.yaml", 6),
    ]
    two = bare("plan.yaml", databases=other)
    with pytest.raises(InventoryError) as caught:
        merge_planned_databases(one, two)
    assert [(problem.line, problem.field, problem.found) for problem in caught.value.problems] == [
        (5, "regions", f"only regions that {uuid(9)} already has, as a.yaml:7 says"),
        (6, "provider", "'gcp'"),
    ]


def test_organizations_by_id() -> None:
    """Organizations are told apart by their id, not by their name."""
    one, two = bare(), bare(id=OTHER_ORGANIZATION)
    assert [organization.id for organization in merge([one, two])] == [
        ORGANIZATION,
        OTHER_ORGANIZATION,
    ]


def test_rival_views() -> None:
    """Two files whose views of one region show two different keys contradict each other."""
    one, two = a_view(), a_view(key_id=aws_key_id(number=2))
    [problem] = problems(
        bare(region_views=[at(one, "a.yaml", 5)]),
        bare("b.yaml", region_views=[at(two, "b.yaml", 6)]),
    )
    assert (problem.file, problem.line, problem.field) == ("b.yaml", 6, "key_id")


def test_union_of_what_astra_says() -> None:
    """The accounts and the readings of two files are united, each once."""
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    accounts = [
        VendorAccount.model_validate(place | {"account": number}) for number in ("1", "2", "3")
    ]
    elsewhere = VendorAccount.model_validate(place | {"account": "1", "region": "us-west-2"})
    one = bare(vendor_accounts=accounts[:2])
    two = bare("b.yaml", vendor_accounts=[elsewhere, *accounts[1:]])
    assert one_of(one, two).vendor_accounts == (*accounts[:2], elsewhere, accounts[2])
    readings = [
        Reading(fact=fact, address="/v2/x", requests=1, answers={}, sha256=sha256)
        for fact, sha256 in (
            ("databases", "a" * 64),
            ("databases", "b" * 64),
            ("identity", "a" * 64),
        )
    ]
    one, two = bare(readings=readings[:2]), bare("b.yaml", readings=readings[1:])
    assert one_of(one, two).readings == tuple(readings)


def test_cases_of_one_ticket_in_two_scopes() -> None:
    """One ticket that names two key scopes is two cases."""
    one, two = a_support_case(), a_support_case(region="us-west-2")
    merged = one_of(bare(support_cases=[one]), bare("b.yaml", support_cases=[two]))
    assert merged.support_cases == (one, two)


def test_a_plan_without_databases() -> None:
    """A plan that holds no list of databases changes none of those that were recorded."""
    recorded = an_organization()
    plan = recorded.model_copy(update={"databases": None})
    assert merge_planned_databases(recorded, plan) == recorded.databases
