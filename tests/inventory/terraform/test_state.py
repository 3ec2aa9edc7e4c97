"""What Terraform's state holds of databases: from a state, a plan's prior state, and its drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.model.terraform_managed import ManagedDatabase, ManagedKey
from inventory.plans import read_plan
from tests.builders import write_json
from tests.inventory.terraform.documents import (
    ADDRESS,
    change,
    existing,
    held,
    key_attributes,
    plan,
    problems,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

KEY = "astra_customer_key.orders"
EAST, WEST = ("aws", "us-east-1"), ("aws", "us-west-2")


def databases(folder: Path, data: object) -> tuple[ManagedDatabase, ...]:
    file = write_json(folder / "plan.json", data)
    return tuple(
        database for one in read_plan(file).organizations for database in one.managed.databases
    )


def orders(*regions: tuple[str, str], identity: str = "d1", missing: str = "") -> ManagedDatabase:
    held_in: Any = regions
    return ManagedDatabase(id=identity, name="orders", regions=held_in, missing=missing)


BOTH = existing(regions=["us-east-1", "us-west-2"])


@pytest.mark.parametrize(
    "data",
    [
        plan(prior_state=state(held(values=BOTH))),
        plan(change(ADDRESS, "no-op", BOTH, BOTH)),
        plan(change(ADDRESS, "delete", BOTH)),
        plan(change(ADDRESS, "no-op", BOTH, BOTH), prior_state=state(held(values=BOTH))),
    ],
    ids=["prior-state", "kept", "deleted", "both"],
)
def test_regions_of_the_state_are_read(tmp_path: Path, data: object) -> None:
    """Of each database in the state, every region is read, and once."""
    assert databases(tmp_path, data) == (orders(EAST, WEST),)


def test_a_sensitive_region_of_the_state_is_missing(tmp_path: Path) -> None:
    """A region in the state that is marked as sensitive is not read, and said to be missing."""
    kept = held(values=BOTH, sensitive_values={"regions": [False, True]})
    missing = "regions marked as sensitive"
    assert databases(tmp_path, plan(prior_state=state(kept))) == (orders(EAST, missing=missing),)


def test_a_database_without_regions_is_refused(tmp_path: Path) -> None:
    """A state that was cut down until a database has no region is refused."""
    cut = existing() | {"regions": None}
    assert problems(tmp_path, plan(prior_state=state(held(values=cut)))) == [
        (f"regions of '{ADDRESS}'", "nothing", "at least one region")
    ]


# --- drift ----------------------------------------------------------------------------------------


def drift(
    actions: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    address: str = ADDRESS,
) -> dict[str, Any]:
    """Return a plan over what changed outside of Terraform."""
    return plan(resource_drift=[change(address, actions, before, after)])


def test_drift_shows_what_is_there_now(tmp_path: Path) -> None:
    """A region that was added outside of Terraform is one that the state has."""
    assert databases(tmp_path, drift("update", existing(), BOTH)) == (orders(EAST, WEST),)


def test_drift_shows_what_went(tmp_path: Path) -> None:
    """A database that went outside of Terraform is still one that it knew."""
    assert databases(tmp_path, drift("delete", BOTH, None)) == (orders(EAST, WEST),)


def test_drift_plans_nothing(tmp_path: Path) -> None:
    """What changed outside of Terraform is not planned, and a key of it is one in the state."""
    file = write_json(
        tmp_path / "plan.json", drift("update", key_attributes(), key_attributes(region="x"), KEY)
    )
    [organization] = read_plan(file).organizations
    assert organization.managed.planned_keys == ()
    assert organization.managed.keys == (ManagedKey(provider="aws", region="x"),)
    assert organization.databases == ()
