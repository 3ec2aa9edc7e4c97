"""The accepted spellings of types, providers and tiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from string import ascii_lowercase
from typing import Any, Literal

DatabaseType = Literal["serverless", "managed-clusters", "unknown"]
Provider = Literal["aws", "gcp", "azure"]

TYPES: dict[str, DatabaseType] = {
    "serverless": "serverless",
    "astra db serverless": "serverless",
    "managed-clusters": "managed-clusters",
    "managed clusters": "managed-clusters",
    "astra managed clusters": "managed-clusters",
    "classic": "managed-clusters",
    "astra db classic": "managed-clusters",
}

PROVIDERS: dict[str, Provider] = {
    "aws": "aws",
    "amazon web services": "aws",
    "gcp": "gcp",
    "google cloud": "gcp",
    "azure": "azure",
    "microsoft azure": "azure",
}

TYPE_NAMES: Mapping[str, str] = {
    "serverless": "Serverless",
    "managed-clusters": "Managed Clusters",
    "unknown": "type not known",
}
"""The database types as a reader knows them."""

PROVIDER_NAMES: Mapping[str, str] = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure"}
"""The cloud providers as a reader knows them."""

_CANONICAL_PROVIDERS = ("aws", "gcp", "azure")
_MANAGED_TIER = re.compile(r"classic|A(?:5|10|20|40)|[CD](?:10|20|40)|E[0-9]{1,3}", re.IGNORECASE)


def any_case_schema(spellings: Iterable[str]) -> dict[str, Any]:
    """Return a JSON Schema that accepts ``spellings`` in any case, as the reader does."""
    letters = {ord(letter): f"[{letter.upper()}{letter}]" for letter in ascii_lowercase}
    pattern = "|".join(spelling.translate(letters) for spelling in spellings)
    return {"type": "string", "pattern": f"^(?:{pattern})$", "examples": list(spellings)}


def canonical_type(value: object) -> object:
    """Return the database type that ``value`` spells, or ``value`` itself if it spells none."""
    return TYPES.get(value.lower(), value) if isinstance(value, str) else value


def canonical_provider(value: object) -> object:
    """Return the provider that ``value`` spells, or ``value`` itself if it spells none."""
    if value in _CANONICAL_PROVIDERS:
        return value
    return PROVIDERS.get(value.lower(), value) if isinstance(value, str) else value


def lacks_customer_keys(database_type: str, provider: str) -> bool:
    """Say whether Astra has no customer keys at all for the combination."""
    return database_type == "managed-clusters" and provider == "azure"


def type_of_tier(tier: str) -> DatabaseType:
    """Return the database type of a tier as Astra reports it; ``unknown`` is never guessed.

    ``serverless`` is Serverless; ``classic`` and the sized tiers (``A5`` … ``D40``, ``E…``) are
    Managed Clusters. Every other tier, such as ``developer``, is unknown.
    """
    if tier.lower() == "serverless":
        return "serverless"
    return "managed-clusters" if _MANAGED_TIER.fullmatch(tier) else "unknown"
