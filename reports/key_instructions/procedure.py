"""The steps that create and register a customer key, by database type and provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from checks.engine.card import OVERVIEW
from inventory.model.vocabulary import lacks_customer_keys

if TYPE_CHECKING:
    from inventory.model.vocabulary import DatabaseType, Provider

HOST = "https://api.astra.datastax.com"
"""Astra's DevOps API; all addresses here are relative to it."""

ADDRESSES: dict[DatabaseType, str] = {
    "serverless": "/v2/kms",
    "managed-clusters": "/v2/kms/classic",
}
"""The address of the keys of each database type."""

RESOURCE = "astra_customer_key"
"""Terraform's resource for a customer key."""

_WITH_RESOURCE = frozenset({("serverless", "aws"), ("serverless", "gcp")})


class Procedure(NamedTuple):
    """How to create and register a customer key for key scopes of one type and provider.

    Attributes:
        page: the title of the vendor's page about it.
        address: the address of such keys; empty if no key can be registered.
        steps: what to do, in this order; REGION is a placeholder if no region was given.
    """

    page: str
    address: str
    steps: tuple[str, ...]


def procedure(database_type: DatabaseType, provider: Provider, region: str = "") -> Procedure:
    """Return how to create and register a customer key, or what to do if there can be none.

    The order is that of the vendor's pages: it begins in Astra, which shows whom the policy of the
    key must allow.
    """
    if lacks_customer_keys(database_type, provider):
        return Procedure(OVERVIEW, "", _UNSUPPORTED)
    address, cloud = ADDRESSES.get(database_type), _CLOUDS.get(provider)
    if address is None or cloud is None:
        return Procedure(OVERVIEW, "", _UNKNOWN)
    page = f"Encrypt {_PRODUCTS[database_type]} databases with {cloud.page}"
    values = {
        **cloud._asdict(),
        "address": address,
        "choice": _CHOICES[database_type],
        "one": one_address(address, provider, region or "REGION"),
        "where": f"the region {region}" if region else "the region",
        "terraform": _terraform(database_type, provider),
    }
    steps = [step.format(**values) for step in _STEPS]
    if database_type == "serverless" and provider == "azure":
        steps.insert(0, _PREVIEW)
    return Procedure(page, address, tuple(steps))


def one_address(address: str, provider: Provider, region: str) -> str:
    """Return the address of the key of one provider and region, below ``address``."""
    return f"{address}/provider/{provider}/region/{quote(region, safe='', errors='replace')}"


def has_resource(database_type: DatabaseType, provider: Provider) -> bool:
    """Return whether Terraform has a resource for such keys."""
    return (database_type, provider) in _WITH_RESOURCE


def _terraform(database_type: DatabaseType, provider: Provider) -> str:
    if has_resource(database_type, provider):
        return f"by POST {ADDRESSES[database_type]}, or by Terraform's {RESOURCE}"
    lacking = "such a key" if database_type == "serverless" else "keys of Managed Clusters"
    return f"or by POST {ADDRESSES[database_type]}; Terraform has no resource for {lacking}"


class _Cloud(NamedTuple):
    """The terms of a provider for its keys.

    Attributes:
        page: what the vendor's page calls them.
        vendor: the provider's name in Astra's portal.
        owner: what the Cloud Provider ID identifies.
        key: what is to be created.
        grant: how the vendor gets to use it.
        name: what names it.
    """

    page: str
    vendor: str
    owner: str
    key: str
    grant: str
    name: str


_PRODUCTS = {"serverless": "Astra DB Serverless", "managed-clusters": "Astra Managed Clusters"}
_CHOICES = {
    "serverless": "Serverless",
    "managed-clusters": "Classic (its word for Managed Clusters)",
}
"""What to choose in Astra's portal for each database type."""

_CLOUDS: dict[Provider, _Cloud] = {
    "aws": _Cloud(
        page="AWS Key Management Service customer managed keys",
        vendor="Amazon Web Services",
        owner="the vendor's AWS account. If there are several, all are needed",
        key="a symmetric encryption key in AWS KMS",
        grant="In the key's policy, allow that account to use the key",
        name="key's ARN",
    ),
    "gcp": _Cloud(
        page="Google Cloud Key Management Service customer-managed encryption keys",
        vendor="Google Cloud",
        owner="the vendor's Google Cloud project. Some regions show two, and both are needed",
        key="a symmetric key in Google Cloud KMS",
        grant="In the key's IAM policy, allow that project to encrypt and decrypt with the key",
        name="key's resource name",
    ),
    "azure": _Cloud(
        page="Microsoft Azure Key Vault encryption keys",
        vendor="Microsoft Azure",
        owner="an identifier of the vendor's application. If there are several, all are needed",
        key="a key in Azure Key Vault",
        grant="Allow that application to use the key",
        name="key's identifier",
    ),
}
_STEPS = (
    (
        "Begin in Astra's portal, at Settings, Security, Key Encryption, Add Keys. Choose the "
        "database type {choice}, the provider {vendor} and {where}. Only regions that are unlocked "
        "for the organization are offered: ask IBM Support for others."
    ),
    (
        "Note the Cloud Provider ID that the portal shows then: {owner}. GET {one}/accounts lists "
        "the same."
    ),
    "Create {key}, in the same region.",
    "{grant}.",
    (
        "Register the {name}: in the portal, where you began, {terraform}. This takes the "
        "permission Write CMK Key."
    ),
    "Read it back: GET {one} shows the same {name}.",
    "Record the organization again, and audit it: CMEK-01 passes for the key scope.",
    (
        "Only then deploy databases there. Databases that exist already stay on Astra's keys: "
        "recreate them now and migrate their data."
    ),
)
_PREVIEW = (
    "Ask the vendor to admit the organization to the private preview of customer keys on Azure, "
    "and attest the admission."
)
_UNSUPPORTED = (
    "No key can be registered: Astra encrypts Managed Clusters on Azure with its own keys.",
    (
        "If a customer key is required, deploy to AWS or Google Cloud, or as Serverless. Otherwise "
        "declare the databases astra-provided, with the reason."
    ),
)
_UNKNOWN = (
    "Find out the type of these databases and record it: each type has keys of its own.",
    "Run the key plan again and follow the steps for that type.",
)
