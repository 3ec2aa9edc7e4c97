"""The key plan: numbers against counts made in another way, lists, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from inventory.model.terraform_managed import ManagedKey, ManagedResources, UndeterminedDatabase
from reports.aggregation.aggregates import Aggregates
from reports.aggregation.coverage import Keys
from reports.aggregation.key_plan import plan_keys
from reports.key_instructions.procedure import procedure
from reports.model.key_plan import NUMBERS
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    uuid,
)
from tests.checks.judging import of_unknown_type
from tests.hypothesis_profile import examples
from tests.reports.recording import RULES, a_finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.engine.finding import Finding, Status
    from inventory.model.organization import Organization
    from inventory.model.vocabulary import DatabaseType

NAMES = {ORGANIZATION: "acme-prod", OTHER_ORGANIZATION: "acme-test"}
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")


def _plan(findings: Iterable[Finding], names: dict[str, str]) -> Any:  # noqa: ANN401 (a part of the record)
    tallies = Aggregates()
    for finding in findings:
        tallies.add(finding)
    return tallies.key_plan(tallies.coverage(names))


def _audit(*organizations: Organization) -> Any:  # noqa: ANN401 (a part of the record)
    names = {organization.id: organization.name for organization in organizations}
    return _plan(evaluate(organizations, RULES, Context(AS_OF)), names)


def _numbers(plan: dict[str, Any]) -> dict[str, int]:
    return {name: plan[name] for name in NUMBERS if plan[name]}


# --- numbers --------------------------------------------------------------------------------------

_SCOPES = st.fixed_dictionaries(
    {region: st.tuples(st.integers(0, 2), st.lists(st.sampled_from("epa"))) for region in REGIONS}
)


@examples(100)
@given(scopes=_SCOPES)
def test_the_key_plan_counts_as_one_would_by_hand(
    scopes: dict[str, tuple[int, list[str]]],
) -> None:
    """Needed, registered, missing and idle keys are those that one counts from the inventory.

    Of each region it is drawn how many keys it has, and which databases: existing, planned, or
    declared to use Astra's keys.
    """
    keys: list[object] = []
    databases: list[object] = []
    for region, (count, kinds) in scopes.items():
        place = {"region": region}
        keys += [
            a_key(**place, key_id=f"arn:aws:kms:{region}:111122223333:key/{uuid(number)}")
            for number in range(count)
        ]
        databases += [_database(len(databases) + at, kind, region) for at, kind in enumerate(kinds)]
    wanting = {region for region, (_, kinds) in scopes.items() if set(kinds) & {"e", "p"}}
    declared = {region for region, (_, kinds) in scopes.items() if set(kinds) == {"a"}}
    keyed = {region for region, (count, _) in scopes.items() if count}
    empty = {region for region, (_, kinds) in scopes.items() if not kinds}
    plan = _audit(an_organization(keys=keys, databases=databases))
    rivals = {region for region, (count, _) in scopes.items() if count > 1} & wanting
    assert {name: plan[name] for name in NUMBERS} == {
        "needed": len(wanting),
        "registered": len(keys),
        "missing": len(wanting - keyed),
        "undetermined": 0,
        "failing": len(rivals),
        "unproven": len((wanting & keyed) - rivals),
        "waived": 0,
        "unused": len(keyed & empty),
        "astra_provided": len(declared),
        "unsupported": 0,
        "unprotected": sum(scopes[region][1].count("e") for region in wanting - keyed),
    }
    assert {
        state: {scope["region"]: (scope["databases"], scope["existing"]) for scope in listed}
        for state, listed in plan["lists"].items()
    } == {
        "shared": {},
        "missing": {each: _wanting(scopes[each][1]) for each in wanting - keyed},
        "undetermined": {},
        "unused": dict.fromkeys(keyed & empty, (0, 0)),
    }


def _database(number: int, kind: str, region: str) -> object:
    if kind == "p":
        return a_planned_database(name=f"acme-{number}", regions=[region])
    own = {"encryption": "astra-provided", "reason": "a trial"} if kind == "a" else {}
    return a_database(id=uuid(number), regions=[region], **own)


def _wanting(kinds: list[str]) -> tuple[int, int]:
    return len(kinds) - kinds.count("a"), kinds.count("e")


def test_a_mixture_by_organization() -> None:
    """Each organization has its own numbers, and all together are their sums."""
    one = an_organization(
        keys=[a_key(), a_key(region="eu-west-1")],
        databases=[
            a_database(regions=["us-east-1", "us-west-2"]),
            a_planned_database(type="managed-clusters", provider="azure", regions=["eastus"]),
            a_planned_database(name="own", provider="gcp", encryption="astra-provided", reason="x"),
        ],
    )
    two = an_organization(id=OTHER_ORGANIZATION, databases=[of_unknown_type()], keys=[])
    plan = _audit(one, two)
    first, second = plan["organizations"]
    assert _numbers(first) == {
        "needed": 2,
        "registered": 2,
        "missing": 1,
        "unproven": 1,
        "unused": 1,
        "astra_provided": 1,
        "unsupported": 1,
        "unprotected": 1,
    }
    assert _numbers(second) == {"needed": 1, "undetermined": 1}
    assert {name: plan[name] for name in NUMBERS} == {
        name: first[name] + second[name] for name in NUMBERS
    }


def test_unread_keys_are_undetermined() -> None:
    """A scope whose keys were not recorded is needed, and neither missing nor registered."""
    plan = _audit(an_organization(keys=None))
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    scope = {"organization": ORGANIZATION, "name": "acme-prod", **place}
    assert plan["lists"] == {
        "missing": [],
        "shared": [],
        "undetermined": [{**scope, "databases": 1, "existing": 1, "terraform": None}],
        "unused": [],
    }
    assert _numbers(plan) == {"needed": 1, "undetermined": 1}


def test_a_waived_scope_is_still_missing_its_key() -> None:
    """A waiver accepts that a key is missing; it does not provide it."""
    plan = _plan([a_finding("waived", "CMEK-01")], NAMES)
    assert (plan["needed"], plan["missing"]) == (1, 1)


@pytest.mark.parametrize("status", ["fail", "waived"])
def test_late_databases_make_no_key_missing(status: Status) -> None:
    """A key that came too late is registered, and what it does not encrypt is counted beside it."""
    late = [
        a_finding(status, "CMEK-05", databases=1, existing=1, subject=_placed(name, region))
        for name in ("a", "b")
        for region in REGIONS
    ]
    keyed = [a_finding("pass", "CMEK-01", region=region) for region in REGIONS]
    plan = _plan([*keyed, *late], NAMES)
    numbers = {name: plan[name] for name in ("needed", "missing", "failing", "unprotected")}
    assert numbers == {
        "needed": 3,
        "missing": 0,
        "failing": 3 if status == "fail" else 0,
        "unprotected": 2,
    }


def _placed(name: str, region: str) -> Any:  # noqa: ANN401 (a Subject)
    path = f"{ORGANIZATION}/database/{name}/{region}"
    return a_finding(region=region).subject._replace(path=path, database=name)


# --- keys that several scopes share ---------------------------------------------------------------


def _sharing(*kinds: str, region: str = "us-east-1", named: str = "us-east-1") -> Organization:
    """Make an organization whose databases of several types or regions have one key id."""
    key_id = f"arn:aws:kms:{named}:111122223333:key/{uuid(1)}"
    places = [(kind, region) for kind in kinds] or [
        ("serverless", each) for each in ("us-east-1", region)
    ]
    return an_organization(
        keys=[a_key(type=kind, region=where, key_id=key_id) for kind, where in places],
        databases=[
            a_database(id=uuid(number), type=kind, regions=[where])
            for number, (kind, where) in enumerate(places)
        ],
    )


def test_one_key_of_two_regions_is_one_of_two() -> None:
    """The scope that the key's id does not name lacks a key of its own."""
    plan = _audit(_sharing(region="us-west-2"))
    assert _numbers(plan) == {"needed": 2, "registered": 1, "missing": 1, "failing": 1}
    assert [each["region"] for each in plan["lists"]["missing"]] == ["us-west-2"]
    assert plan["lists"]["shared"] == []


