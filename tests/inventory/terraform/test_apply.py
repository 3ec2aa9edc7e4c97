"""What Terraform really does with a key and a database, and what becomes of keys that go.

The provider logs when each call began and when it was answered. Nothing here is read by the audit.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.inventory.terraform.recordings import ORDERS, SCENES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.inventory.terraform.provider.cloud import Call
    from tests.inventory.terraform.running import Workspace

pytestmark = pytest.mark.slow

RACES = ("race", "module-input-unused", "module-output-constant")
ORDERED = tuple(scene.name for scene in ORDERS if scene.name not in {*RACES, "key-last"})
SEVERAL = ("each-literal", "each-key", "module-together")
"""The scenes with two keys."""

_DELAY = 0.2


def arn(number: int, region: str = "us-east-1") -> str:
    return f"arn:aws:kms:{region}:111122223333:key/00000000-0000-4000-8000-{number:012x}"


def apply(workspace: Workspace, scene: str, part: str = "after", *flags: str) -> str:
    """Apply a part of a scene; return what Terraform printed."""
    workspace.configure(SCENES / scene / part)
    return workspace.run("apply", "-auto-approve", *flags).stdout


def pairs(workspace: Workspace) -> Iterator[tuple[Call, Call]]:
    """Yield the creation of each key with that of each database."""
    calls = workspace.cloud.calls("create")
    keys = [call for call in calls if call.is_of_key]
    databases = [call for call in calls if not call.is_of_key]
    assert keys
    assert databases
    yield from product(keys, databases)


# --- orders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", RACES)
def test_nothing_orders_them(scene: str, workspace: Workspace) -> None:
    """Without an order, the database starts before its key is complete."""
    workspace.cloud.set(at_once=2)
    apply(workspace, scene)
    assert [key.overlaps(database) for key, database in pairs(workspace)] == [True]


@pytest.mark.parametrize("scene", RACES)
def test_a_race_creates_a_database_without_its_key(scene: str, workspace: Workspace) -> None:
    """Without an order, there is a database even if its key is refused."""
    workspace.cloud.set(refused=[arn(1)])
    workspace.configure(SCENES / scene / "after")
    assert workspace.run("apply", "-auto-approve", may_fail=True).returncode == 1
    assert (workspace.cloud.names(), workspace.cloud.key_ids()) == (["orders"], [])


@pytest.mark.parametrize("scene", ORDERED)
def test_the_key_comes_first(scene: str, workspace: Workspace) -> None:
    """Every key is complete before any database starts, also those that another one needs."""
    workspace.cloud.set(delay=_DELAY)
    apply(workspace, scene)
    orders = [key.end <= database.start for key, database in pairs(workspace)]
    assert all(orders)
    assert len(workspace.cloud.key_ids()) == (2 if scene in SEVERAL else 1)


@pytest.mark.parametrize("scene", ORDERED)
def test_no_database_without_its_key(scene: str, workspace: Workspace) -> None:
    """Where the key comes first and is refused, no database is created, nor is one tried."""
    workspace.cloud.set(refused=[arn(1)])
    workspace.configure(SCENES / scene / "after")
    assert workspace.run("apply", "-auto-approve", may_fail=True).returncode == 1
    calls = workspace.cloud.calls("create")
    assert {call.subject for call in calls if call.is_refused} == {arn(1)}
    assert [call for call in calls if not call.is_of_key] == []


def test_the_wrong_order(workspace: Workspace) -> None:
    """A key that depends on a database comes after it."""
    workspace.cloud.set(delay=_DELAY)
    apply(workspace, "key-last")
    assert [database.end <= key.start for key, database in pairs(workspace)] == [True]


@pytest.mark.parametrize(("scene", "keys"), [("depends-on", [arn(1)]), ("race", [])])
def test_a_target_brings_what_it_depends_on(
    scene: str, keys: list[str], workspace: Workspace
) -> None:
    """With -target, a database brings its key only where it depends on it."""
    apply(workspace, scene, "after", "-target=astra_database.orders")
    assert (workspace.cloud.names(), workspace.cloud.key_ids()) == (["orders"], keys)


# --- keys -----------------------------------------------------------------------------------------


def test_a_replaced_key_is_registered_beside_the_first(workspace: Workspace) -> None:
    """Replacing a key registers a second one; the first stays, and there is a warning."""
    apply(workspace, "key-replaced", "before")
    out = apply(workspace, "key-replaced")
    assert workspace.cloud.key_ids() == [arn(1), arn(2)]
    assert "Delete of Customer Key resource not supported" in out


def test_a_deleted_key_stays(workspace: Workspace) -> None:
    """Removing a key from the configuration removes it from the state only."""
    apply(workspace, "key-deleted", "before")
    out = apply(workspace, "key-deleted")
    assert workspace.cloud.key_ids() == [arn(1)]
    assert "Delete of Customer Key resource not supported" in out
    held = workspace.printed()["values"]["root_module"]["resources"]
    assert [resource["address"] for resource in held] == [
        "astra_database.new",
        "astra_database.orders",
    ]


def test_a_second_key_of_a_scope_is_no_error_to_terraform(workspace: Workspace) -> None:
    """Terraform registers a second key for a scope without asking."""
    apply(workspace, "second-key", "before")
    apply(workspace, "second-key")
    assert workspace.cloud.key_ids() == [arn(1), arn(2)]


def test_what_is_forgotten_stays(workspace: Workspace) -> None:
    """A database and a key that Terraform forgets are still there."""
    apply(workspace, "forgotten", "before")
    apply(workspace, "forgotten")
    assert (workspace.cloud.names(), workspace.cloud.key_ids()) == (["new", "orders"], [arn(1)])
    assert workspace.cloud.calls("delete") == ()
