"""What the clouds show of when a key can have been registered."""

from __future__ import annotations

from typing import Any

import pytest

from checks.shared.cloud_bounds import CloudBounds, bounds_by_cloud
from inventory.index.organization_index import scope_of
from inventory.model.key import CustomerKey
from inventory.model.kms import KmsFact
from tests.builders import (
    AS_OF,
    ORGANIZATION,
    a_key,
    an_organization,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
    moment,
)

VENDOR = "999988887777"
SEEN = "2026-11-20T01:00:00Z"
MARCH, MAY = "2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z"


def a_grant(**over: object) -> dict[str, object]:
    grant = {"id": "g1", "grantee": f"arn:aws:iam::{VENDOR}:role/astra", "operations": ["Decrypt"]}
    return grant | {"issued_by": f"arn:aws:iam::{VENDOR}:root", "created_at": MAY} | over


def facts(**over: object) -> dict[str, object]:
    return {"observed_at": SEEN} | over


def accounts(*named: str, **over: object) -> list[dict[str, object]]:
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"} | over
    return [place | {"account": account} for account in named]


def bounds(*keys: CustomerKey, **organization: Any) -> CloudBounds:  # noqa: ANN401 (its fields)
    every = organization.pop("keys", keys)
    known = {"vendor_accounts": accounts(VENDOR)} | organization
    whole = an_organization(keys=list(every), **known)
    return bounds_by_cloud(whole, scope_of(ORGANIZATION, keys[0]), keys, AS_OF)


def test_without_facts_nothing_is_bounded() -> None:
    """A key of which no cloud was asked has no bounds."""
    assert bounds(a_key()) == CloudBounds()
    assert bounds(a_key(kms=facts())) == CloudBounds()


def test_a_key_is_not_registered_before_its_creation() -> None:
    """The creation is the lower bound; of several entries of one key the earliest counts."""
    assert bounds(a_key(kms=facts(created_at=MARCH))).created == moment(MARCH)
    versions = [
        a_key(provider="gcp", key_id=gcp_key_id(version=n), kms=facts(created_at=time))
        for n, time in enumerate((MAY, MARCH), 1)
    ]
    assert bounds(*versions).created == moment(MARCH)


@pytest.mark.parametrize(
    ("over", "created"),
    [
        ({"created_at": MARCH}, None),
        ({"created_at": MARCH, "versions": []}, None),
        ({"created_at": MAY, "versions": [("1", MAY), ("2", MARCH)]}, MARCH),
        ({"created_at": MARCH, "versions": [("1", MAY)]}, MARCH),
        ({"versions": [("1", MAY)]}, MAY),
        ({"created_at": MARCH, "versions": [("1", MAY), ("2", None)]}, None),
    ],
)
def test_a_key_in_azure_is_as_old_as_its_first_version(
    over: dict[str, Any], created: str | None
) -> None:
    """What Azure shows as the creation is a version's, so that all versions must be known."""
    versions = [
        {"id": name, "state": "enabled", "usable": True, "created_at": time}
        for name, time in over.get("versions", ())
    ]
    kms = facts(**over | ({"versions": versions} if "versions" in over else {}))
    key = a_key(provider="azure", key_id=azure_key_id(), kms=kms)
    assert bounds(key).created == (moment(created) if created else None)


@pytest.mark.parametrize(
    "over",
    [
        {"owner": "444455556666", "created_at": MARCH, "grants": [a_grant()]},
        {"observed_at": "2026-11-21T02:00:01Z", "created_at": MARCH, "grants": [a_grant()]},
    ],
)
def test_facts_about_another_key_or_of_the_future_bound_nothing(over: dict[str, Any]) -> None:
    """Facts about a key of another owner, and such as are later than the audit, do not count."""
    assert bounds(a_key(kms=facts(**over))) == CloudBounds()


@pytest.mark.parametrize("owner", ["111122223333", None])
def test_facts_about_the_key_itself_count(owner: str | None) -> None:
    """Facts of the account that the key id names count, and such as name none."""
    assert bounds(a_key(kms=facts(owner=owner, created_at=MARCH))).created == moment(MARCH)


