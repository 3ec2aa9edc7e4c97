"""What Terraform manages of an organization."""

from __future__ import annotations

from inventory.model.organization import InventoryDocument, Organization
from inventory.model.terraform_managed import (
    NO_RESOURCES,
    ManagedDatabase,
    ManagedKey,
    ManagedResources,
    UndeterminedDatabase,
)
from inventory.plans import PlanDocument
from tests.builders import an_organization

DATABASE = UndeterminedDatabase(name="orders", missing="regions known only after apply")
KEY = ManagedKey(provider="aws", region="us-east-1")
HELD = ManagedDatabase(id="d1", name="orders")


def test_both_are_kept() -> None:
    """What two plans tell is what the first tells, and then what the second does."""
    one = ManagedResources(undetermined=(DATABASE,), keys=(KEY,))
    two = ManagedResources(keys=(KEY,), databases=(HELD,))
    both = ManagedResources(undetermined=(DATABASE,), keys=(KEY, KEY), databases=(HELD,))
    assert one.combined_with(two) == both
    assert one.combined_with(ManagedResources()) == one == ManagedResources().combined_with(one)


def test_several_together() -> None:
    """What many resources tell is put together in their order, at once."""
    parts = [
        ManagedResources(keys=(KEY,)),
        NO_RESOURCES,
        ManagedResources(),
        ManagedResources(keys=(KEY,), databases=(HELD,)),
    ]
    assert ManagedResources.combine(parts) == ManagedResources(keys=(KEY, KEY), databases=(HELD,))
    assert ManagedResources.combine(iter(parts[:2])) is parts[0]
    assert ManagedResources.combine([]) == NO_RESOURCES == ManagedResources()


def test_places_survive() -> None:
    """Where it stands is kept when what two plans tell is put together."""
    placed = HELD.model_copy().at("plan.json", 7, "astra_database.orders")
    [database] = ManagedResources().combined_with(ManagedResources(databases=(placed,))).databases
    assert database.location == ("plan.json", 7, "astra_database.orders")
    assert (database.file, database.line, database.resource) == database.location


def test_an_organization_keeps_it() -> None:
    """An organization with something managed is the same one otherwise, and a copy of its own."""
    plain = an_organization()
    managed = plain.with_managed(ManagedResources(keys=(KEY,)))
    assert (plain.managed, managed.managed) == (ManagedResources(), ManagedResources(keys=(KEY,)))
    assert managed.model_dump() == plain.model_dump()
    assert managed.model_copy(update={"name": "x"}).managed == ManagedResources(keys=(KEY,))


def test_no_file_can_hold_it() -> None:
    """What is managed is no field of an inventory or a plan, so that nobody can write it there."""
    for model in (InventoryDocument, PlanDocument, Organization):
        assert "'managed':" not in str(model.model_json_schema())
