"""Planned keys, of Terraform's plans and of our own, are read with all that the plan does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.errors import InventoryError
from inventory.index.organization_index import OrganizationIndex, index_organization
from inventory.inventory import Inventory
from inventory.model.key import KeyScope
from inventory.model.planned_keys import PartiallyShown, PlannedKey, UndeterminedKey
from inventory.model.terraform_managed import ManagedResources
from inventory.plans import read_plan
from tests.builders import (
    ORGANIZATION,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    gcp_key_id,
    key_data,
    planned_data,
    write_json,
    write_yaml,
)
from tests.inventory.terraform.documents import change, held, key_attributes, plan, problems, state

if TYPE_CHECKING:
    from pathlib import Path

KEY = "astra_customer_key.orders"
OLD, NEW = aws_key_id(number=1), aws_key_id(number=2)
APPLY, SENSITIVE = "known only after apply", "marked as sensitive"
SCOPE = KeyScope(ORGANIZATION, "serverless", "aws", "us-east-1")
Facts = set[tuple[str, str, str, str]]


def own(key_id: str = OLD, **over: object) -> dict[str, Any]:
    return key_attributes(key_id=key_id, **over)


def facts(folder: Path, data: object) -> Facts:
    """Return change, region, id or why it is missing, and address of each planned key."""
    file = write_json(folder / "plan.json", data)
    managed = [organization.managed for organization in read_plan(file).organizations]
    planned = {
        (key.change, key.region, key.key_id or key.missing, key.resource)
        for resources in managed
        for key in resources.planned_keys
    }
    return planned | {
        (key.change, "?", key.missing, key.name)
        for resources in managed
        for key in resources.undetermined_keys
    }


@pytest.mark.parametrize(
    ("actions", "before", "after", "expected"),
    [
        ("create", None, own(), [("register", "us-east-1", OLD)]),
        (
            "delete create",
            own(),
            own(NEW),
            [("replace", "us-east-1", OLD), ("register", "us-east-1", NEW)],
        ),
        (
            "create delete",
            own(region="eu-west-1"),
            own(),
            [("replace", "eu-west-1", OLD), ("register", "us-east-1", OLD)],
        ),
        (
            "update",
            own(),
            own(NEW),
            [("replace", "us-east-1", OLD), ("register", "us-east-1", NEW)],
        ),
        ("update", own(), own(), []),
        ("no-op", own(), own(), []),
        ("read", own(), own(), []),
        ("delete", own(), None, [("remove", "us-east-1", OLD)]),
        ("forget", own(), None, []),
    ],
)
def test_actions_on_keys(
    tmp_path: Path,
    actions: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    expected: list[tuple[str, str, str]],
) -> None:
    """A plan registers, replaces or removes a key; what it forgets or only reads, it leaves."""
    data = plan(change(KEY, actions, before, after))
    assert facts(tmp_path, data) == {(*fact, KEY) for fact in expected}


@pytest.mark.parametrize(
    ("mark", "why"), [("after_unknown", APPLY), ("after_sensitive", SENSITIVE)]
)
@pytest.mark.parametrize("attribute", ["key_id", "region", "cloud_provider"])
def test_a_key_that_is_not_shown_in_full_is_planned(
    tmp_path: Path, attribute: str, mark: str, why: str
) -> None:
    """A planned key is kept whatever the plan does not show of it, with the reason."""
    created = change(KEY, after=own() | {attribute: None})
    created["change"] |= {mark: {attribute: True}}
    missing = why if attribute == "key_id" else f"{attribute} {why}"
    region = "us-east-1" if attribute == "key_id" else "?"
    assert facts(tmp_path, plan(created)) == {("register", region, missing, KEY)}
    read = read_plan(write_json(tmp_path / "plan.json", plan(created)))
    [managed] = [organization.managed for organization in read.organizations]
    keys: list[PartiallyShown] = [*managed.planned_keys, *managed.undetermined_keys]
    [key] = keys
    assert (key.is_later, key.is_hidden) == (why == APPLY, why == SENSITIVE)


def test_an_update_of_what_is_not_shown_is_a_change(tmp_path: Path) -> None:
    """An update whose new id is not known yet may be any change, so it counts as one."""
    data = plan(change(KEY, "update", own(), own(), after_unknown={"key_id": True}))
    assert facts(tmp_path, data) == {
        ("replace", "us-east-1", OLD, KEY),
        ("register", "us-east-1", APPLY, KEY),
    }


def test_a_removed_key_that_is_not_shown_is_removed(tmp_path: Path) -> None:
    """A key whose place is sensitive is removed from wherever it is."""
    data = plan(change(KEY, "delete", own(), before_sensitive={"region": True}))
    assert facts(tmp_path, data) == {("remove", "?", f"region {SENSITIVE}", KEY)}


def test_what_a_replacement_left_is_removed(tmp_path: Path) -> None:
    """A key that an interrupted replacement left is deleted by the next plan, under one address."""
    left = change(KEY, "delete", own()) | {"deposed": "byebye07"}
    kept = change(KEY, "no-op", own(NEW), own(NEW))
    database = change("astra_database.x", "delete", {}) | {"deposed": "byebye08"}
    assert facts(tmp_path, plan(left, kept, database)) == {("remove", "us-east-1", OLD, KEY)}


def test_a_state_plans_no_key(tmp_path: Path) -> None:
    """A key in the state is held, and nothing is planned of it."""
    assert facts(tmp_path, plan(prior_state=state(held(KEY, own())))) == set()


def test_a_key_without_its_id_is_refused(tmp_path: Path) -> None:
    """A plan that was cut down until a key has no id is refused: it may be any key."""
    data = plan(change(KEY, after={"cloud_provider": "aws", "region": "us-east-1"}))
    assert problems(tmp_path, data) == [
        (f"key_id of '{KEY}'", "nothing", "the id of a key"),
    ]


def test_regions_are_read_as_they_are_written(tmp_path: Path) -> None:
    """A region is taken as the plan has it: whether Astra takes it for another is unknown."""
    data = plan(change(KEY, after=own(region="US-East-1")))
    assert facts(tmp_path, data) == {("register", "US-East-1", OLD, KEY)}


def test_a_name_is_part_of_every_address(tmp_path: Path) -> None:
    """The name of a plan begins the addresses of its keys, and of what waits for them."""
    file = write_json(tmp_path / "plan.json", plan(change(KEY, after=own())))
    [organization] = read_plan(file, name="prod").organizations
    [key] = organization.managed.planned_keys
    assert (key.resource, key.file) == (f"prod#{KEY}", file)


def test_two_plans_of_one_address_need_names(tmp_path: Path) -> None:
    """Two plans whose keys have one address need names, as those of databases do."""
    created = plan(change(KEY, after=own()))
    files = [write_json(tmp_path / f"{name}.json", created) for name in ("one", "two")]
    with pytest.raises(InventoryError) as caught:
        Inventory([], files)
    [problem] = caught.value.problems
    assert problem.expected.startswith("a name for one of the two plans")


# --- our own plans --------------------------------------------------------------------------------


def a_plan(*keys: dict[str, Any], **over: object) -> dict[str, Any]:
    return {"cmek-plan": 1, "organizations": [{"id": ORGANIZATION, "keys": list(keys)} | over]}


def test_keys_of_a_plan(tmp_path: Path) -> None:
    """A plan in YAML lists keys with what it does with each, of both database types."""
    other = key_data(type="classic", provider="GCP", region="us-east1", change="remove")
    file = write_yaml(tmp_path / "plan.yaml", a_plan(key_data(), other, databases=[planned_data()]))
    [organization] = read_plan(file).organizations
    assert organization.managed == ManagedResources(
        planned_keys=(
            PlannedKey(type="serverless", provider="aws", region="us-east-1", key_id=OLD),
            PlannedKey(
                type="managed-clusters",
                provider="gcp",
                region="us-east1",
                key_id=gcp_key_id(),
                change="remove",
            ),
        )
    )
    assert [key.line for key in organization.managed.planned_keys] == [5, 9]
    assert [database.name for database in organization.databases or ()] == ["acme-planned"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([{"type": "x"}], "organizations[0].keys[0].type"),
        ([key_data(change="rotate")], "organizations[0].keys[0].change"),
        ([key_data(registered={})], "organizations[0].keys[0].registered"),
        ([{name: value for name, value in key_data().items() if name != "key_id"}], ".key_id"),
    ],
)
def test_mistakes_in_keys(tmp_path: Path, keys: list[dict[str, Any]], expected: str) -> None:
    """A planned key needs place and id, and has no facts that only a registered one can have."""
    fields = [field for field, *_ in _problems(write_yaml(tmp_path / "plan.yaml", a_plan(*keys)))]
    assert any(field.endswith(expected) for field in fields)


def test_a_key_twice(tmp_path: Path) -> None:
    """One key that a plan lists twice for one scope is refused, whatever its versions."""
    one, two = (
        key_data(provider="gcp", region="us-east1", key_id=gcp_key_id(version=number))
        for number in (1, 2)
    )
    [(_, found, expected)] = _problems(write_yaml(tmp_path / "plan.yaml", a_plan(one, two)))
    assert found.startswith("a duplicate key ")
    assert expected == "each key once, first on line 5"


def _problems(file: str) -> list[tuple[str, str, str]]:
    with pytest.raises(InventoryError) as caught:
        read_plan(file)
    return [(problem.field, problem.found, problem.expected) for problem in caught.value.problems]


# --- the index ------------------------------------------------------------------------------------


def planned(key_id: str | None = NEW, **over: object) -> PlannedKey:
    data = {"type": "serverless", "provider": "aws", "region": "us-east-1", "key_id": key_id}
    return PlannedKey.model_validate(data | over).at("plan.json", 3, KEY)


def index(*keys: PlannedKey, **over: object) -> OrganizationIndex:
    organization = an_organization(**over)
    return index_organization(organization.with_managed(ManagedResources(planned_keys=keys)))


def test_what_is_registered_is_planned_no_more() -> None:
    """A planned key that is registered in its scope, in whatever version, is not indexed."""
    assert index(planned(OLD), planned(), planned()).planned_keys == {SCOPE: [planned()]}
    version = planned(gcp_key_id(version=2), provider="gcp", region="us-east1")
    there = a_key(provider="gcp", region="us-east1", key_id=gcp_key_id(version=1))
    assert index(version, keys=[there]).planned_keys == {}


def test_keys_without_id_are_each_kept() -> None:
    """Two planned keys whose ids are not shown may be two keys."""
    assert index(planned(None), planned(None)).planned_keys == {SCOPE: [planned(None)] * 2}


def test_only_what_a_plan_registers_is_a_planned_key() -> None:
    """A key that a plan replaces or removes is no key that it brings."""
    assert index(planned(change="remove"), planned(change="replace")).planned_keys == {}


@pytest.mark.parametrize(
    ("waiting", "is_ordered"),
    [({"db.a", "db.b"}, True), ({"db.a", "db.b", "db.c"}, True), ({"db.a"}, False), (set(), False)],
)
def test_a_scope_is_ordered_if_all_wait(waiting: set[str], *, is_ordered: bool) -> None:
    """A scope is ordered only if every planned database there waits for one and the same key."""
    databases = [
        a_planned_database(name=name).at("plan.json", 1, f"db.{name}") for name in ("a", "b")
    ]
    key = planned(awaited_by=frozenset(waiting))
    other = planned(aws_key_id(number=3))
    found = index(other, key, databases=databases, keys=[]).ordered
    assert found == ({SCOPE: key} if is_ordered else {})


def test_a_database_without_address_waits_for_nothing() -> None:
    """A planned database of a plan in YAML has no address, so nothing orders it."""
    key = planned(awaited_by=frozenset({"db.a"}))
    databases = [a_planned_database(name="a").at("plan.yaml", 1)]
    assert index(key, databases=databases, keys=[]).ordered == {}


def test_a_scope_without_databases_is_not_ordered() -> None:
    """A planned key that nothing needs orders nothing."""
    assert index(planned(awaited_by=frozenset({"db.a"})), databases=[]).ordered == {}


def test_undetermined_keys_are_merged() -> None:
    """What two plans hold of one organization is kept of both, keys among it."""
    one = UndeterminedKey(name="a", missing="region")
    two = UndeterminedKey(name="b", missing="region", change="remove")
    both = ManagedResources(planned_keys=(planned(),), undetermined_keys=(one,)).combined_with(
        ManagedResources(undetermined_keys=(two,))
    )
    assert both == ManagedResources(planned_keys=(planned(),), undetermined_keys=(one, two))
    assert list(both.entries()) == [planned(), one, two]
