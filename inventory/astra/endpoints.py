"""The addresses of the Astra DevOps API, and what a request to each of them reads."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from inventory.evidence.exchange_summary import cloud_of
from inventory.model.gaps import CloudFact, Fact
from inventory.model.vocabulary import Provider

AstraFact = Fact | Literal["identity"]
RequestKind = AstraFact | CloudFact

Scope = tuple[str, str, str]
"""Database type, provider and region, as they appear in an address."""

IDENTITY = "/v2/currentOrg"
KEY_LISTS = {"serverless": "/v2/kms", "managed-clusters": "/v2/kms/classic"}
DATABASES = "/v2/databases?include=nonterminated&provider=ALL"
TERMINATED_DATABASES = "/v2/databases?include=terminated&provider=ALL"

CLOUD_FACTS: dict[Provider, CloudFact] = {
    "aws": "aws-keys",
    "gcp": "gcp-keys",
    "azure": "azure-keys",
}
"""What is read from each cloud."""

CLOUD_TEMPLATES: dict[CloudFact, str] = {
    "aws-keys": "/aws/{host}/{operation}?KeyId={key}",
    "gcp-keys": "/gcp/{host}/v1/{key or key ring}",
    "azure-keys": "/azure/{vault}/keys/{key}",
}
"""The addresses of the requests about keys, as they are recorded: they begin with cloud and host.

``azure-keys`` also asks for deleted keys.
"""

ADDRESS_TEMPLATES: dict[AstraFact, str] = {
    "identity": IDENTITY,
    "databases": f"{DATABASES}&limit={{limit}}&starting_after={{id}}",
    "serverless-keys": KEY_LISTS["serverless"],
    "managed-clusters-keys": KEY_LISTS["managed-clusters"],
    "region-views": "/v2/kms[/classic]/provider/{provider}/region/{region}",
    "vendor-accounts": "/v2/kms[/classic]/provider/{provider}/region/{region}/accounts",
}
"""The addresses of each kind of request, for people, in the order in which they are sent."""

_KINDS: dict[str, AstraFact] = {
    IDENTITY: "identity",
    KEY_LISTS["serverless"]: "serverless-keys",
    KEY_LISTS["managed-clusters"]: "managed-clusters-keys",
}


def request_kind(address: str) -> RequestKind:
    """Return what a request to ``address`` reads."""
    if cloud := cloud_of(address):
        return CLOUD_FACTS[cloud]
    if address.startswith("/v2/databases?"):
        return "databases"
    by_region: AstraFact = "vendor-accounts" if address.endswith("/accounts") else "region-views"
    return _KINDS.get(address, by_region)


def region_view_address(scope: Scope) -> str:
    """Return the address of the view of one region."""
    database_type, provider, region = scope
    # A region is data of Astra's: quoted, it can neither end the path nor, by its dots, climb it.
    segment = quote(region, safe="").replace(".", "%2E")
    return f"{KEY_LISTS[database_type]}/provider/{provider}/region/{segment}"


def accounts_address(scope: Scope) -> str:
    """Return the address of the vendor's accounts for the key of one scope."""
    return f"{region_view_address(scope)}/accounts"
