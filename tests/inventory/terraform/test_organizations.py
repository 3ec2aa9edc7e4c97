"""Whose the resources of Terraform are: by what exists, by what the user tells, or assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.errors import InventoryError, Problem, SettingError
from inventory.inventory import ASSUMED, Inventory
from inventory.plans import read_plan
from inventory.terraform.notes import NOT_COMPARED
from inventory.terraform.organizations import (
    UNKNOWN_ORGANIZATION,
    TerraformSettings,
    parse_organizations,
)
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    document_data,
    ndjson_lines,
    organization_data,
    plan_data,
    write_json,
    write_ndjson,
    write_yaml,
)
from tests.inventory.terraform.documents import (
    ADDRESS,
    ALIKE,
    change,
    configuration,
    configured,
    existing,
    held,
    key_attributes,
    plan,
    problems,
    resource,
    state,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from inventory.model.organization import Organization

KEY = "astra_customer_key.orders"
OPTION = "--cmek-terraform-organization"
NAMED = f"acme-prod ({ORGANIZATION}), the only organization in this audit"


# --- what the user tells --------------------------------------------------------------------------


def test_options_are_parsed() -> None:
    """An id stands for all providers, one behind a provider's key for that one."""
    assert parse_organizations([]) == TerraformSettings("", {}, None)
    assert parse_organizations(["o1"]) == TerraformSettings("o1", {})
    shown = parse_organizations(["astra.eu=o2", "o1", "o1", "module.a:astra=o3", "prod#astra=o4"])
    owners = {"astra.eu": "o2", "module.a:astra": "o3", "prod#astra": "o4"}
    assert shown == TerraformSettings("o1", owners)


@pytest.mark.parametrize("text", ["", "=o1", "astra=", "o 1", "é", "astra=o\n1", "x" * 2049])
def test_unusable_options(text: str) -> None:
    """What is neither an id nor a provider with one is refused."""
    with pytest.raises(
        SettingError, match=r"expected an organization's id, PROVIDER=ID or NAME#PROVIDER=ID$"
    ):
        parse_organizations([text])


@pytest.mark.parametrize("text", [ALIKE, f"{ALIKE}=o1"])
def test_a_token_instead_of_an_id(text: str) -> None:
    """A token that is given for an id is refused without repeating it."""
    with pytest.raises(SettingError) as caught:
        parse_organizations([text])
    assert ALIKE not in str(caught.value)


def test_contradicting_options() -> None:
    """Two ids for one provider are refused, and so are two for all."""
    for texts in (["o1", "o2"], ["astra=o1", "astra=o2"]):
        with pytest.raises(SettingError) as caught:
            parse_organizations(texts)
        found = f"found {texts[1]!r} and 'o1', expected one of them"
        assert str(caught.value) == f"{OPTION}: {found}"


# --- whose it is ----------------------------------------------------------------------------------


def owners(
    folder: Path, data: object, *texts: str, inventory: object | None = None
) -> dict[str, set[str]]:
    """Return the addresses of what belongs to each organization."""
    files = [] if inventory is None else [write_yaml(folder / "inventory.yaml", inventory)]
    plans = [write_json(folder / "plan.json", data)]
    read = Inventory(files, plans, parse_organizations(texts)).organizations()
    return {
        organization.id: _addresses(organization)
        for organization in read
        if _addresses(organization)
    }


def _addresses(organization: Organization) -> set[str]:
    managed = organization.managed
    parts: Iterable[Any] = (
        *(organization.databases or ()),
        *managed.undetermined,
        *managed.keys,
        *managed.databases,
    )
    return {part.resource for part in parts if part.resource}


def test_nobody_tells(tmp_path: Path) -> None:
    """Without a word from anybody, and without an inventory, the organization is not told."""
    assert owners(tmp_path, plan(change())) == {UNKNOWN_ORGANIZATION: {ADDRESS}}


