"""The location of a Terraform resource: provider and regions, as far as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.model.vocabulary import PROVIDERS, Provider, canonical_provider
from inventory.text.display import describe
from inventory.text.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.terraform.attributes import Attributes, AttributeValue
    from inventory.terraform.resource_types import AttributeName

REGIONS: Sequence[AttributeName] = ("regions", "region", "additional_regions")
"""Version 2.0 of Astra's provider has the first, earlier versions have the others."""


class ResourceLocation(NamedTuple):
    """Provider and regions, as far as they are shown.

    Attributes:
        provider: the cloud provider; None if it is not shown.
        regions: the regions that are shown.
        missing: what is not shown, and why; empty if nothing is missing.
        reasons: why something is not shown: known only after apply, marked as sensitive, or both.
    """

    provider: Provider | None
    regions: tuple[str, ...]
    missing: str
    reasons: frozenset[str]


def resource_name(attributes: Attributes, address: str) -> str:
    """Return the name of a resource, or its address if no name is shown."""
    return next(filter(visible, attributes.read("name").values), address)


def resolve_location(
    attributes: Attributes, names: Sequence[AttributeName] = REGIONS
) -> ResourceLocation:
    """Return the location of a resource, whose regions are in the attributes ``names``.

    Problems are added to ``attributes``.
    """
    clouds = attributes.read("cloud_provider")
    provider = _provider(attributes, clouds)
    listed = [(name, attributes.read(name)) for name in names]
    regions = tuple(dict.fromkeys(region for _, value in listed for region in value.values))
    values = [("cloud_provider", clouds), *listed]
    missing = [f"{name} {value.missing}" for name, value in values if value.missing]
    if not (regions or missing or any(value.is_wrong for _, value in listed)):
        attributes.refuse((names[0],), "nothing", "at least one region")
    reasons = frozenset(reason for _, value in values for reason in value.reasons)
    return ResourceLocation(provider, regions, ", ".join(missing), reasons)


def _provider(attributes: Attributes, value: AttributeValue) -> Provider | None:
    if value.missing or value.is_wrong:
        return None
    spelled = next(iter(value.values), "")
    provider: Any = canonical_provider(spelled)
    if provider not in PROVIDERS.values():
        found = describe(spelled) if spelled else "nothing"
        attributes.refuse(("cloud_provider",), found, "aws, gcp or azure")
        return None
    return provider  # type: ignore[no-any-return]
