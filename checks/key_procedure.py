"""How a customer key is made: the documentation's steps, in short, by type and provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from checks.card import OVERVIEW
from inventory.spellings import lacks_customer_keys

if TYPE_CHECKING:
    from inventory.spellings import DatabaseType, Provider

HOST = "https://api.astra.datastax.com"
"""Astra's DevOps API, below which all addresses here lie."""

ADDRESSES: dict[DatabaseType, str] = {
    "serverless": "/v2/kms",
    "managed-clusters": "/v2/kms/classic",
}
"""Where Astra keeps the keys of each database type."""


RESOURCE = "astra_customer_key"
"""Terraform's resource for a customer key."""

_WITH_RESOURCE = frozenset({("serverless", "aws"), ("serverless", "gcp")})


class Procedure(NamedTuple):
    """How a customer key is made for key scopes of one type and provider.

    Attributes:
        page: the title of the vendor's page about it.
        address: where Astra keeps such keys; empty if nothing is to be registered.
        steps: what to do, in this order; REGION stands for the key scope's region.
    """

    page: str
    address: str
    steps: tuple[str, ...]


def procedure(database_type: DatabaseType, provider: Provider) -> Procedure:
    """Return how a customer key is made, or what to do where none can be."""
    if lacks_customer_keys(database_type, provider):
        return Procedure(OVERVIEW, "", _UNSUPPORTED)
    address, cloud = ADDRESSES.get(database_type), _CLOUDS.get(provider)
    if address is None or cloud is None:
        return Procedure(OVERVIEW, "", _UNKNOWN)
    page = f"Encrypt {_PRODUCTS[database_type]} databases with {cloud.page}"
    one = one_address(address, provider, "REGION")
    told = {**cloud._asdict(), "address": address, "one": one}
    steps = [step.format(**told) for step in _STEPS]
    if database_type == "serverless" and provider == "azure":
        steps.insert(0, _PREVIEW)
    return Procedure(page, address, tuple(steps))


def one_address(address: str, provider: Provider, region: str) -> str:
    """Return where Astra keeps the key of one provider and region, below ``address``."""
    return f"{address}/provider/{provider}/region/{quote(region, safe='', errors='replace')}"


def has_resource(database_type: DatabaseType, provider: Provider) -> bool:
    """Say whether Terraform has a resource for such keys."""
    return (database_type, provider) in _WITH_RESOURCE


class _Cloud(NamedTuple):
    """How a provider speaks of its keys.

    Attributes:
        page: what the vendor's page calls them.
        key: what is to be created.
        owner: what of the vendor's is to use it.
        grant: how that gets to use it.
        name: what names it.
    """

    page: str
    key: str
    owner: str
    grant: str
    name: str


_PRODUCTS = {"serverless": "Astra DB Serverless", "managed-clusters": "Astra Managed Clusters"}
_CLOUDS: dict[Provider, _Cloud] = {
    "aws": _Cloud(
        "AWS Key Management Service customer managed keys",
        "a symmetric encryption key in AWS KMS",
        "account",
        "let it use the key, by the key's policy",
        "key's ARN",
    ),
    "gcp": _Cloud(
        "Google Cloud Key Management Service customer-managed encryption keys",
        "a symmetric key in Google Cloud KMS",
        "project",
        "let it use the key; in some regions these are two, and both must",
        "key's resource name",
    ),
    "azure": _Cloud(
        "Microsoft Azure Key Vault encryption keys",
        "a key in Azure Key Vault",
        "identity",
        "let it use the key",
        "key's identifier",
    ),
}
_STEPS = (
    "Create {key} in exactly that region.",
    "Ask Astra which {owner} of the vendor is to use it: GET {one}/accounts. Then {grant}.",
    (
        "Register it in Astra: POST {address} with the organization's id, the provider, the region "
        "and the {name}. This takes the permission Write CMK Key; an audit never does it."
    ),
    "Read it back: GET {one} shows the same {name}.",
    "Record the organization again, and audit it: CMEK-01 passes for the key scope.",
    (
        "Only then deploy databases there. Those that exist already stay on Astra's keys: recreate "
        "them now, and move their data."
    ),
)
_PREVIEW = (
    "Have the vendor admit the organization to the private preview of customer keys on Azure, and "
    "attest it."
)
_UNSUPPORTED = (
    "Do not look for a key: Managed Clusters on Azure have none, and Astra's own encrypt them.",
    (
        "Deploy to AWS or Google Cloud, or as Serverless, where it must be a customer key; else "
        "declare the databases astra-provided, with the reason."
    ),
)
_UNKNOWN = (
    "Find out the type of these databases, and state it: each type has keys of its own.",
    "Make the plan again, and follow the steps for that type.",
)
