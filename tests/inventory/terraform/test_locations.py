"""The location of a resource is shown as far as the plan shows it."""

from __future__ import annotations

from typing import Any

from inventory.terraform.attributes import UNKNOWN, Attributes
from inventory.terraform.locations import ResourceLocation, resolve_location, resource_name

ADDRESS = "astra_database.orders"


def attributes(values: dict[str, Any], unknown: object = None) -> Attributes:
    """Return attributes, some of which are known only after apply."""
    return Attributes(values, [(unknown, UNKNOWN)], ("plan.json", {(): 1}, (), ADDRESS))


def test_regions_of_both_versions_of_the_provider() -> None:
    """The regions are those of all attributes that may hold some, each once."""
    old = {"cloud_provider": "AWS", "region": "r1", "additional_regions": ["r2", "r1"]}
    new = {"cloud_provider": "aws", "regions": ["r1", "r2"]}
    expected = ResourceLocation("aws", ("r1", "r2"), "", frozenset())
    assert resolve_location(attributes(old)) == expected
    assert resolve_location(attributes(new)) == expected


def test_what_is_missing_is_named() -> None:
    """A location names each attribute that is not shown, with the reason."""
    made = attributes({"regions": ["r1"]}, {"cloud_provider": True, "regions": [False, True]})
    assert resolve_location(made) == ResourceLocation(
        provider=None,
        regions=("r1",),
        missing=f"cloud_provider {UNKNOWN}, regions {UNKNOWN}",
        reasons=frozenset({UNKNOWN}),
    )
    assert made.problems == []


def test_nothing_at_all_is_a_problem() -> None:
    """A resource without provider and regions that nothing excuses has two problems."""
    made = attributes({})
    assert resolve_location(made) == ResourceLocation(None, (), "", frozenset())
    assert [(problem.found, problem.expected) for problem in made.problems] == [
        ("nothing", "aws, gcp or azure"),
        ("nothing", "at least one region"),
    ]


def test_an_invisible_name_is_none() -> None:
    """A resource without a visible name has its address as the name."""
    assert resource_name(attributes({"name": "orders"}), ADDRESS) == "orders"
    assert resource_name(attributes({"name": "\u200b"}), ADDRESS) == ADDRESS
    assert resource_name(attributes({}), ADDRESS) == ADDRESS