def test_one_id_for_all(tmp_path: Path) -> None:
    """What the plan does not tell, the user does."""
    assert owners(tmp_path, plan(change()), "o1") == {"o1": {ADDRESS}}


def test_the_plan_tells_by_what_exists(tmp_path: Path) -> None:
    """A new database is of the organization of which its provider has others already."""
    both = [
        {"type": "astra_database", "name": name, "provider_config_key": "astra"} for name in "ab"
    ]
    configuration = {"root_module": {"resources": both}}
    changes = [
        change("astra_database.a"),
        change("astra_database.b", "no-op", existing(), existing()),
    ]
    shown = owners(tmp_path, plan(*changes, configuration=configuration), "o1")
    assert shown == {ORGANIZATION: {"astra_database.a", "astra_database.b"}}


def test_a_key_tells_as_well(tmp_path: Path) -> None:
    """What a provider's key says of its organization holds for the databases of the provider."""
    key = {"type": "astra_customer_key", "name": "orders", "provider_config_key": "astra"}
    configuration = configured()
    configuration["root_module"]["resources"].append(key)
    registered = key_attributes(organization_id=OTHER_ORGANIZATION)
    data = plan(change(), change(KEY, "no-op", registered, registered), configuration=configuration)
    assert owners(tmp_path, data) == {OTHER_ORGANIZATION: {ADDRESS, KEY}}


def test_without_a_configuration_nothing_is_passed_on(tmp_path: Path) -> None:
    """In a plan that does not tell the providers, one resource tells nothing of another."""
    other = change("astra_database.b", "no-op", existing(), existing())
    file = write_json(tmp_path / "plan.json", plan(change(), other, configuration={}))
    assert {
        organization.id: _addresses(organization) for organization in read_plan(file).organizations
    } == {
        UNKNOWN_ORGANIZATION: {ADDRESS},
        ORGANIZATION: {"astra_database.b"},
    }


def test_a_provider_of_two_organizations_tells_nothing(tmp_path: Path) -> None:
    """Where a provider has databases of two organizations, a new one is of neither."""
    configuration = configured()
    configuration["root_module"]["resources"] = [
        {"type": "astra_database", "name": name, "provider_config_key": "astra"} for name in "abc"
    ]
    other = existing("d2") | {"organization_id": OTHER_ORGANIZATION}
    changes = [
        change("astra_database.a", "no-op", existing(), existing()),
        change("astra_database.b", "no-op", other, other),
        change("astra_database.c"),
    ]
    assert owners(tmp_path, plan(*changes, configuration=configuration), "o1") == {
        ORGANIZATION: {"astra_database.a"},
        OTHER_ORGANIZATION: {"astra_database.b"},
        "o1": {"astra_database.c"},
    }


@pytest.mark.parametrize(
    ("address", "modules"),
    [
        (ADDRESS, ()),
        ('module.a["x.module.b"].astra_database.orders', ("a",)),
        ("module.a[0].module.b.astra_database.orders[1]", ("a", "b")),
    ],
)
def test_the_user_tells_by_provider(tmp_path: Path, address: str, modules: tuple[str, ...]) -> None:
    """The provider of a resource is looked up where its module is configured."""
    data = plan(change(address), configuration=configured(*modules, provider="astra.eu"))
    assert owners(tmp_path, data, "astra.eu=o2", "o1") == {"o2": {address}}


def test_a_provider_that_is_not_named_goes_to_the_general_id(tmp_path: Path) -> None:
    """An id without a provider is meant for all providers that are not named."""
    configuration = configured()
    configuration["provider_config"]["astra.eu"] = {}
    data = plan(change(), configuration=configuration)
    assert owners(tmp_path, data, "astra.eu=o2", "o1") == {"o1": {ADDRESS}}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [(configured(), "one of 'astra'"), ({}, "a plan that names it")],
    ids=["another", "none"],
)
def test_a_provider_that_no_plan_has(
    tmp_path: Path, configuration: dict[str, Any], expected: str
) -> None:
    """A provider that no plan configures is refused: it is a slip, and would be left unused."""
    with pytest.raises(SettingError) as caught:
        owners(tmp_path, plan(change(), configuration=configuration), "astra.ue=o2", "o1")
    assert str(caught.value) == f"{OPTION}: found the provider 'astra.ue', expected {expected}"


