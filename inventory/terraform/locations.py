"""Where a resource of Terraform is to be: provider and regions, as far as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.model.vocabulary import PROVIDERS, Provider, canonical_provider
from inventory.text.display import describe
from inventory.text.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.terraform.attributes import Attributes, AttributeValue

REGIONS = ("regions", "region", "additional_regions")
"""Since version 2.0 of the provider the first, before that the others."""


class ResourceLocation(NamedTuple):
    """A place, as far as it is shown.

    Attributes:
        provider: the cloud provider; None if it is not shown.
        regions: the regions that are shown.
        missing: what is not shown, and why, in words; empty if nothing is missing.
        reasons: why something is not shown: known only after apply, marked as sensitive, or both.
    """

    provider: Provider | None
    regions: tuple[str, ...]
    missing: str
    reasons: frozenset[str]


def resource_name(attributes: Attributes, address: str) -> str:
    """Return the name of a resource, or its address if no name is shown."""
    return next(filter(visible, attributes.read("name").values), address)


def resolve_location(attributes: Attributes, names: Sequence[str] = REGIONS) -> ResourceLocation:
    """Return the place of a resource, whose regions are in the attributes ``names``.

    What is wrong with these is kept with ``attributes``.
    """
    told = attributes.read("cloud_provider")
    provider = _provider(attributes, told)
    every = [(name, attributes.read(name)) for name in names]
    regions = tuple(dict.fromkeys(value for _, each in every for value in each.values))
    untold = [("cloud_provider", told), *every]
    words = [f"{name} {each.missing}" for name, each in untold if each.missing]
    if not (regions or words or any(each.is_wrong for _, each in every)):
        attributes.refuse((names[0],), "nothing", "at least one region")
    reasons = frozenset(reason for _, each in untold for reason in each.reasons)
    return ResourceLocation(provider, regions, ", ".join(words), reasons)


def _provider(attributes: Attributes, told: AttributeValue) -> Provider | None:
    if told.missing or told.is_wrong:
        return None
    spelled = next(iter(told.values), "")
    provider: Any = canonical_provider(spelled)
    if provider not in PROVIDERS.values():
        found = describe(spelled) if spelled else "nothing"
        attributes.refuse(("cloud_provider",), found, "aws, gcp or azure")
        return None
    return provider  # type: ignore[no-any-return]
