"""Of whose organization the only one is assumed to be, and what has to be stated first."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import InventoryError
from inventory.inventory import Inventory
from inventory.model.terraform_managed import ProviderConfiguration
from inventory.plans import read_plan
from inventory.terraform.organizations import TerraformSettings, parse_organizations
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    document_data,
    write_json,
    write_yaml,
)
from tests.inventory.terraform.documents import (
    change,
    configuration,
    existing,
    held,
    is_state,
    key_attributes,
    plan,
    state,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from inventory.model.organization import Organization

A, B, C = (f"astra_database.{name}" for name in "abc")
KEY = "astra_customer_key.k"
OPTION = "--cmek-terraform-organization"
UNSTATED = "the organization is not stated"
Changes = list[dict[str, Any]]


def new(*addresses: str) -> Changes:
    """Return the changes that make a database or a key of each address."""
    return [change(address, after=_after(address)) for address in addresses]


def _after(address: str) -> dict[str, Any] | None:
    return key_attributes() if "customer_key" in address else None


def there(address: str, owner: str = ORGANIZATION) -> dict[str, Any]:
    """Return what a plan says of a database that exists and stays as it is."""
    own = existing(address, organization_id=owner)
    return change(address, "no-op", own, own)


def read(folder: Path, *plans: object, stated: tuple[str, ...] = ()) -> list[Organization]:
    """Return what an inventory of one organization, plans and states come to.

    A plan may have a name.
    """
    file = write_yaml(folder / "inventory.yaml", document_data())
    named = [plan if isinstance(plan, tuple) else ("", plan) for plan in plans]
    options: list[str] = []
    states: list[str] = []
    for number, (name, data) in enumerate(named):
        path = write_json(folder / f"{number}.json", data)
        (states if is_state(path) else options).append(f"{name}={path}" if name else path)
    inventory = Inventory([file], options, parse_organizations(stated), states)
    return list(inventory.organizations())


def refused(folder: Path, *plans: object, stated: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return what was found and what was expected, in the order of files and lines."""
    with pytest.raises(InventoryError) as caught:
        read(folder, *plans, stated=stated)
    assert all(problem.line > 1 for problem in caught.value.problems)
    return [(problem.found, problem.expected) for problem in caught.value.problems]


def of_configuration(key: str, numbers: str, more: str = ", one of several") -> str:
    """Return what is found of a provider configuration."""
    return f"{numbers} of the provider configuration {key!a}{more}; {UNSTATED}"


def of_none(numbers: str) -> str:
    """Return what is found of resources without a provider configuration."""
    return f"{numbers} of provider configurations that the plan does not name; {UNSTATED}"


# --- one plan -------------------------------------------------------------------------------------