@pytest.mark.parametrize("over", [{}, {"organization_id": None}])
def test_user_and_plan_contradict_each_other(tmp_path: Path, over: dict[str, Any]) -> None:
    """What the user says of a provider must not contradict what the state says of it."""
    both = [
        {"type": "astra_database", "name": name, "provider_config_key": "astra"} for name in "ab"
    ]
    data = plan(
        change("astra_database.a", "no-op", existing(), existing()),
        change("astra_database.b", "no-op", existing("d2") | over, existing()),
        configuration={"root_module": {"resources": both}},
    )
    with pytest.raises(InventoryError) as caught:
        owners(tmp_path, data, "astra=o2")
    [problem] = caught.value.problems
    assert problem.found == f"the organization {ORGANIZATION!r} of 'astra_database.a'"
    assert problem.expected == f"'o2', as {OPTION} says"
    assert problem.line > 1


JUNK: list[object] = [
    7,
    {"root_module": 7},
    {"root_module": {"resources": 7, "module_calls": 7}},
    {"root_module": {"resources": [7, {}], "module_calls": {"a": 7, "b": {"module": 7}}}},
    {"root_module": {}, "provider_config": []},
    {"root_module": {"resources": [{"provider_config_key": 7}]}, "provider_config": {"x": 7}},
]


@pytest.mark.parametrize("configuration", JUNK)
def test_configurations_of_another_form(tmp_path: Path, configuration: object) -> None:
    """A configuration that cannot be read tells nothing, and the user has to."""
    data = plan(change(), configuration=configuration)
    assert owners(tmp_path, data, "o1") == {"o1": {ADDRESS}}


def test_a_module_of_no_such_address(tmp_path: Path) -> None:
    """A resource whose module has no address of Terraform's has no provider that is known."""
    data = plan() | {"resource_changes": [change() | {"module_address": "app"}]}
    data["configuration"] = configured()
    assert owners(tmp_path, data, "astra=o2", "o1") == {"o1": {ADDRESS}}
    data["resource_changes"][0]["module_address"] = ["app"]
    assert owners(tmp_path, data, "astra=o2", "o1") == {"o2": {ADDRESS}}


@pytest.mark.parametrize(
    ("value", "found", "expected"),
    [
        (7, "7", "text"),
        ("o 1", "'o 1'", "visible ASCII characters without spaces"),
        (ALIKE, "what looks like a token", "text without secrets"),
    ],
)
def test_unusable_ids_of_organizations(
    tmp_path: Path, value: object, found: str, expected: str
) -> None:
    """The id of an organization that has a wrong form is refused, as of every attribute."""
    data = state(held(values=existing() | {"organization_id": value}))
    assert problems(tmp_path, data) == [(f"organization_id of {ADDRESS!r}", found, expected)]


def test_a_resource_of_a_module_in_the_state(tmp_path: Path) -> None:
    """A state names no modules beside a resource, and none of the root's is taken for it."""
    there, own = "module.eu.astra_database.orders", change()
    held_there = held(there)
    del held_there["module_address"]
    data = plan(
        own,
        prior_state=state(held_there),
        configuration=configuration({ADDRESS: "astra", there: "astra.eu"}),
    )
    assert owners(tmp_path, data, "astra=o2") == {"o2": {ADDRESS}, ORGANIZATION: {there}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("", {"astra": "o1"}), ("prod", {"astra": "o2", "astra.eu": "o3"}), ("x", {"astra": "o1"})],
)
def test_what_is_stated_about_a_plan(name: str, expected: dict[str, str]) -> None:
    """What names a plan is for that plan alone, and goes before what names none."""
    by_provider = {"astra": "o1", "prod#astra": "o2", "prod#astra.eu": "o3"}
    shown = TerraformSettings("o4", by_provider).for_plan(name)
    assert shown == TerraformSettings("o4", expected)