# --- grants ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("issuer", [VENDOR, f"arn:aws:iam::{VENDOR}:root"])
@pytest.mark.parametrize("named", [VENDOR, f"arn:aws:iam::{VENDOR}:role/astra"])
def test_a_grant_of_the_vendor_s_account_dates_a_use(issuer: str, named: str) -> None:
    """The first grant that an account which Astra names for the scope has issued bounds it."""
    grants = [a_grant(issued_by=issuer), a_grant(id="g2", created_at=MARCH)]
    found = bounds(a_key(kms=facts(grants=grants)), vendor_accounts=accounts(named))
    assert found == CloudBounds(used=moment(MARCH))


@pytest.mark.parametrize(
    ("grant", "organization"),
    [
        ({}, {"vendor_accounts": None}),
        ({}, {"vendor_accounts": []}),
        ({}, {"vendor_accounts": accounts("444455556666")}),
        ({}, {"vendor_accounts": accounts(VENDOR, region="us-west-2")}),
        ({}, {"vendor_accounts": accounts(VENDOR, type="managed-clusters")}),
        ({}, {"vendor_accounts": accounts("vendor-project")}),
        ({"issued_by": None}, {}),
        ({"issued_by": "444455556666"}, {}),
        ({"issued_by": f"arn:aws:iam::444455556666:role/{VENDOR}"}, {}),
        ({"issued_by": f"arn:aws:sts::{VENDOR}:x"}, {}),
        ({"issued_by": f"{VENDOR}0"}, {}),
        ({"created_at": None}, {}),
        ({"created_at": "2026-11-20T01:00:01Z"}, {}),
        ({"issued_by": "111122223333"}, {"vendor_accounts": accounts("111122223333")}),
    ],
)
def test_no_other_grant_dates_a_use(grant: dict[str, Any], organization: dict[str, Any]) -> None:
    """A grant of somebody else, of an unknown or impossible time, or of ourselves shows no use."""
    key = a_key(kms=facts(grants=[a_grant(**grant)]))
    assert bounds(key, **organization) == CloudBounds()


def test_a_key_of_several_scopes_may_have_been_used_in_any() -> None:
    """A grant on a key that two key scopes share shows a use in neither of them."""
    key = a_key(kms=facts(grants=[a_grant()]))
    other = a_key(region="us-west-2", key_id=aws_key_id())
    assert bounds(key, keys=[key, other]) == CloudBounds()
    apart = a_key(region="us-west-2")
    assert bounds(key, keys=[key, apart]).used == moment(MAY)


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ({"created_at": MARCH, "grants": [a_grant()]}, ""),
        ({"created_at": MAY, "grants": [a_grant()]}, ""),
        (
            {"created_at": MAY, "grants": [a_grant(created_at=MARCH)]},
            "A grant of the key is older than the key itself.",
        ),
        ({"created_at": SEEN}, ""),
        (
            {"created_at": "2026-11-20T01:00:01Z"},
            "The cloud showed the key before the time at which it says that it was created.",
        ),
    ],
)
def test_what_the_cloud_shows_may_be_impossible(over: dict[str, Any], text: str) -> None:
    """Times of one key that cannot all be true are a contradiction, and not chosen from."""
    assert bounds(a_key(kms=facts(**over))).contradiction == text


def test_the_evidence_is_what_was_read() -> None:
    """Creation and grants are named where they were read, grants only if they bound."""
    places: dict[KmsFact, tuple[str, int]] = {"key": ("a", 1), "grants": ("a", 2)}
    for grants, expected in (([a_grant()], (("a", 1), ("a", 2))), ([], (("a", 1),))):
        key = a_key(kms=facts(created_at=MARCH, grants=grants))
        assert key.kms
        key.kms.located(places)
        whole = an_organization(keys=[key], vendor_accounts=accounts(VENDOR))
        found = bounds_by_cloud(whole, scope_of(ORGANIZATION, key), [key], AS_OF)
        assert found.evidence == expected