def test_one_key_of_two_types_is_one_of_two() -> None:
    """Where the key's id names both scopes, one of them lacks a key, and both are listed."""
    plan = _audit(_sharing("serverless", "managed-clusters"))
    assert _numbers(plan) == {"needed": 2, "registered": 1, "missing": 1, "failing": 1}
    assert plan["lists"]["missing"] == []
    [shared] = plan["lists"]["shared"]
    assert (shared["key"], [scope["type"] for scope in shared["scopes"]]) == (
        f"arn:aws:kms:us-east-1:111122223333:key/{uuid(1)}",
        ["managed-clusters", "serverless"],
    )
    assert [(step["type"], step["missing"], step["shared"]) for step in plan["steps"]] == [
        ("managed-clusters", 0, 1),
        ("serverless", 0, 1),
    ]


def test_a_waived_share_is_still_one_key_of_two() -> None:
    """A waiver accepts that a key is shared; it does not provide a second one."""
    organization = _sharing(region="us-west-2")
    findings = [
        finding._replace(status="waived") if finding.rule == "CMEK-02" else finding
        for finding in evaluate([organization], RULES, Context(AS_OF))
    ]
    assert (_plan(findings, NAMES)["needed"], _plan(findings, NAMES)["missing"]) == (2, 1)


_SHARES = st.lists(
    st.tuples(
        st.sampled_from(["serverless", "managed-clusters"]),
        st.sampled_from(REGIONS),
        st.sampled_from(REGIONS),
    ),
    min_size=1,
    max_size=5,
    unique=True,
)