def test_a_provider_of_one_plan(tmp_path: Path) -> None:
    """Two plans call their own providers by one key, and each is of another organization."""
    files = [write_json(tmp_path / f"{name}.json", plan(change())) for name in ("prod", "test")]
    plans = [f"prod={files[0]}", f"test={files[1]}"]
    stated = parse_organizations(["prod#astra=o1", "test#astra=o2"])
    read = Inventory([], plans, stated).organizations()
    assert {organization.id: _addresses(organization) for organization in read} == {
        "o1": {f"prod#{ADDRESS}"},
        "o2": {f"test#{ADDRESS}"},
    }


@pytest.mark.parametrize("text", ["dev#astra=o1", "prod#astra.eu=o1", "prod#=o1", "#astra=o1"])
def test_a_provider_that_no_named_plan_has(tmp_path: Path, text: str) -> None:
    """A plan's name, or a provider of it, that does not exist is a slip, and is refused."""
    file = write_json(tmp_path / "plan.json", plan(change()))
    with pytest.raises(SettingError) as caught:
        Inventory([], [f"prod={file}"], parse_organizations([text]))
    expected = "expected one of 'astra', 'prod#astra'"
    assert str(caught.value) == f"{OPTION}: found the provider {text[:-3]!r}, {expected}"


# --- what is assumed ------------------------------------------------------------------------------


def test_the_only_organization_is_assumed(tmp_path: Path) -> None:
    """Where there is but one organization it is assumed, and the source says so."""
    inventory = write_yaml(tmp_path / "inventory.yaml", document_data())
    read = Inventory([inventory], [write_json(tmp_path / "plan.json", plan(change()))])
    [organization] = read.organizations()
    assert (organization.id, _addresses(organization)) == (ORGANIZATION, {ADDRESS})
    assert [source.notes for source in read.sources] == [(), (ASSUMED.format(NAMED),)]


@pytest.mark.parametrize("name", ["acme-prod", ORGANIZATION])
def test_the_organization_that_is_assumed_is_named(tmp_path: Path, name: str) -> None:
    """It is named by its name and its id, or once where these are the same."""
    inventory = write_yaml(tmp_path / "inventory.yaml", document_data(organization_data(name=name)))
    read = Inventory([inventory], [write_json(tmp_path / "plan.json", plan(change()))])
    list(read.organizations())
    named = f"{name} ({ORGANIZATION})" if name != ORGANIZATION else ORGANIZATION
    assumed = ASSUMED.format(f"{named}, the only organization in this audit")
    assert read.sources[1].notes == (assumed,)


def test_an_organization_that_is_not_named(tmp_path: Path) -> None:
    """Without an inventory one organization is assumed, and the source says so."""
    read = Inventory([], [write_json(tmp_path / "plan.json", plan(change()))])
    assert [source.notes for source in read.sources] == [()]
    [organization] = read.organizations()
    assert organization.id == UNKNOWN_ORGANIZATION
    assumed = ASSUMED.format("one unnamed organization")
    assert [source.notes for source in read.sources] == [(assumed,)]


def test_what_is_stated_is_not_noted(tmp_path: Path) -> None:
    """What the user states is not assumed."""
    read = Inventory(
        [], [write_json(tmp_path / "plan.json", plan(change()))], TerraformSettings("o1")
    )
    list(read.organizations())
    assert [source.notes for source in read.sources] == [()]


