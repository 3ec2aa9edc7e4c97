"""What a request reads follows from its address, and an address from what is to be read."""

from __future__ import annotations

import pytest

from inventory.astra.endpoints import (
    ADDRESS_TEMPLATES,
    accounts_address,
    region_view_address,
    request_kind,
)

OWN = "/v2/currentOrg"
PAGE = "/v2/databases?include=nonterminated&provider=ALL&limit=100"
PLACE = "/provider/aws/region/us-east-1"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (OWN, "identity"),
        (PAGE, "databases"),
        (f"{PAGE}&starting_after=a", "databases"),
        ("/v2/kms", "serverless-keys"),
        ("/v2/kms/classic", "managed-clusters-keys"),
        (f"/v2/kms{PLACE}", "region-views"),
        (f"/v2/kms/classic{PLACE}", "region-views"),
        (f"/v2/kms{PLACE}/accounts", "vendor-accounts"),
        (f"/v2/kms/classic{PLACE}/accounts", "vendor-accounts"),
    ],
)
def test_kinds_of_requests(address: str, kind: str) -> None:
    """What a request reads follows from its address."""
    assert request_kind(address) == kind


@pytest.mark.parametrize(
    ("region", "segment"),
    [
        ("us-east-1", "us-east-1"),
        ("us east", "us%20east"),
        ("..", "%2E%2E"),
        ("a/../b", "a%2F%2E%2E%2Fb"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("%2F", "%252F"),
        ("ü", "%C3%BC"),
    ],
)
def test_no_region_leads_to_another_address(region: str, segment: str) -> None:
    """A region is one segment of a path, whatever it holds."""
    scope = ("managed-clusters", "gcp", region)
    address = f"/v2/kms/classic/provider/gcp/region/{segment}"
    assert region_view_address(scope) == address
    assert accounts_address(scope) == f"{address}/accounts"
    assert request_kind(address) == "region-views"


@pytest.mark.parametrize(("kind", "address"), ADDRESS_TEMPLATES.items())
def test_templates_are_of_their_kind(kind: str, address: str) -> None:
    """The address that a report shows for a kind of request is one that reads it."""
    assert request_kind(address) == kind
