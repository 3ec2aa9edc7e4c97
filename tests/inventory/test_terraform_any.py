"""Plans of every documented shape, and damaged ones: nothing that is planned is ever lost."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from inventory.errors import InventoryError, SettingError
from inventory.inventory import Inventory
from inventory.terraform_organizations import Terraform
from tests.builders import ORGANIZATION, OTHER_ORGANIZATION, uuid, write_json
from tests.inventory.terraform.documents import ALIKE, Read, in_short
from tests.inventory.test_hostile_files import changed, paths

_names = st.sampled_from(["orders", "ledger", "a-b", "x_1"])
_keys = st.sampled_from(["", "[0]", "[1]", '["eu"]', '["a.b"]', '["we\\"ird]"]'])
_regions = st.sampled_from(["us-east-1", "us-west-2", "eu-west-1", "us-east1"])
_clouds = st.sampled_from(["aws", "AWS", "gcp", "azure"])
_actions = st.sampled_from(
    ["create", "update", "no-op", "delete", "forget", "read", "delete create", "create delete"]
)
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
    before = after = None
    if actions != ["create"]:
        before = base | draw(_place(old=old)) | there
    if {"create", "update"} & {*actions}:
        after = base | draw(_place(old=old)) | ({} if "create" in actions else there)
    elif {"no-op", "read"} & {*actions}:
        after = before
    marks = dict.fromkeys(("after_unknown", "before_sensitive", "after_sensitive"), False)
    change = {"actions": actions, "before": before, "after": after, **marks}
    if after is not None and unknown and {"create", "update"} & {*actions}:
        change |= draw(_kept_back(after))
    return change


@st.composite
def _kept_back(draw: st.DrawFn, after: dict[str, Any]) -> dict[str, Any]:
    """Mark some of the attributes as known only after apply, or as sensitive."""
    mark = draw(st.sampled_from(["after_unknown", "after_sensitive"]))
    told, marks = dict(after), dict[str, Any]()
    for name in draw(st.sets(st.sampled_from([*after]))) & {*after} - {"id"}:
        value = after[name]
        if isinstance(value, list) and draw(st.booleans()):
            marks[name] = [draw(st.booleans()) for _ in value]
            told[name] = [
                None if kept and mark == "after_unknown" else each
                for kept, each in zip(marks[name], value, strict=True)
            ]
            continue
        marks[name] = True
        if mark == "after_unknown":
            del told[name]
    return {"after": told, mark: marks}


@st.composite
def _plans(draw: st.DrawFn, *, unknown: bool = False) -> dict[str, Any]:
    """Return a plan with its configuration, its planned values and the state before it."""
    places = st.tuples(st.lists(st.tuples(_names, _keys), max_size=2), _names, _keys)
    changes, planned, held = [], [], []
    for number, (steps, name, key) in enumerate(draw(st.lists(places, max_size=5, unique_by=str))):
        module = ".".join(f"module.{step}{at}" for step, at in steps)
        address = f"{module}{'.' if module else ''}astra_database.{name}{key}"
        own = {"address": address, "mode": "managed", "type": "astra_database", "name": name}
        own |= {"module_address": module} if module else {}
        change = draw(_sides(number, unknown=unknown))
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
        module: {"address": module, "resources": [each]} for module, each in entries
    }
    for module, each in entries:
        if each not in modules[module]["resources"]:
            modules[module]["resources"].append(each)
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
        "module_calls": {name: {"module": each} for name, each in calls.items()},
    }


def _read(data: object, terraform: Terraform = Terraform("one")) -> Read:  # noqa: B008 (frozen)
    with tempfile.TemporaryDirectory() as folder:
        file = write_json(Path(folder) / "plan.json", data)
        return in_short(*Inventory([], [file], terraform).organizations())


# --- another reader -------------------------------------------------------------------------------


def _scopes(text: str) -> set[tuple[str, str, str]]:
    """Return what a plan without unknowns plans: address, provider and region, by another way."""
    found = set()
    for each in json.loads(text)["resource_changes"]:
        change, sides = each["change"], []
        for side in (change["before"] or {}, change["after"] or {}):
            lists = [side.get("regions"), [side.get("region")], side.get("additional_regions")]
            sides.append({region for one in lists for region in one or [] if region})
        was, will = sides
        if "create" in change["actions"]:
            was = set()
        elif change["actions"] != ["update"]:
            continue
        cloud = change["after"]["cloud_provider"].lower()
        found |= {(each["address"], cloud, region) for region in will - was}
    return found


@settings(deadline=None, max_examples=100)
@given(_plans())
def test_every_planned_scope_is_read(data: dict[str, Any]) -> None:
    """What is planned is what another, simpler reader finds in the same plan."""
    told = _read(data)
    event("plans something" if told.planned else "plans nothing")
    assert told.planned == _scopes(json.dumps(data))
    assert told.undetermined == set()
    assert told.existing == {
        (each["address"], each["change"]["before"]["id"])
        for each in data["resource_changes"]
        if each["change"]["before"]
    }


@settings(deadline=None, max_examples=120)
@given(_plans(unknown=True))
def test_nothing_unknown_is_lost(data: dict[str, Any]) -> None:
    """Whatever part of the place of a new database is kept back, it is planned or undetermined."""
    told = _read(data)
    planned = {address for address, *_ in told.planned}
    undetermined = {address for address, _ in told.undetermined}
    event("keeps something back" if undetermined else "tells everything")
    for each in data["resource_changes"]:
        change, address = each["change"], each["address"]
        if {"create"} & {*change["actions"]}:
            assert address in planned | undetermined
        marks = [change["after_unknown"] or {}, change["after_sensitive"] or {}]
        place = [one.get(name) for one in marks for name in ("cloud_provider", *_PLACES)]
        kept = any(each is True or (isinstance(each, list) and any(each)) for each in place)
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


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damaged_plans(data: st.DataObject) -> None:
    """A plan in which any part was exchanged for any other is read or refused in words."""
    tree: Any = data.draw(_plans(unknown=True))
    for _ in range(data.draw(st.integers(1, 3))):
        every = paths(tree)[1:]
        path = data.draw(st.sampled_from(every))
        tree = changed(tree, path, data.draw(_odd))
    says = _outcome(tree)
    event(says.partition(":")[0])
    assert ALIKE not in says
    assert says.replace("\n", "").isprintable()


def _outcome(data: object) -> str:
    """Return what is read of a plan, or why it is refused."""
    try:
        return f"read: {_read(data)!a}"
    except (InventoryError, SettingError) as error:
        return f"refused: {error}"


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_lost_changes_are_missed(data: st.DataObject) -> None:
    """A plan that lost one of its changes is refused, as its planned values tell of that."""
    tree = data.draw(_plans().filter(lambda each: bool(_scopes(json.dumps(each)))))
    lost = {address for address, *_ in _scopes(json.dumps(tree))}
    tree["resource_changes"] = [
        each for each in tree["resource_changes"] if each["address"] not in lost
    ]
    with pytest.raises(InventoryError) as caught:
        _read(tree)
    assert len(caught.value.problems) == len(lost)