def test_what_is_assumed_of_a_state(tmp_path: Path) -> None:
    """The note on a state says both that nothing is compared with it and what was assumed."""
    inventory = write_yaml(tmp_path / "inventory.yaml", document_data())
    held_key = resource(KEY) | {"values": key_attributes(), "sensitive_values": {}}
    file = write_json(tmp_path / "state.json", state(held_key))
    read = Inventory([inventory], states=[file])
    [organization] = read.organizations()
    assert _addresses(organization) == {KEY}
    assert [source.notes for source in read.sources] == [(), (NOT_COMPARED, ASSUMED.format(NAMED))]


def test_what_is_assumed_joins_what_is_reported(tmp_path: Path) -> None:
    """What is reported and what is assumed of one organization is one."""
    other = change("astra_database.b", "delete", existing())
    shown = owners(tmp_path, plan(change(), other), inventory=document_data())
    assert shown == {ORGANIZATION: {ADDRESS, "astra_database.b"}}


@pytest.mark.parametrize("texts", [(), ("astra.us=o2",), ("o3",)])
def test_nothing_is_assumed_beside_another_provider(tmp_path: Path, texts: tuple[str, ...]) -> None:
    """A provider may be of another organization than the one of which the plan tells."""
    both = {"a": "astra", "b": "astra.us"}
    resources = [
        {"type": "astra_database", "name": name, "provider_config_key": key}
        for name, key in both.items()
    ]
    there = change("astra_database.a", "no-op", existing(), existing())
    data = plan(
        there, change("astra_database.b"), configuration={"root_module": {"resources": resources}}
    )
    if texts:
        shown = owners(tmp_path, data, *texts, inventory=document_data())
        assert shown == {
            ORGANIZATION: {"astra_database.a"},
            texts[0][-2:]: {"astra_database.b"},
        }
        return
    with pytest.raises(InventoryError) as caught:
        owners(tmp_path, data, inventory=document_data())
    [problem] = caught.value.problems
    assert problem.found == (
        "1 database of the provider configuration 'astra.us', one of several; "
        "the organization is not stated"
    )
    assert problem.expected == f"{OPTION}=astra.us=ID"
    lines = (tmp_path / "plan.json").read_text("utf-8").splitlines()
    assert "astra_database.b" in lines[problem.line - 1]


@pytest.mark.parametrize("streamed", [False, True])
def test_several_organizations(tmp_path: Path, *, streamed: bool) -> None:
    """With several organizations nothing is assumed, and the option to use is named."""
    both = [organization_data(), organization_data(id=OTHER_ORGANIZATION, name="acme-test")]
    file = (
        write_ndjson(tmp_path / "a.ndjson", ndjson_lines(*both))
        if streamed
        else write_yaml(tmp_path / "a.yaml", document_data(*both))
    )
    plans = [write_json(tmp_path / "a.json", plan(change()))]
    plans.append(write_yaml(tmp_path / "c.yaml", plan_data()))
    with pytest.raises(InventoryError) as caught:
        list(Inventory([file], plans).organizations())
    found = "databases without a stated organization"
    expected = f"{OPTION}=ID, because this audit has several organizations"
    assert caught.value.problems == (Problem(plans[0], 0, "", found, expected),)


def test_a_stream_of_one_organization(tmp_path: Path) -> None:
    """The only organization of a stream is assumed, too, and is read in full."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    read = Inventory([file], [write_json(tmp_path / "plan.json", plan(change()))])
    [organization] = read.organizations()
    assert (organization.id, _addresses(organization)) == (ORGANIZATION, {ADDRESS})
    assert read.sources[0].complete


def test_an_organization_of_another_plan_is_another(tmp_path: Path) -> None:
    """An organization that only a plan names counts among the several."""
    inventory = write_yaml(tmp_path / "a.yaml", document_data())
    other = write_yaml(tmp_path / "b.yaml", plan_data(organization=OTHER_ORGANIZATION))
    file = write_json(tmp_path / "plan.json", plan(change()))
    with pytest.raises(InventoryError, match="several organizations"):
        list(Inventory([inventory], [other, file]).organizations())
