"""The addresses of the Astra DevOps API, and what a request to each of them reads."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from inventory.model.gaps import Fact

RequestKind = Fact | Literal["identity"]

Scope = tuple[str, str, str]
"""Database type, provider and region, as they appear in an address."""

IDENTITY = "/v2/currentOrg"
KEY_LISTS = {"serverless": "/v2/kms", "managed-clusters": "/v2/kms/classic"}
DATABASES = "/v2/databases?include=nonterminated&provider=ALL"
TERMINATED_DATABASES = "/v2/databases?include=terminated&provider=ALL"

ADDRESS_TEMPLATES: dict[RequestKind, str] = {
    "identity": IDENTITY,
    "databases": f"{DATABASES}&limit={{limit}}&starting_after={{id}}",
    "serverless-keys": KEY_LISTS["serverless"],
    "managed-clusters-keys": KEY_LISTS["managed-clusters"],
    "region-views": "/v2/kms[/classic]/provider/{provider}/region/{region}",
    "vendor-accounts": "/v2/kms[/classic]/provider/{provider}/region/{region}/accounts",
}
"""The addresses of each kind of request, for people, in the order in which they are sent."""

_KINDS: dict[str, RequestKind] = {
    IDENTITY: "identity",
    KEY_LISTS["serverless"]: "serverless-keys",
    KEY_LISTS["managed-clusters"]: "managed-clusters-keys",
}


def request_kind(address: str) -> RequestKind:
    """Return what a request to ``address`` reads."""
    if address.startswith("/v2/databases?"):
        return "databases"
    by_region: RequestKind = "vendor-accounts" if address.endswith("/accounts") else "region-views"
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