@examples(60)
@given(keys=_SHARES)
def test_as_many_keys_are_missing_as_there_are_too_few(keys: list[tuple[str, str, str]]) -> None:
    """However keys are shared, all key scopes that need one and get none are counted missing."""
    scopes = sorted({(kind, region) for kind, region, _ in keys})
    organization = an_organization(
        keys=[
            a_key(
                type=kind,
                region=region,
                key_id=f"arn:aws:kms:{named}:111122223333:key/{uuid(1)}",
            )
            for kind, region, named in keys
        ],
        databases=[
            a_database(id=uuid(number), type=kind, regions=[region])
            for number, (kind, region) in enumerate(scopes)
        ],
    )
    plan = _audit(organization)
    different = len({named for _, _, named in keys})
    assert (plan["needed"], plan["registered"]) == (len(scopes), different)
    assert plan["missing"] >= max(0, len(scopes) - different)
    states = ("missing", "failing", "unproven", "undetermined")
    assert sum(plan[state] for state in states) == len(scopes)


def test_an_organization_without_anything_has_its_row() -> None:
    """An organization in which nothing is needed is reported with zeros, not left out."""
    plan = _plan([], NAMES)
    assert [
        (organization["organization"], _numbers(organization))
        for organization in plan["organizations"]
    ] == [
        (ORGANIZATION, {}),
        (OTHER_ORGANIZATION, {}),
    ]


# --- what may be missing from it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "known"),
    [
        ({}, (True, True)),
        ({"keys": None}, (True, False)),
        ({"databases": None}, (False, True)),
        ({"keys": None, "databases": None}, (False, False)),
    ],
    ids=["all", "no keys", "no databases", "neither"],
)
def test_what_was_not_read_is_reported(over: dict[str, Any], known: tuple[bool, bool]) -> None:
    """Of each organization it is reported whether all its databases and all its keys are known."""
    [shown] = _audit(an_organization(**over))["organizations"]
    assert (shown["databases_known"], shown["keys_known"]) == known


def test_a_place_that_is_not_reported_is_not_known() -> None:
    """Where a plan does not tell the place of a database, not all databases are known."""
    waiting = UndeterminedDatabase(name="later", missing="regions known only after apply")
    organization = an_organization().with_managed(ManagedResources(undetermined=(waiting,)))
    [shown] = _audit(organization)["organizations"]
    assert (shown["databases_known"], shown["keys_known"]) == (False, True)


