"""What plans and states of Terraform come to: planned databases, and what else is managed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.errors import InventoryError, Problem
from inventory.inventory import Inventory
from inventory.model.terraform_managed import UndeterminedDatabase
from inventory.plans import read_plan, read_state
from inventory.terraform.notes import NOT_COMPARED
from inventory.terraform.organizations import TerraformSettings
from inventory.terraform.plan import PLAN_ONLY
from tests.builders import ORGANIZATION, plan_data, write_json
from tests.inventory.terraform.documents import (
    ADDRESS,
    AT,
    Read,
    attributes,
    change,
    existing,
    held,
    key_attributes,
    plan,
    problems,
    read,
    resource,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

Data = dict[str, Any] | None
KEY = "astra_customer_key.orders"
GROWING = existing(regions=["us-east-1", "eu-west-1"])
NEW = (ADDRESS, "aws", "us-east-1")
ADDED = (ADDRESS, "aws", "eu-west-1")
THERE = (ADDRESS, "d1")
APPLY = "known only after apply"
HIDDEN = "marked as sensitive"


def only(**fields: set[Any]) -> Read:
    """Return what is read if it is nothing but ``fields``."""
    nothing = Read(set(), set(), set(), set(), set())
    return nothing._replace(**fields)


@pytest.mark.parametrize(
    ("actions", "before", "after", "expected"),
    [
        ("create", None, attributes(), only(planned={NEW})),
        ("update", existing(), GROWING, only(planned={ADDED}, grown={"d1"}, existing={THERE})),
        pytest.param("update", GROWING, existing(), only(existing={THERE}), id="shrink"),
        ("delete create", existing(), attributes(), only(planned={NEW}, existing={THERE})),
        ("create delete", existing(), attributes(), only(planned={NEW}, existing={THERE})),
        ("create forget", existing(), attributes(), only(planned={NEW}, existing={THERE})),
        ("no-op", existing(), existing(), only(existing={THERE})),
        ("delete", existing(), None, only(existing={THERE})),
        ("forget", existing(), None, only(existing={THERE})),
        ("read", existing(), existing(), only(existing={THERE})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_actions_on_databases(
    tmp_path: Path, actions: str, before: Data, after: Data, expected: Read
) -> None:
    """What is created or added is planned; what was there stands in the state, whatever comes."""
    assert read(tmp_path, plan(change(ADDRESS, actions, before, after))) == expected


def test_a_planned_database_in_full(tmp_path: Path) -> None:
    """A planned database is Serverless, in its regions, planned, and has no id."""
    after = attributes(cloud_provider="GCP", regions=["us-east1", "us-east4"])
    file = write_json(tmp_path / "plan.json", plan(change(after=after)))
    recorded = read_plan(file)
    [organization] = recorded.organizations
    assert organization.gaps == (PLAN_ONLY,)
    assert organization.keys is None
    [database] = organization.databases or ()
    assert database.model_dump(exclude_defaults=True) == {
        "name": "orders",
        "type": "serverless",
        "provider": "gcp",
        "regions": (
            {"name": "us-east1", "state": "planned"},
            {"name": "us-east4", "state": "planned"},
        ),
        "state": "planned",
    }
    assert database.identity == f"planned {ADDRESS}"
    assert (recorded.source.role, recorded.source.databases) == ("plan", 1)
    assert f"{recorded.source.captured_at:%Y-%m-%dT%H:%M:%SZ}" == AT


@pytest.mark.parametrize("provider", ["aws", "AWS", "Azure", "gcp"])
def test_providers_are_spelled_anyhow(tmp_path: Path, provider: str) -> None:
    """The provider is one of three, in any case."""
    after = attributes(cloud_provider=provider)
    [(_, shown, _)] = read(tmp_path, plan(change(after=after))).planned
    assert shown == provider.lower()


@pytest.mark.parametrize(
    ("place", "regions"),
    [
        ({"regions": None, "region": "us-east-1"}, {"us-east-1"}),
        (
            {"regions": None, "region": "us-east-1", "additional_regions": ["us-west-2"]},
            {"us-east-1", "us-west-2"},
        ),
        ({"regions": ["us-east-1", "us-east-1"]}, {"us-east-1"}),
    ],
    ids=["region", "additional-regions", "twice"],
)
def test_regions_of_all_versions(tmp_path: Path, place: dict[str, Any], regions: set[str]) -> None:
    """Regions are reported as a list, and before version 2.0 of the provider by two attributes."""
    shown = read(tmp_path, plan(change(after=attributes(**place)))).planned
    assert {region for _, _, region in shown} == regions


def test_a_database_of_another_version_keeps_its_regions(tmp_path: Path) -> None:
    """Where the provider is renewed, the regions that were told otherwise are no new ones."""
    before = existing(regions=None, region="us-east-1", additional_regions=["eu-west-1"])
    assert read(tmp_path, plan(change(ADDRESS, "update", before, GROWING))) == only(
        existing={THERE}
    )


@pytest.mark.parametrize("mark", ["after_unknown", "after_sensitive"])
@pytest.mark.parametrize(
    ("after", "marks", "regions", "not_shown"),
    [
        (attributes(regions=None), {"regions": True}, set(), ["regions"]),
        (attributes(), {"regions": True}, set(), ["regions"]),
        (attributes(regions=["a", None]), {"regions": [False, True]}, {"a"}, ["regions"]),
        (attributes(regions=["a"]), {"regions": [False, True]}, {"a"}, ["regions"]),
        (attributes(regions=["a"]), {"regions": [False, [{"x": True}]]}, {"a"}, ["regions"]),
        (attributes(regions=["a"]), {"regions": [False, {"x": False}]}, {"a"}, []),
        (attributes(cloud_provider=None), {"cloud_provider": True}, set(), ["cloud_provider"]),
        (attributes(regions=None, region=None), {"region": True}, set(), ["region"]),
        (attributes(regions=None, region=None), {"region": [True]}, set(), ["region"]),
        (
            attributes(regions=None, region="a"),
            {"additional_regions": True},
            {"a"},
            ["additional_regions"],
        ),
        (attributes(), True, set(), ["cloud_provider", "regions", "region", "additional_regions"]),
        (attributes(), {"id": True, "status": True, "organization_id": True}, {"us-east-1"}, []),
        (attributes(), {"keyspace": True, "regions": [False]}, {"us-east-1"}, []),
    ],
)
def test_what_is_kept_back(
    tmp_path: Path, mark: str, after: Data, marks: object, regions: set[str], not_shown: list[str]
) -> None:
    """What is known only after apply, or is sensitive, is undetermined; the rest is planned."""
    why = APPLY if mark == "after_unknown" else "marked as sensitive"
    created = change(after=after)
    created["change"][mark] = marks
    shown = read(tmp_path, plan(created))
    reason = ", ".join(f"{name} {why}" for name in not_shown)
    assert shown.undetermined == ({(ADDRESS, reason)} if not_shown else set())
    assert {region for _, _, region in shown.planned} == regions


def test_only_what_is_new_can_be_undetermined(tmp_path: Path) -> None:
    """Of a database that exists, what is known only after apply may be a further region."""
    after = existing(regions=["us-east-1", None])
    unknown = {"regions": [False, True]}
    grown = change(ADDRESS, "update", existing(), after, after_unknown=unknown)
    assert read(tmp_path, plan(grown)) == only(
        undetermined={(ADDRESS, f"regions {APPLY}")}, existing={THERE}
    )


@pytest.mark.parametrize(
    ("unknown", "sensitive", "not_shown"),
    [
        ({"regions": True}, {"regions": True}, f"regions {HIDDEN} and {APPLY}"),
        ({"regions": [True, False]}, {"regions": [False, True]}, f"regions {APPLY} and {HIDDEN}"),
        ({"region": {"x": True}}, {"region": [True]}, f"region {HIDDEN} and {APPLY}"),
        (
            {"cloud_provider": True},
            {"regions": True},
            f"cloud_provider {APPLY}, regions {HIDDEN}",
        ),
    ],
)
def test_both_reasons_are_kept(
    tmp_path: Path, unknown: object, sensitive: object, not_shown: str
) -> None:
    """A place that is sensitive and not known yet is kept back for both reasons."""
    created = change(after=attributes(regions=["a", "b"], region="c"))
    created["change"] |= {"after_unknown": unknown, "after_sensitive": sensitive}
    file = write_json(tmp_path / "plan.json", plan(created))
    [organization] = read_plan(file).organizations
    assert organization.managed.undetermined == (
        UndeterminedDatabase(name="orders", missing=not_shown, is_later=True, is_hidden=True),
    )


@pytest.mark.parametrize(
    ("marks", "later", "hidden"),
    [
        ({"after_unknown": {"regions": True}}, True, False),
        ({"after_sensitive": {"regions": True}}, False, True),
        ({"after_sensitive": {"name": True}, "after_unknown": {"regions": True}}, True, False),
    ],
)
def test_which_reason_it_is(
    tmp_path: Path, marks: dict[str, Any], *, later: bool, hidden: bool
) -> None:
    """Only what keeps the place back is a reason."""
    created = change()
    created["change"] |= marks
    file = write_json(tmp_path / "plan.json", plan(created))
    [organization] = read_plan(file).organizations
    [database] = organization.managed.undetermined
    assert (database.is_later, database.is_hidden) == (later, hidden)


@pytest.mark.parametrize("hidden", [False, True])
def test_which_reason_a_deferred_change_has(tmp_path: Path, *, hidden: bool) -> None:
    """What is put off is known later, and may be sensitive all the same."""
    later = change(after_sensitive={"regions": hidden})
    data = plan(deferred_changes=[{"reason": "x", "resource_change": later}])
    [organization] = read_plan(write_json(tmp_path / "plan.json", data)).organizations
    [database] = organization.managed.undetermined
    assert (database.is_later, database.is_hidden) == (True, hidden)


@pytest.mark.parametrize("mark", ["after_unknown", "after_sensitive"])
def test_a_name_that_is_kept_back(tmp_path: Path, mark: str) -> None:
    """A database whose name is not told goes by its address; its region is judged all the same."""
    created = change(after=attributes(name="acme"))
    created["change"][mark] = {"name": True}
    file = write_json(tmp_path / "plan.json", plan(created))
    [organization] = read_plan(file).organizations
    [database] = organization.databases or ()
    assert (database.name, database.regions[0].name) == (ADDRESS, "us-east-1")


def test_a_name_that_nobody_sees(tmp_path: Path) -> None:
    """A database whose name is nothing but invisible characters goes by its address."""
    created = change(after=attributes(name="\u200b\u2800"))
    file = write_json(tmp_path / "plan.json", plan(created))
    [organization] = read_plan(file).organizations
    assert [database.name for database in organization.databases or ()] == [ADDRESS]


def test_the_name_of_what_is_undetermined(tmp_path: Path) -> None:
    """What is undetermined goes by its name if that is reported, and by its address if not."""
    shown, unnamed = "astra_database.named", "astra_database.unnamed"
    changes = [
        change(shown, after_unknown={"regions": True}),
        change(unnamed, after_unknown={"regions": True, "name": True}),
    ]
    file = write_json(tmp_path / "plan.json", plan(*changes))
    [organization] = read_plan(file).organizations
    assert [database.name for database in organization.managed.undetermined] == ["orders", unnamed]


def test_deferred_changes(tmp_path: Path) -> None:
    """What is deferred to a later plan is undetermined, unless it is to be gone."""
    later = [
        {"reason": "instance_count_unknown", "resource_change": change("astra_database.some[*]")},
        {"reason": "deferred_prereq", "resource_change": change(KEY, after=key_attributes())},
        {"reason": "deferred_prereq", "resource_change": resource("aws_instance.x")},
        {"reason": "deferred_prereq", "resource_change": change(ADDRESS, "delete", existing())},
    ]
    assert read(tmp_path, plan(deferred_changes=later)) == only(
        undetermined={("astra_database.some[*]", "deferred to a later plan")},
        existing={THERE},
        keys={(KEY, "aws", "us-east-1", True)},
    )


def test_a_deposed_object_is_not_planned(tmp_path: Path) -> None:
    """What waits to be deleted after a replacement exists, and is not planned a second time."""
    deposed = change(ADDRESS, "delete", existing("old")) | {"deposed": "6ad4ba37"}
    before = state(held(values=existing("old"), deposed_key="6ad4ba37"), held())
    shown = read(tmp_path, plan(change(ADDRESS, "no-op", existing()), deposed, prior_state=before))
    assert shown == only(existing={THERE, (ADDRESS, "old")})


@pytest.mark.parametrize("address", ["astra_database.b", 'module.m["x"].astra_database.b[0]'])
def test_the_state_before_a_plan(tmp_path: Path, address: str) -> None:
    """What a plan leaves out, as -target makes it do, stands in the state that it starts from."""
    inner = {"address": "module.m", "resources": [held(address, existing("d2"))]}
    before = {"format_version": "1.0", "values": {"root_module": {"child_modules": [inner]}}}
    shown = read(tmp_path, plan(change(), prior_state=before))
    assert shown == only(planned={NEW}, existing={(address, "d2")})


def test_a_state(tmp_path: Path) -> None:
    """A state tells what is managed, plans nothing, and its source says what it is."""
    key = key_attributes(organization_id=ORGANIZATION)
    file = write_json(tmp_path / "state.json", state(held(), held(KEY, key)))
    recorded = read_state(file, TerraformSettings())
    [organization] = recorded.organizations
    assert organization.databases == ()
    [database] = organization.managed.databases
    assert (database.id, database.name, organization.id) == ("d1", "orders", ORGANIZATION)
    source = recorded.source
    assert (source.role, source.format) == ("state", "terraform-state")
    assert (source.notes, source.captured_at) == ((), None)


@pytest.mark.parametrize(
    "data",
    [{"format_version": "1.0"}, state(), state(held(KEY, key_attributes(organization_id="o1")))],
    ids=["empty", "bare", "only-a-key"],
)
def test_a_state_without_databases(tmp_path: Path, data: dict[str, Any]) -> None:
    """A state without a database compares with nothing, and its source says so."""
    recorded = read_state(write_json(tmp_path / "state.json", data), TerraformSettings())
    assert recorded.source.notes == (NOT_COMPARED,)


def test_states_beside_plans(tmp_path: Path) -> None:
    """States and plans are read together, in the order of inventory, plans and states."""
    plans = [write_json(tmp_path / f"{name}.json", plan()) for name in "dc"]
    states = [
        write_json(tmp_path / f"{name}.json", state(held(values=existing(name)))) for name in "ba"
    ]
    inventory = Inventory([], plans, states=[*states, states[0]])
    [organization] = inventory.organizations()
    assert [database.id for database in organization.managed.databases] == ["a", "b"]
    sources = [(source.role, source.path) for source in inventory.sources]
    assert sources == [
        *(("plan", file) for file in sorted(plans)),
        *(("state", file) for file in sorted(states)),
    ]


def test_problems_of_plans_and_states(tmp_path: Path) -> None:
    """Mistakes in plans, states and inventories are told together."""
    files = [write_json(tmp_path / f"{name}.json", {}) for name in "abc"]
    with pytest.raises(InventoryError) as caught:
        Inventory(files[:1], files[1:2], states=files[2:])
    assert {problem.file for problem in caught.value.problems} == set(files)


def test_names_are_for_plans(tmp_path: Path) -> None:
    """A state has no name: what stands in front of a = is part of its path."""
    file = write_json(tmp_path / "a=b.json", state(held()))
    assert [source.path for source in Inventory([], states=[file]).sources] == [file]


def test_a_state_in_yaml(tmp_path: Path) -> None:
    """JSON is YAML, so that a state may end in .yaml."""
    file = write_json(tmp_path / "state.yaml", state(held()))
    assert read_state(file, TerraformSettings()).source.format == "terraform-state"


def test_what_stands_in_several_parts_is_reported_once(tmp_path: Path) -> None:
    """A database that stands in the changes and in the state before them is one."""
    data = plan(change(ADDRESS, "no-op", existing(), existing()), prior_state=state(held()))
    file = write_json(tmp_path / "plan.json", data)
    [organization] = read_plan(file).organizations
    assert [database.id for database in organization.managed.databases] == ["d1"]


def test_other_resources_are_not_read(tmp_path: Path) -> None:
    """Data sources, and resources of other kinds, may hold anything in any form."""
    odd = {"change": {"actions": "odd", "after": 7}}
    others = [
        resource("aws_instance.x", mode="ephemeral") | odd,
        resource("astra_keyspace.x") | odd,
        resource("astra_database.x", mode="data") | odd,
        resource("data.astra_databases.x", mode="data", type="astra_databases") | odd,
    ]
    assert read(tmp_path, plan() | {"resource_changes": others}) == only()


WRONG: list[tuple[str, object, str, str, str]] = [
    ("cloud_provider", "ibm", "", "'ibm'", "aws, gcp or azure"),
    ("cloud_provider", "all", "", "'all'", "aws, gcp or azure"),
    ("cloud_provider", None, "", "nothing", "aws, gcp or azure"),
    ("cloud_provider", ["aws"], "", "a list of 1", "text"),
    ("cloud_provider", True, "", "true", "text"),
    ("regions", [], "", "nothing", "at least one region"),
    ("regions", None, "", "nothing", "at least one region"),
    ("regions", "", "", "an empty text", "text"),
    ("regions", ["us east"], "[0]", "'us east'", "visible ASCII characters without spaces"),
    ("regions", ["us-east-1", None], "[1]", "nothing", "text"),
    ("regions", [""], "[0]", "an empty text", "text"),
    ("regions", [[]], "[0]", "an empty list", "text"),
    ("regions", ["é"], "[0]", r"'\xe9'", "visible ASCII characters without spaces"),
    (
        "regions",
        ["x" * 2049],
        "[0]",
        f"'{'x' * 79}… (2,051 characters)",
        "visible ASCII characters without spaces",
    ),
    ("region", ["us-east-1"], "", "a list of 1", "text"),
    ("name", 7, "", "7", "text"),
    ("name", "half \ud800", "", "an unpaired surrogate", "text without secrets"),
]


@pytest.mark.parametrize(("name", "value", "part", "found", "expected"), WRONG)
def test_attributes_of_a_wrong_form(
    tmp_path: Path, name: str, value: object, part: str, found: str, expected: str
) -> None:
    """An attribute that is read and has a wrong form is refused, and nothing is read."""
    wrong = problems(tmp_path, plan(change(after=attributes() | {name: value})))
    assert wrong == [(f"{name}{part} of {ADDRESS!r}", found, expected)]


@pytest.mark.parametrize(
    ("before", "marks", "found"),
    [
        (attributes(), {}, "nothing"),
        (existing(), {"before_sensitive": {"id": True}}, "marked as sensitive"),
        (existing(), {"before_sensitive": True}, "marked as sensitive"),
    ],
    ids=["missing", "sensitive", "all-sensitive"],
)
@pytest.mark.parametrize("actions", ["no-op", "update", "delete create", "delete"])
def test_databases_without_an_id(
    tmp_path: Path, actions: str, before: Data, marks: dict[str, Any], found: str
) -> None:
    """A database that exists has an id; one without cannot be looked for, and is refused."""
    after = None if actions == "delete" else GROWING
    wrong = problems(tmp_path, plan(change(ADDRESS, actions, before, after, **marks)))
    assert wrong == [(f"id of {ADDRESS!r}", found, "the id of the database")]


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """All mistakes in attributes are told together, each once and with its line."""
    after = attributes(cloud_provider="ibm", regions=["us east", 7])
    names = ("astra_database.a", "astra_database.b")
    wrong = problems(tmp_path, plan(*(change(name, after=after) for name in names)))
    assert [field for field, _, _ in wrong] == [
        f"{field} of {name!r}"
        for name in names
        for field in ("cloud_provider", "regions[0]", "regions[1]")
    ]


def test_two_plans_of_one_address(tmp_path: Path) -> None:
    """The same address in two plans is refused, with both files and what to write instead."""
    files = [write_json(tmp_path / f"{name}.json", plan(change())) for name in "ba"]
    with pytest.raises(InventoryError) as caught:
        Inventory([], files)
    [problem] = caught.value.problems
    second, first = files
    assert problem._replace(line=0) == Problem(
        second,
        0,
        "",
        f"'{ADDRESS}', an address that {first}:{problem.line} also has",
        f"a name for one of the two plans, such as --cmek-plan=prod={first}",
    )


def test_a_plan_that_is_given_twice(tmp_path: Path) -> None:
    """A plan that is given twice is read once."""
    file = write_json(tmp_path / "a.json", plan(change()))
    assert planned_in([file, f"{tmp_path}/x/../a.json"]) == {ADDRESS}


def test_names_of_plans(tmp_path: Path) -> None:
    """A name stands in front of each address, whatever other plans there are; a path never does."""
    changes = (change(), change("astra_database.late", after_unknown={"regions": True}))
    files = [write_json(tmp_path / f"{name}.json", plan(*changes)) for name in "ab"]
    own = {"prod#" + ADDRESS, "prod#astra_database.late"}
    other = {ADDRESS, "astra_database.late"}
    named = [f"prod={file}" for file in files]
    assert planned_in(named[:1]) == planned_in(named[1:]) == own
    assert planned_in([named[0], files[1]]) == planned_in([files[0], named[1]]) == own | other
    assert planned_in([named[0], f"test={files[1]}"]) == own | {
        f"test#{address}" for address in other
    }


def test_a_name_is_for_all_that_a_plan_holds(tmp_path: Path) -> None:
    """Keys and databases that Terraform manages have the name of their plan, as its file has."""
    changes = (
        change(KEY, after=key_attributes()),
        change(ADDRESS, "no-op", existing(), existing()),
    )
    file = write_json(tmp_path / "plan.json", plan(*changes))
    recorded = read_plan(file, name="prod")
    managed = [organization.managed for organization in recorded.organizations]
    named = [entry.resource for resources in managed for entry in resources.entries()]
    assert sorted(named) == [f"prod#{KEY}", f"prod#{ADDRESS}"]
    assert (recorded.source.path, recorded.source.name) == (file, "prod")


def test_a_plan_of_our_own_has_no_name(tmp_path: Path) -> None:
    """A name for a plan whose databases have no addresses is refused: it would do nothing."""
    file = write_json(tmp_path / "plan.json", plan_data())
    with pytest.raises(InventoryError) as caught:
        read_plan(file, name="prod")
    expected = "no name: databases of a YAML plan are identified by their own names"
    assert caught.value.problems == (Problem(file, 0, "", "the name 'prod'", expected),)


def planned_in(plans: list[str]) -> set[str]:
    """Return the addresses of all planned databases, wherever these are to lie."""
    found: set[str] = set()
    for organization in Inventory([], plans, TerraformSettings("o1")).organizations():
        planned = (*(organization.databases or ()), *organization.managed.undetermined)
        found |= {entry.resource for entry in planned}
    return found


def test_a_key_of_which_nothing_is_reported(tmp_path: Path) -> None:
    """A key that is neither there nor to come is none."""
    assert read(tmp_path, plan(change(KEY, "no-op"))) == only()
