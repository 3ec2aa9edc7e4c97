"""Plans that were cut down to what is read are read to the same result, and hold no secret."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from inventory.errors import InventoryError
from inventory.plans import read_plan
from tests.builders import write_json, write_text
from tests.hypothesis_profile import examples
from tests.inventory.terraform.cutting import JQ, READ, by_jq, cut, cut_text
from tests.inventory.terraform.documents import (
    attributes,
    change,
    configured,
    existing,
    held,
    key_attributes,
    plan,
    recorded,
    resource,
    state,
)
from tests.inventory.terraform.recordings import RECORDED
from tests.inventory.terraform.test_any import _plans

if TYPE_CHECKING:
    from inventory.files.yaml_json import RecordedFile
    from inventory.model.base import Located

EXAMPLE = Path(__file__).parents[3] / "inventory/examples/terraform/plan.json"
FILES = [EXAMPLE, *(file for file in sorted(RECORDED.glob("*.json")) if ".raw." not in file.name)]
EACH = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
KEY = "astra_customer_key.orders"
SECRET = "hunter2-acme"
NEEDS_JQ = pytest.mark.skipif(JQ is None, reason="there is no jq here")


def outcome(folder: Path, text: str) -> tuple[object, ...]:
    """Return all that is read of a plan or a state, or why it is refused, without its lines."""
    file = write_text(folder / "plan.json", text)
    try:
        read = recorded(file)
    except InventoryError as error:
        return tuple((problem.field, problem.found, problem.expected) for problem in error.problems)
    source = read.source.model_dump(exclude={"size", "sha256"})
    return source, read.providers, [_everything(read)]


def _everything(read: RecordedFile) -> list[object]:
    found: list[object] = []
    for organization in read.organizations:
        managed = organization.managed
        found += [organization.model_dump(), managed.model_dump()]
        entries: list[Located] = [*(organization.databases or ())]
        for name in type(managed).model_fields:
            entries += getattr(managed, name)
        found += [entry.resource for entry in entries]
    return found


@EACH
def test_what_was_cut_down_is_read_alike(file: Path, tmp_path: Path) -> None:
    """What Terraform printed is read, or refused, as what is left of it is."""
    text = file.read_text("utf-8")
    assert outcome(tmp_path, cut_text(text)) == outcome(tmp_path, text)


@NEEDS_JQ
@EACH
def test_jq_leaves_the_same(file: Path) -> None:
    """The program of the documents leaves what the tests take it to leave."""
    text = file.read_text("utf-8")
    assert json.loads(by_jq(text)) == cut(json.loads(text))


@examples(80)
@given(_plans(unknown=True))
def test_any_plan_that_was_cut_down_is_read_alike(data: dict[str, Any]) -> None:
    """A plan of any shape is read, or refused, as what is left of it is."""
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(data)
        assert outcome(Path(folder), cut_text(text)) == outcome(Path(folder), text)


# --- what is cut ----------------------------------------------------------------------------------


def full() -> dict[str, Any]:
    """Return a plan that holds a secret in each place that is not read."""
    expression = {
        "name": {"constant_value": SECRET},
        "regions": {"references": ["var.regions"], "constant_value": [SECRET]},
        "block": [{"references": {"references": ["local.a"]}, "token": {"constant_value": SECRET}}],
    }
    own: dict[str, Any] = {
        "address": "x",
        "mode": "managed",
        "type": "astra_database",
        "name": "orders",
    }
    one = own | {"provider_config_key": "astra", "expressions": expression}
    one |= {"depends_on": ["astra_customer_key.orders"], "schema_version": 1}
    one |= {"provisioners": [{"type": "local-exec", "expressions": expression}]}
    inner = {"resources": [one], "variables": {"a": {"default": {"name": SECRET}}}}
    call = {"source": f"git::https://{SECRET}@example.test/x", "expressions": expression}
    call |= {"module": inner, "count_expression": {"constant_value": SECRET}}
    calls = {"far": call, "near": {"source": "./near", "module": {}, "version_constraint": SECRET}}
    outputs = {"a": {"expression": {"constant_value": SECRET}, "description": SECRET}}
    root = inner | {"module_calls": calls, "outputs": outputs}
    provider = {"name": "astra", "expressions": expression, "version_constraint": SECRET}
    hidden = attributes(name=SECRET, regions=["us-east-1", SECRET], timeouts={"create": SECRET})
    marks = {"name": True, "regions": [False, True]}
    after = change(after=hidden, after_sensitive=marks)
    there = existing(name=SECRET, keyspace=SECRET)
    kept = change("astra_database.b", "no-op", there, there)
    kept["change"] |= {"before_sensitive": {"name": True}, "after_sensitive": {"name": {"a": True}}}
    before = held("astra_database.b", there, sensitive_values={"name": True})
    key = change(KEY, after=key_attributes(organization_id=None, description=SECRET))
    token = resource("astra_token.x") | {"change": {"after": {"token": SECRET}}}
    drift = change("astra_database.b", "update", there, there, before_sensitive={"name": True})
    drift["change"] |= {"after_sensitive": {"name": True}}
    return plan(
        *(after, kept, key, token),
        resource("aws_instance.x") | {"change": {"after": {"password": SECRET}}},
        variables={"token": {"value": SECRET}},
        output_changes={"token": {"after": SECRET}},
        checks=[{"problems": [SECRET]}],
        configuration={"provider_config": {"astra": provider}, "root_module": root},
        prior_state=state(before) | {"checks": [SECRET]},
        resource_drift=[drift],
        deferred_changes=[
            {"reason": "unknown", "resource_change": change("astra_database.c"), "x": SECRET},
            {"reason": "unknown", "resource_change": resource("aws_instance.y"), "x": SECRET},
        ],
    )


def test_no_secret_is_left(tmp_path: Path) -> None:
    """Nothing that can be a secret is left: no value but those that are read and not sensitive."""
    text = json.dumps(full())
    left = cut_text(text)
    assert SECRET in text
    assert SECRET not in left
    assert outcome(tmp_path, left) == outcome(tmp_path, text)
    assert isinstance(outcome(tmp_path, left)[0], dict)


@NEEDS_JQ
def test_jq_leaves_no_secret() -> None:
    """The program of the documents leaves none, either."""
    assert json.loads(by_jq(json.dumps(full()))) == cut(full())


def test_what_orders_resources_is_left() -> None:
    """References and dependencies are left in their places, of all kinds of resources."""
    root = cut(full())["configuration"]["root_module"]
    [one] = root["resources"]
    assert one["depends_on"] == ["astra_customer_key.orders"]
    assert one["expressions"] == {
        "name": {},
        "regions": {"references": ["var.regions"]},
        "block": [{"references": {"references": ["local.a"]}, "token": {}}],
    }
    assert one["provisioners"] == [{"type": None, "expressions": one["expressions"]}]
    far, near = root["module_calls"]["far"], root["module_calls"]["near"]
    assert (far["expressions"], near["source"]) == (one["expressions"], "./near")
    assert far["module"]["resources"] == [one]


@NEEDS_JQ
@pytest.mark.parametrize("text", ["", "[]", '{"resource_changes": {}}', '{"format_version"'])
def test_jq_stops(tmp_path: Path, text: str) -> None:
    """What is no plan does not become one."""
    try:
        left = by_jq(text)
    except AssertionError:
        return
    with pytest.raises(InventoryError):
        read_plan(write_text(tmp_path / "plan.json", left))


def test_a_state_that_was_cut_down_is_no_plan(tmp_path: Path) -> None:
    """A state stays one, with what it holds, so that it is not taken for an empty one."""
    text = json.dumps(state(held()))
    assert outcome(tmp_path, cut_text(text)) == outcome(tmp_path, text)
    with pytest.raises(InventoryError, match="found a state, not a plan"):
        read_plan(write_text(tmp_path / "plan.json", cut_text(text)))


# --- what must stay -------------------------------------------------------------------------------

CREATED = change(after=attributes(regions=["us-east-1"]), after_unknown={"id": True})
UNKNOWN = change(after=attributes(regions=None), after_unknown={"regions": True})
LOST = {
    "format_version": (CREATED, ("format_version",)),
    "planned_values": (CREATED, ("planned_values",)),
    "resource_changes": (CREATED, ("resource_changes",)),
    "configuration": (CREATED, ("configuration",)),
    "address": (CREATED, ("resource_changes", 0, "address")),
    "mode": (CREATED, ("resource_changes", 0, "mode")),
    "type": (CREATED, ("resource_changes", 0, "type")),
    "change": (CREATED, ("resource_changes", 0, "change")),
    "actions": (CREATED, ("resource_changes", 0, "change", "actions")),
    "after": (CREATED, ("resource_changes", 0, "change", "after")),
    "cloud_provider": (CREATED, ("resource_changes", 0, "change", "after", "cloud_provider")),
    "regions": (CREATED, ("resource_changes", 0, "change", "after", "regions")),
    "what is unknown": (UNKNOWN, ("resource_changes", 0, "change", "after_unknown")),
}


@pytest.mark.parametrize(("planned", "path"), LOST.values(), ids=LOST)
def test_what_lost_too_much_is_refused(
    tmp_path: Path, planned: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    """A plan that lost what a verdict needs is refused, also if it was cut down."""
    for data in map(copy.deepcopy, (plan(planned), cut(plan(planned)))):
        whole = write_json(tmp_path / "plan.json", data)
        assert read_plan(whole).organizations
        part: Any = data
        for step in path[:-1]:
            part = part[step]
        del part[path[-1]]
        with pytest.raises(InventoryError):
            read_plan(write_json(tmp_path / "plan.json", data))


def test_two_providers_without_their_configuration(tmp_path: Path) -> None:
    """A plan of two providers that lost its configuration is not taken for one of a single one."""
    data = plan(change(), change("astra_database.b"), configuration=configured())
    del data["configuration"]
    with pytest.raises(InventoryError) as caught:
        read_plan(write_json(tmp_path / "plan.json", data))
    assert [problem[2:] for problem in caught.value.problems] == [
        ("configuration", "nothing", "a mapping")
    ]


def test_attributes_that_are_left() -> None:
    """Of an attribute nothing is left but those that are read."""
    values = dict.fromkeys((*READ, "keyspace", "status", "db_type"), "x")
    [left] = cut(plan(change(after=values)))["resource_changes"]
    assert set(left["change"]["after"]) == set(READ)