@pytest.mark.parametrize("status", ["error", "fail", "inconclusive", "waived"])
@pytest.mark.parametrize("rule", ["CMEK-01", "CMEK-09"])
def test_a_broken_check_leaves_something_unknown(rule: str, status: Status) -> None:
    """Whatever a rule on keys finds of a whole organization leaves the plan in doubt."""
    whole = a_finding(status, rule)._replace(subject=_of_organization())
    [first, second] = _plan([whole], NAMES)["organizations"]
    assert (first["databases_known"], first["keys_known"]) == (
        rule != "CMEK-01",
        rule != "CMEK-09",
    )
    assert (second["databases_known"], second["keys_known"]) == (True, True)


def _of_organization() -> Any:  # noqa: ANN401 (a Subject)
    return a_finding().subject._replace(kind="organization", path="o", region="")


def test_what_terraform_manages_stands_beside_a_key_scope() -> None:
    """A key scope that lacks a key is listed with the addresses of what Terraform plans there."""
    planned = a_planned_database(regions=["us-east-1"]).at("plan.json", 1, "astra_database.a")
    key = ManagedKey(provider="aws", region="us-east-1").at("s.json", 1, "key.k")
    organization = an_organization(
        keys=[], databases=[planned, a_database(regions=["us-west-2"])]
    ).with_managed(ManagedResources(keys=(key,)))
    tallies = Aggregates()
    for finding in evaluate([organization], RULES, Context(AS_OF), tallies.add_organization):
        tallies.add(finding)
    [east, west] = tallies.key_plan(tallies.coverage(NAMES))["lists"]["missing"]
    assert (east["terraform"], west["terraform"]) == (
        {"databases": ["astra_database.a"], "creates": [], "holds": ["key.k"]},
        None,
    )


# --- what to do -----------------------------------------------------------------------------------


def _cell(state: str, kind: str = "serverless", provider: str = "aws", region: str = "r") -> Any:  # noqa: ANN401
    place = {"type": kind, "provider": provider, "region": region}
    return {**place, "state": state, "databases": 1, "existing": 0}


def _steps(*cells: Any) -> Any:  # noqa: ANN401 (parts of the record)
    coverage: Any = [{"organization": "o", "name": "o", "cells": list(cells)}]
    return plan_keys(coverage, lambda _: Keys(), {})["steps"]


@pytest.mark.parametrize(
    "state", ["covered", "failing", "unproven", "waived", "unused", "spare", "astra-provided"]
)
def test_nothing_is_to_be_done_about_other_scopes(state: str) -> None:
    """There are steps for what lacks a key, or may lack one, and for nothing else."""
    assert _steps(_cell(state)) == []


def test_each_kind_of_steps_stands_once() -> None:
    """Steps are reported once for each type and provider, with the numbers of their key scopes."""
    steps = _steps(
        _cell("missing", region="r1"),
        _cell("missing", region="r2"),
        _cell("undetermined", region="r3"),
        _cell("covered", region="r4"),
        _cell("shared", region="r5"),
        _cell("undetermined", "managed-clusters"),
    )
    assert steps == [
        {
            "type": "serverless",
            "provider": "aws",
            "missing": 2,
            "shared": 1,
            "undetermined": 1,
            "unsupported": 0,
            "regions": ["r1", "r2", "r3", "r5"],
            **_procedure("serverless"),
        },
        {
            "type": "managed-clusters",
            "provider": "aws",
            "missing": 0,
            "shared": 0,
            "undetermined": 1,
            "unsupported": 0,
            "regions": ["r"],
            **_procedure("managed-clusters", "r"),
        },
    ]


def _procedure(kind: DatabaseType, region: str = "") -> dict[str, Any]:
    shown = procedure(kind, "aws", region)
    return {**shown._asdict(), "steps": list(shown.steps)}


def test_what_is_missing_comes_first() -> None:
    """Steps for missing keys come before those for what is not known, and impossible ones last."""
    steps = _steps(
        _cell("unsupported", "managed-clusters", "azure"),
        _cell("undetermined", "managed-clusters", "gcp"),
        _cell("missing", "serverless", "gcp"),
        _cell("missing", "serverless", "azure"),
    )
    assert [(step["type"], step["provider"]) for step in steps] == [
        ("serverless", "azure"),
        ("serverless", "gcp"),
        ("managed-clusters", "gcp"),
        ("managed-clusters", "azure"),
    ]
