"""What Terraform manages of an organization."""

from __future__ import annotations

from inventory.model.organization import InventoryDocument, Organization
from inventory.model.terraform_managed import (
    NOTHING,
    Managed,
    ManagedDatabase,
    ManagedKey,
    UndeterminedDatabase,
)
from inventory.plans import PlanDocument
from tests.builders import an_organization

DATABASE = UndeterminedDatabase(name="orders", untold="regions known only after apply")
KEY = ManagedKey(provider="aws", region="us-east-1")
HELD = ManagedDatabase(id="d1", name="orders")


def test_both_are_kept() -> None:
    """What two plans tell is what the first tells, and then what the second does."""
    one = Managed(undetermined=(DATABASE,), keys=(KEY,))
    two = Managed(keys=(KEY,), databases=(HELD,))
    both = Managed(undetermined=(DATABASE,), keys=(KEY, KEY), databases=(HELD,))
    assert one.and_also(two) == both
    assert one.and_also(Managed()) == one == Managed().and_also(one)


def test_several_together() -> None:
    """What many resources tell is put together in their order, at once."""
    parts = [Managed(keys=(KEY,)), NOTHING, Managed(), Managed(keys=(KEY,), databases=(HELD,))]
    assert Managed.together(parts) == Managed(keys=(KEY, KEY), databases=(HELD,))
    assert Managed.together(iter(parts[:2])) is parts[0]
    assert Managed.together([]) == NOTHING == Managed()


def test_places_survive() -> None:
    """Where it stands is kept when what two plans tell is put together."""
    placed = HELD.model_copy().at("plan.json", 7, "astra_database.orders")
    [database] = Managed().and_also(Managed(databases=(placed,))).databases
    assert database.location == ("plan.json", 7, "astra_database.orders")
    assert (database.file, database.line, database.resource) == database.location


def test_an_organization_keeps_it() -> None:
    """An organization with something managed is the same one otherwise, and a copy of its own."""
    plain = an_organization()
    managed = plain.with_managed(Managed(keys=(KEY,)))
    assert (plain.managed, managed.managed) == (Managed(), Managed(keys=(KEY,)))
    assert managed.model_dump() == plain.model_dump()
    assert managed.model_copy(update={"name": "x"}).managed == Managed(keys=(KEY,))


def test_no_file_can_hold_it() -> None:
    """What is managed is no field of an inventory or a plan, so that nobody can write it there."""
    for model in (InventoryDocument, PlanDocument, Organization):
        assert "'managed':" not in str(model.model_json_schema())