ONE: dict[str, dict[str, Any]] = {
    "keys and databases of one configuration": plan(*new(A, B, KEY)),
    "modules that are handed the same one": plan(
        *new(A, "module.x[0].astra_database.a", "module.x[1].module.y.astra_database.a"),
        configuration=configuration(
            dict.fromkeys([A, "module.x.astra_database.a", "module.x.module.y.astra_database.a"])
        ),
    ),
    "a configuration in a module": plan(
        *new("module.x.astra_database.a", "module.x.astra_customer_key.k"),
        configuration=configuration(
            dict.fromkeys(
                ["module.x.astra_database.a", "module.x.astra_customer_key.k"], "module.x:astra.eu"
            )
        ),
    ),
    "other resources of another configuration": plan(
        *new(A),
        change("astra_token.t", after={"name": "x"}),
        configuration=configuration({A: "astra", "astra_token.t": "astra.eu"}),
    ),
    "what is dropped, and names its organization": plan(*new(A), change(B, "delete", existing())),
    "what is forgotten, and stands in the state": plan(
        *new(A), change(B, "forget", existing()), prior_state=state(held(B, existing()))
    ),
    "one resource without a configuration": plan(*new(A), configuration={}),
    "one resource that the state holds, too": plan(
        change(A, "update", existing(organization_id=None), existing(organization_id=None)),
        prior_state=state(held(A, existing(organization_id=None))),
        configuration={},
    ),
    "a for_each by which nothing differs": plan(
        *new(A, B),
        configuration=configuration(
            dict.fromkeys([A, B], "astra.by"),
            {"astra.by": {"expressions": {"token": {"references": ["var.token"]}}}},
        ),
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_configuration_is_of_the_only_organization(tmp_path: Path, name: str) -> None:
    """What uses one provider configuration is of the only organization, without a word."""
    [organization] = read(tmp_path, ONE[name])
    assert organization.id == ORGANIZATION
    assert _addresses(organization) - {""}


def _addresses(organization: Organization) -> set[str]:
    managed = (*(organization.databases or ()), *organization.managed.databases)
    return {entry.resource for entry in managed}


SEVERAL: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "two configurations": (
        plan(
            *new(A, B, KEY, C),
            configuration=configuration({A: "astra", B: "astra", KEY: "astra"} | {C: "astra.eu"}),
        ),
        [
            (
                of_configuration("astra", "2 databases and 1 customer key"),
                f"{OPTION}=astra=ID",
            ),
            (of_configuration("astra.eu", "1 database"), f"{OPTION}=astra.eu=ID"),
        ],
    ),
    "keys with one, databases with the other": (
        plan(*new(A, KEY), configuration=configuration({A: "astra", KEY: "astra.keys"})),
        [
            (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID"),
            (of_configuration("astra.keys", "1 customer key"), f"{OPTION}=astra.keys=ID"),
        ],
    ),
    "a module that is handed another one": (
        plan(
            *new(A, "module.x.astra_database.a"),
            configuration=configuration({A: "astra", "module.x.astra_database.a": "astra.eu"}),
        ),
        [
            (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID"),
            (of_configuration("astra.eu", "1 database"), f"{OPTION}=astra.eu=ID"),
        ],
    ),
    "a module with one of its own": (
        plan(
            *new(A, "module.größe.astra_database.a"),
            configuration=configuration(
                {A: "astra", "module.größe.astra_database.a": "module.größe:astra"}
            ),
        ),
        [
            (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID"),
            (
                of_configuration("module.größe:astra", "1 database"),
                f"'{OPTION}=module.größe:astra=ID'",
            ),
        ],
    ),
    "one whose organization the plan names": (
        plan(there(A), *new(B), configuration=configuration({A: "astra", B: "astra.eu"})),
        [(of_configuration("astra.eu", "1 database"), f"{OPTION}=astra.eu=ID")],
    ),
    "one that only the state holds": (
        plan(
            *new(B),
            prior_state=state(held(A, existing())),
            configuration=configuration({A: "astra", B: "astra.eu"}),
        ),
        [(of_configuration("astra.eu", "1 database"), f"{OPTION}=astra.eu=ID")],
    ),
    "one that is put off": (
        plan(
            *new(A),
            deferred_changes=[{"reason": "x", "resource_change": new(B)[0]}],
            configuration=configuration({A: "astra", B: "astra.eu"}),
        ),
        [
            (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID"),
            (of_configuration("astra.eu", "1 database"), f"{OPTION}=astra.eu=ID"),
        ],
    ),
    "organizations that contradict each other": (
        plan(
            there(A),
            there(B, OTHER_ORGANIZATION),
            *new(C),
            configuration=configuration(dict.fromkeys([A, B, C])),
        ),
        [
            (
                of_configuration("astra", "3 databases", " with several organizations"),
                f"{OPTION}=ID",
            )
        ],
    ),
    "no configurations": (
        plan(*new(A, B, KEY), configuration={}),
        [
            (of_none("2 databases and 1 customer key"), f"{OPTION}=ID"),
        ],
    ),
    "one of them without a configuration": (
        plan(*new(A, B), configuration=configuration({A: "astra"})),
        [
            (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID"),
            (
                of_none("1 database"),
                f"{OPTION}=ID",
            ),
        ],
    ),
    "one that exists without a configuration": (
        plan(there(A), *new(B), configuration={}),
        [
            (
                of_none("2 databases"),
                f"{OPTION}=ID",
            )
        ],
    ),
    "what is dropped without an organization": (
        plan(*new(A), change(B, "delete", existing(organization_id=None))),
        [
            (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID"),
            (
                of_none("1 database"),
                f"{OPTION}=ID",
            ),
        ],
    ),
    "an instance for each token": (
        plan(
            there('astra_database.a["x"]'),
            *new('astra_database.a["y"]'),
            configuration=configuration(
                {A: "astra.by"},
                {"astra.by": {"expressions": {"token": {"references": ["var.t", "each.key"]}}}},
            ),
        ),
        [
            (
                of_configuration("astra.by", "2 databases", " with for_each"),
                f"{OPTION}=astra.by=ID",
            )
        ],
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_configurations_have_to_be_stated(tmp_path: Path, name: str) -> None:
    """Each configuration that may be of another organization is named, with what it manages."""
    data, expected = SEVERAL[name]
    assert sorted(refused(tmp_path, data)) == sorted(expected)


@pytest.mark.parametrize("name", SEVERAL)
def test_what_is_asked_for_is_taken(tmp_path: Path, name: str) -> None:
    """The options that are asked for, with ids in them, are all that is missing."""
    data, expected = SEVERAL[name]
    options = [shlex.split(option)[0].removeprefix(f"{OPTION}=") for _, option in expected]
    stated = tuple(option.replace("ID", ORGANIZATION) for option in options)
    read_ones = {organization.id for organization in read(tmp_path, data, stated=stated)}
    assert ORGANIZATION in read_ones
    assert read_ones <= {ORGANIZATION, OTHER_ORGANIZATION}


@pytest.mark.parametrize("name", SEVERAL)
def test_one_id_is_for_all_of_them(tmp_path: Path, name: str) -> None:
    """An id without a provider is a statement about all that is not stated otherwise."""
    assert read(tmp_path, SEVERAL[name][0], stated=(ORGANIZATION,))[0].id == ORGANIZATION


def test_half_of_them_stated(tmp_path: Path) -> None:
    """Where one of two is stated, the other is asked for, even with one organization in all."""
    data = plan(*new(A, B), configuration=configuration({A: "astra", B: "astra.eu"}))
    assert refused(tmp_path, data, stated=(f"astra.eu={ORGANIZATION}",)) == [
        (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID")
    ]


def test_without_an_inventory(tmp_path: Path) -> None:
    """Without an inventory, too, several configurations are not taken for one organization."""
    data = plan(*new(A, B), configuration=configuration({A: "astra", B: "astra.eu"}))
    with pytest.raises(InventoryError, match=r"astra\.eu=ID"):
        Inventory([], [write_json(tmp_path / "plan.json", data)])


def test_an_instance_for_each_token_passes_nothing_on(tmp_path: Path) -> None:
    """With a token for each instance, one database says nothing of the organization of another."""
    data, _ = SEVERAL["an instance for each token"]
    mine, other = 'astra_database.a["x"]', 'astra_database.a["y"]'
    found = {
        organization.id: _addresses(organization)
        for organization in read(tmp_path, data, stated=("o2",))
    }
    assert {owner: found[owner] & {mine, other} for owner in found} == {
        ORGANIZATION: {mine},
        "o2": {other},
    }


# --- several plans --------------------------------------------------------------------------------


def test_two_plans_of_one_key(tmp_path: Path) -> None:
    """Two plans may be of two organizations, though both call their provider by the same key."""
    one = f"{OPTION}=astra=ID if all plans are of one organization"
    own = f"else --cmek-plan=NAME=PATH and '{OPTION}=NAME#astra=ID'"
    assert (
        refused(tmp_path, plan(*new(A)), plan(*new(B)))
        == [(of_configuration("astra", "1 database"), f"{one}, {own}")] * 2
    )


def test_two_plans_with_names(tmp_path: Path) -> None:
    """A provider of a plan with a name is stated for that plan."""
    plans = ("prod", plan(*new(A))), ("test", plan(*new(A)))
    assert refused(tmp_path, *plans) == [
        (of_configuration("astra", "1 database"), f"'{OPTION}={name}#astra=ID'")
        for name in ("prod", "test")
    ]
    stated = f"prod#astra={ORGANIZATION}", f"test#astra={ORGANIZATION}"
    [organization] = read(tmp_path, *plans, stated=stated)
    assert organization.id == ORGANIZATION


def test_two_plans_of_two_keys(tmp_path: Path) -> None:
    """A key that is in one plan alone names its configuration."""
    other = plan(*new(B), configuration=configuration({B: "astra.eu"}))
    assert refused(tmp_path, plan(*new(A)), other) == [
        (of_configuration("astra", "1 database"), f"{OPTION}=astra=ID"),
        (of_configuration("astra.eu", "1 database"), f"{OPTION}=astra.eu=ID"),
    ]


@pytest.mark.parametrize(
    "other",
    [plan(there(B)), state(held(B, existing()))],
    ids=["a plan", "a state"],
)
def test_beside_a_file_that_names_its_organization(tmp_path: Path, other: object) -> None:
    """That another file names the only organization says nothing of this one."""
    [(found, option)] = refused(tmp_path, plan(*new(A)), other)
    assert found == of_configuration("astra", "1 database")
    assert option.startswith(f"{OPTION}=astra=ID")


@pytest.mark.parametrize("other", [plan(), plan(change("astra_token.t", after={"name": "x"}))])
def test_beside_a_plan_without_databases(tmp_path: Path, other: object) -> None:
    """A plan that manages neither databases nor keys makes nothing doubtful."""
    assert [organization.id for organization in read(tmp_path, plan(*new(A)), other)] == [
        ORGANIZATION
    ]


# --- hostile and damaged --------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a'; rm -rf ~ #", "astra\n", "\x1b[31m", "", "x" * 1001, 7, None])
def test_what_is_no_key_of_a_provider(tmp_path: Path, key: Any) -> None:  # noqa: ANN401 (any)
    """What Terraform writes as no key names no configuration, and is not shown."""
    shown = configuration({A: "astra", B: "astra"})
    for resource in shown["root_module"]["resources"]:
        resource["provider_config_key"] = key
    assert refused(tmp_path, plan(*new(A, B), configuration=shown)) == [
        (
            of_none("2 databases"),
            f"{OPTION}=ID",
        )
    ]


@pytest.mark.parametrize(
    "block",
    [7, [7], {"expressions": 7}, {"expressions": [{"references": 7}, {"references": [7, None]}]}],
)
def test_blocks_of_another_form(tmp_path: Path, block: object) -> None:
    """A block of a provider that has another form says nothing of a for_each."""
    shown = configuration({A: "astra"})
    shown["provider_config"] = {"astra": block}
    [organization] = read(tmp_path, plan(*new(A), configuration=shown))
    assert organization.id == ORGANIZATION


@pytest.mark.parametrize(
    "expressions",
    [
        [{"token": {"references": ["each.value"]}}],
        {"block": [{"deep": {"references": ["local.x", "each.value.token", "each.value"]}}]},
    ],
)
def test_a_for_each_shows_wherever_it_stands(tmp_path: Path, expressions: object) -> None:
    """Whichever setting of a provider differs by instance, it may be another token's."""
    shown = configuration({A: "astra.by"}, {"astra.by": {"expressions": expressions}})
    [(found, _)] = refused(tmp_path, plan(*new(A), configuration=shown))
    assert found == of_configuration("astra.by", "1 database", " with for_each")


_keys = st.sampled_from(["astra", "astra.eu", "module.x:astra"])
_resources = st.dictionaries(
    st.sampled_from([A, B, C, KEY, "module.x.astra_database.a"]), _keys | st.none(), min_size=1
)


@given(_resources, st.sampled_from(["", ORGANIZATION]))
def test_nothing_is_assumed_of_two(
    tmp_path_factory: pytest.TempPathFactory, providers: Mapping[str, str | None], stated: str
) -> None:
    """Only what uses one configuration is of the only organization, unless that is stated."""
    known = {address: key for address, key in providers.items() if key}
    folder = tmp_path_factory.mktemp("any")
    file = write_json(
        folder / "plan.json", plan(*new(*providers), configuration=configuration(known))
    )
    managed = {*known.values(), *(address for address in providers if address not in known)}
    if stated or len(managed) == 1:
        Inventory([], [file], TerraformSettings(stated))
        return
    with pytest.raises(InventoryError) as caught:
        Inventory([], [file])
    asked = len({*known.values()}) + (len(known) < len(providers))
    assert len(caught.value.problems) == asked


# --- what is counted ------------------------------------------------------------------------------


def test_each_resource_is_counted_once(tmp_path: Path) -> None:
    """A resource that is in the changes and in the state is one, and each instance is its own."""
    own = there('astra_database.a["x"]'), there('astra_database.a["y"]')
    data = plan(
        *own,
        *new(KEY, "module.x.astra_database.a"),
        prior_state=state(*(held(item["address"], item["change"]["before"]) for item in own)),
        configuration=configuration(
            {A: "astra", KEY: "astra.eu", "module.x.astra_database.a": "astra.eu"}
        ),
    )
    file = write_json(tmp_path / "plan.json", data)
    lines = (tmp_path / "plan.json").read_text("utf-8").splitlines()
    marks = [number for number, line in enumerate(lines, 1) if f'"address": "{KEY}"' in line]
    assert read_plan(file).configurations == (
        ProviderConfiguration("astra", databases=2, keys=0),
        ProviderConfiguration("astra.eu", databases=1, keys=1, line=marks[-1]),
    )
