"""Plans of every documented shape, and damaged ones: nothing that is planned is ever lost."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import strategies as st

from inventory.errors import InventoryError, SettingError
from inventory.inventory import Inventory
from inventory.terraform.organizations import TerraformSettings
from tests.builders import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    aws_key_id,
    gcp_key_id,
    uuid,
    write_json,
)
from tests.hypothesis_profile import examples
from tests.inventory.files.test_hostile_files import changed, paths
from tests.inventory.terraform.documents import ALIKE, Read, in_short

if TYPE_CHECKING:
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey

_names = st.sampled_from(["orders", "ledger", "a-b", "x_1"])
_keys = st.sampled_from(["", "[0]", "[1]", '["eu"]', '["a.b"]', '["we\\"ird]"]'])
_regions = st.sampled_from(["us-east-1", "us-west-2", "eu-west-1", "us-east1"])
_clouds = st.sampled_from(["aws", "AWS", "gcp", "azure"])
_actions = st.sampled_from(
    ["create", "update", "no-op", "delete", "forget", "read", "delete create", "create delete"]
)
_key_ids = st.sampled_from([aws_key_id(), aws_key_id(number=2), gcp_key_id(), "sham"])
_owners = st.sampled_from([ORGANIZATION, OTHER_ORGANIZATION])


@st.composite
def _place(draw: st.DrawFn, *, old: bool) -> dict[str, Any]:
    """Return where a database lies, as the provider told it before or since version 2.0."""
    names = draw(st.lists(_regions, min_size=1, max_size=3, unique=True))
    if not old:
        return {"regions": names}
    more = {"additional_regions": names[1:]} if names[1:] else {}
    return {"region": names[0], **more}


@st.composite
def _sides(draw: st.DrawFn, number: int, *, unknown: bool) -> dict[str, Any]:
    """Return a change of a database: what was, what is to be, and what is kept back."""
    actions = draw(_actions).split()
    name, cloud, old = draw(_names), draw(_clouds), draw(st.booleans())
    base = {"name": name, "cloud_provider": cloud, "keyspace": "main"}
    there = {"id": uuid(1000 + number), "organization_id": draw(_owners), "status": "ACTIVE"}
    was = base | draw(_place(old=old)) | there
    will = base | draw(_place(old=old)) | ({} if "create" in actions else there)
    return draw(_changed(actions, was, will, unknown=unknown))


@st.composite
def _changed(
    draw: st.DrawFn,
    actions: list[str],
    was: dict[str, Any],
    will: dict[str, Any],
    *,
    unknown: bool,
) -> dict[str, Any]:
    """Return a change by ``actions`` from what was to what will be, or leaves it."""
    is_planned = bool({"create", "update"} & {*actions})
    before = None if actions == ["create"] else was
    after = will if is_planned else before if {"no-op", "read"} & {*actions} else None
    marks = dict.fromkeys(("after_unknown", "before_sensitive", "after_sensitive"), False)
    change = {"actions": actions, "before": before, "after": after, **marks}
    if after is not None and unknown and is_planned:
        change |= draw(_kept_back(after))
    return change


@st.composite
def _kept_back(draw: st.DrawFn, after: dict[str, Any]) -> dict[str, Any]:
    """Mark some of the attributes as known only after apply, or as sensitive."""
    mark = draw(st.sampled_from(["after_unknown", "after_sensitive"]))
    shown, marks = dict(after), dict[str, Any]()
    for name in draw(st.sets(st.sampled_from([*after]))) & {*after} - {"id"}:
        value = after[name]
        if isinstance(value, list) and draw(st.booleans()):
            marks[name] = [draw(st.booleans()) for _ in value]
            shown[name] = [
                None if kept and mark == "after_unknown" else item
                for kept, item in zip(marks[name], value, strict=True)
            ]
            continue
        marks[name] = True
        if mark == "after_unknown":
            del shown[name]
    return {"after": shown, mark: marks}


@st.composite
def _key_sides(draw: st.DrawFn, *, unknown: bool) -> dict[str, Any]:
    """Return a change of a customer key."""
    actions, sides = draw(_actions).split(), []
    for _ in range(2):
        provider, region = draw(_clouds), draw(_regions)
        sides.append({"cloud_provider": provider, "region": region, "key_id": draw(_key_ids)})
    return draw(_changed(actions, *sides, unknown=unknown))


@st.composite
def _plans(draw: st.DrawFn, *, unknown: bool = False) -> dict[str, Any]:
    """Return a plan with its configuration, its planned values and the state before it."""
    places = st.tuples(st.lists(st.tuples(_names, _keys), max_size=2), _names, _keys)
    changes, planned, held = [], [], []
    for number, (steps, name, key) in enumerate(draw(st.lists(places, max_size=5, unique_by=str))):
        kind = draw(st.sampled_from(["astra_database", "astra_customer_key"]))
        module = ".".join(f"module.{step}{at}" for step, at in steps)
        address = f"{module}{'.' if module else ''}{kind}.{name}{key}"
        own = {"address": address, "mode": "managed", "type": kind, "name": name}
        own |= {"module_address": module} if module else {}
        sides = _sides(number, unknown=unknown)
        change = draw(sides if kind == "astra_database" else _key_sides(unknown=unknown))
        changes.append(own | {"change": change})
        if change["after"] is not None:
            planned.append((module, own | {"values": change["after"]}))
        if change["before"] is not None and draw(st.booleans()):
            held.append((module, own | {"values": change["before"], "sensitive_values": {}}))
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": _nested(planned)},
        "resource_changes": draw(st.permutations(changes)),
        "prior_state": {"format_version": "1.0", "values": {"root_module": _nested(held)}},
        "configuration": {"root_module": draw(_configuration())},
        "timestamp": "2026-11-20T01:00:00Z",
    }


def _nested(entries: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    modules: dict[str, Any] = {
        module: {"address": module, "resources": [resource]} for module, resource in entries
    }
    for module, resource in entries:
        if resource not in modules[module]["resources"]:
            modules[module]["resources"].append(resource)
    root: dict[str, Any] = modules.pop("", {})
    return root | ({"child_modules": [*modules.values()]} if modules else {})


@st.composite
def _configuration(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    own = [
        {"type": "astra_database", "name": name, "provider_config_key": key}
        for name, key in draw(
            st.dictionaries(_names, st.sampled_from(["astra", "astra.eu"]))
        ).items()
    ]
    inner = st.dictionaries(_names, _configuration(depth=depth - 1), max_size=2)
    calls = draw(inner) if depth else {}
    return {
        "resources": own,
        "module_calls": {name: {"module": called} for name, called in calls.items()},
    }


def _read(data: object) -> Read:
    return in_short(*_organizations(data))


def _organizations(data: object) -> list[Organization]:
    with tempfile.TemporaryDirectory() as folder:
        file = write_json(Path(folder) / "plan.json", data)
        return list(Inventory([], [file], TerraformSettings("one")).organizations())


# --- another reader -------------------------------------------------------------------------------


def _changes(data: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [
        resource_change
        for resource_change in data["resource_changes"]
        if resource_change["type"] == kind
    ]


def _key_changes(text: str) -> set[tuple[str, ...]]:
    """Return what a plan without unknowns does with keys: change, address, place and id."""
    found: set[tuple[str, ...]] = set()
    for resource in _changes(json.loads(text), "astra_customer_key"):
        change, actions = resource["change"], {*resource["change"]["actions"]}
        was, will = (_key(change[side]) for side in ("before", "after"))
        if "create" in actions or ("update" in actions and was != will):
            found.add(("register", resource["address"], *will))
            found |= {("replace", resource["address"], *was)} if was else set()
        elif actions == {"delete"}:
            found.add(("remove", resource["address"], *was))
    return found


def _key(side: dict[str, str] | None) -> tuple[str, ...]:
    return (side["cloud_provider"].lower(), side["region"], side["key_id"]) if side else ()


def _scopes(text: str) -> set[tuple[str, str, str]]:
    """Return what a plan without unknowns plans: address, provider and region, by another way."""
    found = set()
    for resource in _changes(json.loads(text), "astra_database"):
        change, sides = resource["change"], []
        for side in (change["before"] or {}, change["after"] or {}):
            lists = [side.get("regions"), [side.get("region")], side.get("additional_regions")]
            sides.append({region for one in lists for region in one or [] if region})
        was, will = sides
        if "create" in change["actions"]:
            was = set()
        elif change["actions"] != ["update"]:
            continue
        cloud = change["after"]["cloud_provider"].lower()
        found |= {(resource["address"], cloud, region) for region in will - was}
    return found


@examples(100)
@given(_plans())
def test_every_planned_scope_is_read(data: dict[str, Any]) -> None:
    """What is planned is what another, simpler reader finds in the same plan."""
    shown = _read(data)
    event("plans something" if shown.planned else "plans nothing")
    assert shown.planned == _scopes(json.dumps(data))
    assert shown.undetermined == set()
    assert shown.existing == {
        (change["address"], change["change"]["before"]["id"])
        for change in _changes(data, "astra_database")
        if change["change"]["before"]
    }


@examples(100)
@given(_plans())
def test_every_planned_key_is_read(data: dict[str, Any]) -> None:
    """What a plan does with keys is what another, simpler reader finds in the same plan."""
    planned = [
        key for organization in _organizations(data) for key in organization.managed.planned_keys
    ]
    event("changes a key" if planned else "changes no key")
    assert _key_changes(json.dumps(data)) == {
        (key.change, key.resource, key.provider, key.region, key.key_id) for key in planned
    }


@examples(120)
@given(_plans(unknown=True))
def test_no_unknown_key_is_lost(data: dict[str, Any]) -> None:
    """Whatever part of a new key is kept back, the key is planned, and what is missing is said."""
    managed = [organization.managed for organization in _organizations(data)]
    made = {key.resource: key for one in managed for key in one.planned_keys if _registers(key)}
    hidden = {key.resource: key for one in managed for key in one.undetermined_keys}
    for resource in _changes(data, "astra_customer_key"):
        change, address = resource["change"], resource["address"]
        if "create" not in change["actions"]:
            continue
        marks = [change["after_unknown"] or {}, change["after_sensitive"] or {}]
        kept = {name for one in marks for name in one if one[name]}
        assert (address in hidden) == bool(kept & {"cloud_provider", "region"})
        if address in made:
            assert (made[address].key_id is None) == ("key_id" in kept)
        assert address in made.keys() | hidden.keys()


def _registers(key: PlannedKey) -> bool:
    return key.change == "register"


@examples(120)
@given(_plans(unknown=True))
def test_nothing_unknown_is_lost(data: dict[str, Any]) -> None:
    """Whatever part of the place of a new database is kept back, it is planned or undetermined."""
    shown = _read(data)
    planned = {address for address, *_ in shown.planned}
    undetermined = {address for address, _ in shown.undetermined}
    event("keeps something back" if undetermined else "tells everything")
    for resource in _changes(data, "astra_database"):
        change, address = resource["change"], resource["address"]
        if {"create"} & {*change["actions"]}:
            assert address in planned | undetermined
        marks = [change["after_unknown"] or {}, change["after_sensitive"] or {}]
        place = [one.get(name) for one in marks for name in ("cloud_provider", *_PLACES)]
        kept = any(mark is True or (isinstance(mark, list) and any(mark)) for mark in place)
        assert (address in undetermined) == kept


_PLACES = ("regions", "region", "additional_regions")
_odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["\ud800", ALIKE]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


@examples(150, HealthCheck.too_slow)
@given(st.data())
def test_damaged_plans(data: st.DataObject) -> None:
    """A plan in which any part was exchanged for any other is read or refused in words."""
    tree: Any = data.draw(_plans(unknown=True))
    for _ in range(data.draw(st.integers(1, 3))):
        every = paths(tree)[1:]
        path = data.draw(st.sampled_from(every))
        tree = changed(tree, path, data.draw(_odd))
    message = _outcome(tree)
    event(message.partition(":")[0])
    assert ALIKE not in message
    assert message.replace("\n", "").isprintable()


def _outcome(data: object) -> str:
    """Return what is read of a plan, or why it is refused."""
    try:
        return f"read: {_read(data)!a}"
    except (InventoryError, SettingError) as error:
        return f"refused: {error}"


@examples(50)
@given(st.data())
def test_lost_changes_are_missed(data: st.DataObject) -> None:
    """A plan that lost one of its changes is refused, as its planned values tell of that."""
    tree = data.draw(_plans().filter(lambda tree: bool(_scopes(json.dumps(tree)))))
    lost = {address for address, *_ in _scopes(json.dumps(tree))}
    tree["resource_changes"] = [
        resource_change
        for resource_change in tree["resource_changes"]
        if resource_change["address"] not in lost
    ]
    with pytest.raises(InventoryError) as caught:
        _read(tree)
    assert len(caught.value.problems) == len(lost)
