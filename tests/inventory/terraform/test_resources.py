"""The form of plans and states: what is no plan, or is damaged, is refused with what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from inventory.errors import InventoryError
from inventory.files.documents import read_document
from inventory.files.file_kinds import SHOW_JSON
from inventory.files.format_detection import PLAN, STATE
from inventory.model.base import NEWER_HINT
from inventory.plans import read_plan, read_state
from inventory.terraform.organizations import TerraformSettings
from inventory.terraform.resources import read_resources
from tests.builders import write_json, write_text
from tests.inventory.terraform.documents import (
    ADDRESS,
    ALIKE,
    attributes,
    change,
    existing,
    held,
    located,
    plan,
    problems,
    read,
    resource,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

VALUES = "planned_values.root_module"
NO_PLAN = ("a state, not a plan", f"{PLAN.expectation}; give it as --cmek-state")


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.2", "1.99"])
def test_versions_of_the_format(tmp_path: Path, version: str) -> None:
    """A plan of every minor version of the format is read, whatever is new in it."""
    data = plan(change() | {"new": 1}, format_version=version, new=[{}])
    assert {address for address, *_ in read(tmp_path, data).planned} == {ADDRESS}


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("1", "'1'"),
        ("1.2-beta", "'1.2-beta'"),
        (1.2, "1.2"),
        ([], "an empty list"),
    ],
)
def test_other_versions_of_the_format(tmp_path: Path, version: object, found: str) -> None:
    """A plan of another major version of the format is refused."""
    expected = [("format_version", found, "a version 0.x or 1.x")]
    assert problems(tmp_path, plan(format_version=version)) == expected


def test_a_newer_version_of_the_format(tmp_path: Path) -> None:
    """A plan of a version to come may be meant for a newer program."""
    expected = f"a version 0.x or 1.x; {NEWER_HINT}"
    found = problems(tmp_path, plan(format_version="2.0"))
    assert found == [("format_version", "'2.0'", expected)]


FORMS: dict[str, tuple[object, tuple[str, str, str]]] = {
    "the state's own file": (
        {"version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "x", "resources": []},
        ("", "a raw Terraform state file", f"{PLAN.expectation}; {SHOW_JSON} as --cmek-state"),
    ),
    "an empty state": (
        {"format_version": "1.0"},
        ("", *NO_PLAN),
    ),
    "an empty state of a version": (
        {"format_version": "1.0", "terraform_version": "1.11.4"},
        ("", *NO_PLAN),
    ),
    "an emptied state": (
        {"format_version": "1.0", "terraform_version": "1.11.4", "values": None},
        ("", "neither a plan nor a state", PLAN.expectation),
    ),
    "terraform validate -json": (
        {"format_version": "1.0", "valid": True, "error_count": 0, "diagnostics": []},
        ("", "neither a plan nor a state", PLAN.expectation),
    ),
    "terraform providers schema -json": (
        {"format_version": "1.0", "provider_schemas": {}},
        ("", "neither a plan nor a state", PLAN.expectation),
    ),
    "a plan that failed": (
        plan(errored=True),
        ("errored", "a plan that ended with an error", "a plan that can be applied"),
    ),
    "errored in another spelling": (
        plan(errored="true"),
        ("errored", "'true'", "a plan that can be applied"),
    ),
    "no planned values": (
        {"format_version": "1.2", "resource_changes": [change()]},
        ("planned_values", "nothing", "a mapping"),
    ),
    "planned values of another form": (
        plan(planned_values=[]),
        ("planned_values", "an empty list", "a mapping"),
    ),
    "no planned module": (plan(planned_values={}), (VALUES, "nothing", "a mapping")),
    "a state without a module": (
        {"format_version": "1.0", "values": {"outputs": {}}},
        ("values.root_module", "nothing", "a mapping"),
    ),
    "no configuration": (
        {name: value for name, value in plan(change()).items() if name != "configuration"},
        ("configuration", "nothing", "a mapping"),
    ),
    "a configuration that was emptied": (
        plan(change(), configuration=None),
        ("configuration", "nothing", "a mapping"),
    ),
    "a change that was lost": (
        plan(change(), resource_changes=[]),
        ("resource_changes", "nothing", f"a change of {ADDRESS!r}, as in planned_values"),
    ),
    "all changes that were lost": (
        {name: value for name, value in plan(change()).items() if name != "resource_changes"},
        ("resource_changes", "nothing", f"a change of {ADDRESS!r}, as in planned_values"),
    ),
    "a change that stands twice": (
        plan(change(), change()),
        ("resource_changes", f"{ADDRESS!r} 2 times", "each once"),
    ),
    "changes of another form": (
        plan(resource_changes={}),
        ("resource_changes", "an empty mapping", "a list"),
    ),
    "no change": (
        plan() | {"resource_changes": [resource()]},
        ("resource_changes[0].change", "nothing", "a mapping"),
    ),
    "nothing after a change": (
        plan(change(ADDRESS, "update", existing())),
        ("resource_changes[0].change.after", "nothing", "the attributes after the change"),
    ),
    "a text after a change": (
        plan() | {"resource_changes": [change(after="x")]},  # type: ignore[arg-type]
        ("resource_changes[0].change.after", "'x'", "a mapping"),
    ),
    "a state without attributes": (
        state(held() | {"values": None}),
        ("values.root_module.resources[0].values", "nothing", "the attributes of the resource"),
    ),
    "a state with attributes of another form": (
        state(held() | {"values": []}),
        ("values.root_module.resources[0].values", "an empty list", "a mapping"),
    ),
    "a state before of another form": (
        plan(prior_state=[]),
        ("prior_state", "an empty list", "a mapping"),
    ),
    "a state before without values": (
        plan(prior_state={"values": None}),
        ("prior_state.values", "nothing", "a mapping"),
    ),
    "child modules of another form": (
        state() | {"values": {"root_module": {"child_modules": 7}}},
        ("values.root_module.child_modules", "7", "a list"),
    ),
    "a child module of another form": (
        state() | {"values": {"root_module": {"child_modules": [7]}}},
        ("values.root_module.child_modules[0]", "7", "a mapping"),
    ),
    "what is put off of another form": (
        plan(deferred_changes=7),
        ("deferred_changes", "7", "a list"),
    ),
    "what is put off is not told": (
        plan(deferred_changes=[{"reason": "unknown"}]),
        ("deferred_changes[0].resource_change", "nothing", "a mapping"),
    ),
}


@pytest.mark.parametrize(("data", "expected"), FORMS.values(), ids=FORMS)
def test_what_is_no_plan(tmp_path: Path, data: object, expected: tuple[str, str, str]) -> None:
    """What is neither a plan nor a state, or lost a part, is refused: it could hide something."""
    assert expected in problems(tmp_path, data)


@pytest.mark.parametrize(
    ("name", "value", "found", "expected"),
    [
        ("type", None, "nothing", "text"),
        ("type", 7, "7", "text"),
        ("type", "", "''", "text"),
        ("mode", None, "nothing", "text"),
        ("mode", "odd", "'odd'", "managed or data"),
        ("address", [], "an empty list", "text"),
        ("address", f"a[{ALIKE!r}]", "what looks like a token", "an address as Terraform makes it"),
        ("address", "half \ud800", "an unpaired surrogate", "an address as Terraform makes it"),
    ],
)
def test_resources_of_another_form(
    tmp_path: Path, name: str, value: object, found: str, expected: str
) -> None:
    """Of every resource it must be told what it is; what is not told may be a database."""
    data = plan() | {"resource_changes": [change() | {name: value}]}
    assert problems(tmp_path, data) == [(f"resource_changes[0].{name}", found, expected)]


@pytest.mark.parametrize(
    ("actions", "found"),
    [
        (None, "nothing"),
        ([], "an empty list"),
        ("create", "'create'"),
        (["create", 7], "'create', 7"),
        (["grow"], "'grow'"),
    ],
)
def test_unknown_actions(tmp_path: Path, actions: object, found: str) -> None:
    """What is to be done with a resource is one of the documented actions."""
    damaged = change()
    damaged["change"]["actions"] = actions
    expected = "one or two of: create, delete, forget, no-op, read, update"
    shown = [("resource_changes[0].change.actions", found, expected)]
    assert problems(tmp_path, plan() | {"resource_changes": [damaged]}) == shown


@pytest.mark.parametrize("before", [{}, {"format_version": "1.0"}, None])
def test_a_plan_from_nothing(tmp_path: Path, before: Any) -> None:  # noqa: ANN401 (any JSON)
    """A plan may start from an empty state, which Terraform prints in several ways."""
    shown = read(tmp_path, plan(change(), prior_state=before))
    assert {address for address, *_ in shown.planned} == {ADDRESS}


def test_a_plan_that_changes_nothing(tmp_path: Path) -> None:
    """A plan without any resource plans nothing, and is a plan all the same."""
    data = {name: value for name, value in plan().items() if name != "resource_changes"}
    assert problems(tmp_path, data) == []


def test_the_line_is_that_of_the_resource(tmp_path: Path) -> None:
    """A problem stands on the line of the attribute, and so names the resource in any case."""
    data = plan(change(), change("astra_database.b", after=attributes(cloud_provider="ibm")))
    [problem] = located(tmp_path, data)
    lines = (tmp_path / "plan.json").read_text("utf-8").splitlines()
    shown = [number for number, line in enumerate(lines, 1) if '"cloud_provider": "ibm"' in line]
    assert problem.line == shown[-1]
    assert problem.field == "cloud_provider of 'astra_database.b'"


def test_endless_nesting(tmp_path: Path) -> None:
    """Modules and marks within each other without end are refused, or read to their end."""
    marks: Any = True
    module: Any = {"resources": [held()]}
    for _ in range(300):
        marks, module = [marks], {"child_modules": [module]}
    created = change(after_unknown={"regions": [marks]})
    shown = read(tmp_path, plan(created, prior_state={"values": {"root_module": module}}))
    assert (len(shown.undetermined), shown.existing) == (1, {(ADDRESS, "d1")})
    deep = '{"format_version": "1.2", "planned_values": ' + "[" * 100_000
    with pytest.raises(InventoryError, match="too deep nesting"):
        read_plan(write_text(tmp_path / "deep.json", deep))


# --- states ---------------------------------------------------------------------------------------

STATES: dict[str, dict[str, Any]] = {
    "whole": state(held()),
    "bare": state(),
    "empty": {"format_version": "1.0"},
    "empty, with checks": {"format_version": "1.0", "terraform_version": "1.11.4", "checks": []},
}


@pytest.mark.parametrize("data", STATES.values(), ids=STATES)
def test_a_state_is_no_plan(tmp_path: Path, data: dict[str, Any]) -> None:
    """A state that is given as a plan plans nothing, and is refused with what to run."""
    file = write_json(tmp_path / "plan.json", data)
    with pytest.raises(InventoryError) as caught:
        read_plan(file)
    assert [problem[1:] for problem in caught.value.problems] == [(1, "", *NO_PLAN)]
    assert str(caught.value.problems[0]) == (
        f"{file}:1: found a state, not a plan, expected a plan, as printed by: "
        "terraform plan -out=plan.bin && terraform show -json plan.bin > plan.json; "
        "give it as --cmek-state"
    )


@pytest.mark.parametrize("data", STATES.values(), ids=STATES)
def test_a_state_is_read_as_one(tmp_path: Path, data: dict[str, Any]) -> None:
    """A state is read where a state is meant; an empty one holds nothing."""
    read = read_state(write_json(tmp_path / "state.json", data), TerraformSettings())
    there = {database.id for one in read.organizations for database in one.managed.databases}
    assert there == ({"d1"} if data == STATES["whole"] else set())
    assert (read.source.role, read.source.format) == ("state", "terraform-state")


OTHERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "plan": (plan(), "a plan, not a state", f"{STATE.expectation}; give it as --cmek-plan"),
    "cut plan": (
        {"format_version": "1.2", "configuration": {}, "values": {}},
        "a plan, not a state",
        f"{STATE.expectation}; give it as --cmek-plan",
    ),
    "raw": (
        {"version": 4, "terraform_version": "1.11.4", "serial": 7, "lineage": "x"},
        "a raw Terraform state file",
        STATE.expectation,
    ),
    "neither": (
        {"format_version": "1.0", "valid": True},
        "neither a plan nor a state",
        STATE.expectation,
    ),
    "other": (
        {"cmek-plan": 1},
        "a plan in YAML",
        f"{STATE.expectation}; give it as --cmek-plan",
    ),
}


@pytest.mark.parametrize(("data", "found", "expected"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_state(tmp_path: Path, data: object, found: str, expected: str) -> None:
    """Where a state is meant, all else is refused with what to run."""
    with pytest.raises(InventoryError) as caught:
        read_state(write_json(tmp_path / "state.json", data), TerraformSettings())
    assert [problem[1:] for problem in caught.value.problems] == [(1, "", found, expected)]


def test_what_was_read_is_released() -> None:
    """A plan that was read gives its memory back: its parts keep their names and no contents."""
    document = read_document("plan.json", json.dumps(plan(change())).encode())
    whole = dict(document.data)
    assert len(read_resources("plan.json", document, PLAN).resources) == 1
    released = {"planned_values", "resource_changes"}
    assert document.data == whole | dict.fromkeys(released)
