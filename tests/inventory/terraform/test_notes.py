"""What limits a plan or a Terraform state is noted of its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.terraform.notes import EMPTY, NO_CHANGE, NOT_COMPARED, PARTIAL
from inventory.terraform.resource_types import OTHERS
from tests.builders import write_json
from tests.inventory.terraform.documents import (
    ADDRESS,
    ALIKE,
    change,
    existing,
    held,
    plan,
    problems,
    recorded,
    resource,
    state,
)
from tests.inventory.terraform.recordings import ALL as SCENES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.inventory.terraform.recordings import Scene

PROVIDER = "example.test/datastax/astra"
UNREAD = (
    "This plan has resources of Astra's provider with unknown types. A database or a customer "
    "key among them is not judged: {}."
)


def noted(folder: Path, data: object) -> tuple[str, ...]:
    """Return the notes on a plan or a state."""
    return recorded(write_json(folder / "plan.json", data)).source.notes


def other(address: str, provider: str = PROVIDER, **over: Any) -> dict[str, Any]:  # noqa: ANN401 (any field)
    """Return a change of a resource that is neither a database nor a key."""
    return change(address, after={"x": 1}) | {"provider_name": provider} | over


NOTES: dict[str, tuple[object, tuple[str, ...]]] = {
    "a whole plan": (plan(change()), ()),
    "a plan that only drops": (plan(change(ADDRESS, "delete", existing())), ()),
    "a plan that only puts off": (
        plan(deferred_changes=[{"reason": "x", "resource_change": change()}], complete=False),
        (PARTIAL,),
    ),
    "a plan of a part": (plan(change(), complete=False), (PARTIAL,)),
    "a plan of nothing new": (
        plan(change(ADDRESS, "no-op", existing(), existing()), applyable=False),
        (NO_CHANGE,),
    ),
    "a plan of nothing": (plan(applyable=False, complete=False), (PARTIAL, NO_CHANGE, EMPTY)),
    "a plan of others": (
        plan(change("aws_instance.x", after={}), change("astra_token.x", after={})),
        (EMPTY,),
    ),
    "a plan that reads a database": (
        plan(resource("data.astra_database.x", mode="data", type="astra_database")),
        (EMPTY,),
    ),
    "a plan that keeps what the state holds": (plan(prior_state=state(held())), ()),
    "a state": (state(held()), ()),
    "a state of others": (state(resource("aws_instance.x")), (NOT_COMPARED,)),
}


@pytest.mark.parametrize("name", NOTES)
def test_notes_on_a_file(tmp_path: Path, name: str) -> None:
    """A plan that is a part, does nothing or has nothing of Astra's says so, in this order."""
    data, expected = NOTES[name]
    assert noted(tmp_path, data) == expected


@pytest.mark.parametrize("field", ["complete", "applyable"])
def test_what_is_not_said_is_not_noted(tmp_path: Path, field: str) -> None:
    """A plan of OpenTofu, or of an older Terraform, does not say whether it is a part."""
    data = plan(change())
    del data[field]
    assert noted(tmp_path, data) == ()


@pytest.mark.parametrize("field", ["complete", "applyable"])
@pytest.mark.parametrize(
    ("value", "found"),
    [("no", "'no'"), (0, "0"), (None, "nothing"), ([], "an empty list"), ("false", "'false'")],
)
def test_malformed_values(tmp_path: Path, field: str, value: object, found: str) -> None:
    """Neither field says anything but true or false."""
    assert problems(tmp_path, plan(change(), **{field: value})) == [(field, found, "true or false")]


# --- resources that are not known -----------------------------------------------------------------

LOOK_ALIKES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "another database": ([other("astra_vector_database.x")], "1 astra_vector_database"),
    "several instances": (
        [other("astra_new.x[0]"), other("astra_new.x[1]"), other("module.m.astra_new.x")],
        "3 astra_new",
    ),
    "several types": ([other("astra_b.x"), other("astra_a.x")], "1 astra_a, 1 astra_b"),
    "another name": ([other("stella_database.x", type="stella_database")], "1 stella_database"),
    "another provider": ([other("astra_new.x", "example.test/acme/fork")], "1 astra_new"),
    "no provider": ([other("astra_new.x", provider_name=None)], "1 astra_new"),
    "many types": (
        [other(f"astra_t{number}.x") for number in range(7)],
        "1 astra_t0, 1 astra_t1, 1 astra_t2, 1 astra_t3, 1 astra_t4 and 2 more types",
    ),
    "a long type": ([other("astra_" + "x" * 99 + ".x")], f"1 'astra_{'x' * 73}… (107 characters)"),
    "a hostile type": (
        [other("astra_x.x", type="astra_<img src=x>\x1b[31m")],
        r"1 'astra_<img src=x>\x1b[31m'",
    ),
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_types_that_are_not_known(tmp_path: Path, name: str) -> None:
    """A type of Astra's provider that is not known is named, with how many there are."""
    changes, named = LOOK_ALIKES[name]
    assert noted(tmp_path, plan(change(), *changes)) == (UNREAD.format(named),)


@pytest.mark.parametrize("kind", sorted(OTHERS))
def test_types_that_are_known(tmp_path: Path, kind: str) -> None:
    """The other resources of the provider are neither databases nor keys, and make no note."""
    assert noted(tmp_path, plan(change(), other(f"{kind}.x"))) == ()


@pytest.mark.parametrize(
    "changed",
    [
        other("aws_instance.x", "example.test/hashicorp/aws"),
        other("data.astra_new.x", mode="data", type="astra_new"),
        other("aws_instance.x", provider_name=7),
    ],
)
def test_what_is_no_look_alike(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Resources of other providers, and data sources, make no note."""
    assert noted(tmp_path, plan(change(), changed)) == ()


def test_a_look_alike_anywhere_in_a_plan(tmp_path: Path) -> None:
    """A resource that is not known is found in every part of a plan, and counted once."""
    later = {"reason": "x", "resource_change": other("astra_new.later")}
    new, old = other("astra_new.new"), resource("astra_new.old") | {"values": {}}
    data = plan(change(), new, deferred_changes=[later], prior_state=state(old))
    assert noted(tmp_path, data) == (UNREAD.format("3 astra_new"),)


def test_a_type_that_holds_a_token(tmp_path: Path) -> None:
    """A token in the place of a type is not repeated."""
    [note] = noted(tmp_path, plan(change(), other("astra_x.x", type=f"astra_{ALIKE}")))
    assert ALIKE not in note


# --- what Terraform printed -----------------------------------------------------------------------

PRINTED = {
    "drift-key": (NO_CHANGE,),
    "elsewhere": (EMPTY,),
    "none": (NO_CHANGE, EMPTY),
    "same": (NO_CHANGE,),
    "target": (PARTIAL,),
}
"""The notes on what Terraform printed; there are none on anything else."""


@pytest.mark.parametrize(
    "scene", [scene for scene in SCENES if scene.name != "errored"], ids=lambda scene: scene.name
)
def test_notes_on_what_terraform_printed(scene: Scene) -> None:
    """Terraform says of a plan with -target that it is a part, and of one of nothing that it is."""
    assert recorded(str(scene.recorded())).source.notes == PRINTED.get(scene.name, ())
