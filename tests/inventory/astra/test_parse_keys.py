"""What Astra's lists, views and accounts mean for keys, and what they leave open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.astra.parse_databases import parse_databases
from inventory.astra.parse_keys import parse_accounts, parse_keys, parse_view
from inventory.astra.parsing import ParsedList
from inventory.errors import UnansweredError
from inventory.evidence.exchange import Exchange
from inventory.model.gaps import Gap
from inventory.model.key import CustomerKey, RegionView
from tests.builders import ORGANIZATION, OTHER_ORGANIZATION, aws_key_id
from tests.inventory.live import (
    LETTERED,
    PATH,
    an_exchange,
    listed_key,
)

SCOPE = ("serverless", "aws", "us-east-1")


KEY = aws_key_id()


def gaps(parsed: ParsedList) -> set[tuple[str, str, str]]:
    return {(gap.fact, gap.reason, gap.detail) for gap in parsed.gaps}


def said(caught: pytest.ExceptionInfo[UnansweredError]) -> tuple[str, str]:
    return caught.value.reason, caught.value.detail


def keys(*entries: object, value: object = ()) -> ParsedList:
    listed = list(entries) if value == () else value
    return parse_keys(an_exchange(listed), "serverless", ORGANIZATION)


def test_keys() -> None:
    """Keys are of the type for which they were asked, and know file and line of their entry."""
    parsed = keys(listed_key(), listed_key("us-east-2", CloudProvider="AWS"))
    assert parsed.entries == [
        CustomerKey(
            type="serverless", provider="aws", region=region, key_id=aws_key_id(region), seen=seen
        )
        for region, seen in (("us-east-1", f"{PATH}:1"), ("us-east-2", f"{PATH}:1"))
    ]
    assert (parsed.gaps, parsed.note) == ([], "")


@pytest.mark.parametrize("kind", ["serverless", "managed-clusters"])
def test_type_comes_from_the_address(kind: str) -> None:
    """The same entry is a key of either type, as the address says; so are its gaps."""
    parsed = parse_keys(an_exchange([listed_key(), 7]), kind, ORGANIZATION)
    assert {key.type for key in parsed.entries} == {kind}
    assert {gap.fact for gap in parsed.gaps} == {f"{kind}-keys"}


@pytest.mark.parametrize("spelled", ["aws", "AWS", "Aws", "Amazon Web Services"])
@pytest.mark.parametrize(
    "owner",
    [
        {"orgId": LETTERED},
        {"OrganizationID": LETTERED.upper()},
        {"organization_id": LETTERED},
        {"OrganizationID": ""},
        {},
    ],
)
def test_spellings_of_a_key(spelled: str, owner: dict[str, str]) -> None:
    """A key is understood in each spelling of fields, provider and organization."""
    entry = {"cloud_provider": spelled, "keyID": KEY, "region": "us-east-1"} | owner
    parsed = parse_keys(an_exchange([entry]), "serverless", LETTERED)
    assert [(key.provider, key.region, key.key_id) for key in parsed.entries] == [
        ("aws", "us-east-1", KEY)
    ]
    assert parsed.gaps == []


def test_null_instead_of_keys() -> None:
    """``null`` is taken for no keys, and that it was is noted; an empty list needs no note."""
    assert keys(value=None) == ParsedList([], [], "answered null, read as an empty list")
    assert keys(value=[]) == ParsedList([], [], "")


def test_keys_that_stand_there_twice() -> None:
    """A key that is listed twice is one key, and that it was is noted."""
    parsed = keys(listed_key(), listed_key("us-east-2"), listed_key(CloudProvider="AWS"))
    assert [key.region for key in parsed.entries] == ["us-east-1", "us-east-2"]
    assert (parsed.gaps, parsed.note) == ([], "repeated entries: 1")


def test_keys_of_one_place_that_differ_are_both_kept() -> None:
    """Two different keys of one place are both kept, as neither can be left out."""
    other = aws_key_id(number=2)
    parsed = keys(listed_key(), listed_key(KeyID=other))
    assert {key.key_id for key in parsed.entries} == {KEY, other}


UNKNOWN = "the provider {} is unknown"


@pytest.mark.parametrize(
    ("entry", "reason", "detail"),
    [
        (7, "malformed", "found 7, expected an object"),
        (None, "malformed", "found nothing, expected an object"),
        ([], "malformed", "found an empty list, expected an object"),
        ({}, "unknown-value", UNKNOWN.format("nothing")),
        (listed_key(CloudProvider="Oracle"), "unknown-value", UNKNOWN.format("'Oracle'")),
        (listed_key(CloudProvider=""), "unknown-value", UNKNOWN.format("''")),
        (listed_key(CloudProvider=[]), "unknown-value", UNKNOWN.format("an empty list")),
        (listed_key(CloudProvider={}), "unknown-value", UNKNOWN.format("an empty mapping")),
        (listed_key(CloudProvider=None), "unknown-value", UNKNOWN.format("nothing")),
        (listed_key(KeyID=None), "malformed", "key_id: found nothing, expected text"),
        (
            listed_key(KeyID=""),
            "malformed",
            "key_id: found '', expected visible ASCII characters without spaces",
        ),
        (listed_key(KeyID=7), "malformed", "key_id: found 7, expected text"),
        (listed_key(Region=None), "malformed", "region: found nothing, expected text"),
        (
            listed_key(Region="us east"),
            "malformed",
            "region: found 'us east', expected visible ASCII characters without spaces",
        ),
        (listed_key() | {"region": ""}, "malformed", "an entry has a field in two spellings"),
    ],
)
def test_keys_that_cannot_be_understood(entry: object, reason: str, detail: str) -> None:
    """An entry that cannot be understood is a gap with the words found; the others are read."""
    parsed = keys(listed_key("us-east-2"), entry)
    assert [key.region for key in parsed.entries] == ["us-east-2"]
    assert gaps(parsed) == {("serverless-keys", reason, f"{detail} ({PATH}:1)")}


FOREIGN = [
    {"OrganizationID": OTHER_ORGANIZATION},
    {"orgId": OTHER_ORGANIZATION},
    {"org_id": OTHER_ORGANIZATION},
    {"organization_id": OTHER_ORGANIZATION},
    {"orgId": ORGANIZATION, "OrganizationID": OTHER_ORGANIZATION},
    {"orgId": OTHER_ORGANIZATION, "OrganizationID": ORGANIZATION},
]


@pytest.mark.parametrize("owner", FOREIGN)
def test_keys_of_another_organization(owner: dict[str, str]) -> None:
    """An entry that names another organization is not taken, however it spells that."""
    entry = {"CloudProvider": "aws", "KeyID": KEY, "Region": "us-east-1"} | owner
    parsed = keys(entry)
    detail = f"an entry belongs to organization '{OTHER_ORGANIZATION}' ({PATH}:1)"
    assert parsed.entries == []
    assert gaps(parsed) == {("serverless-keys", "wrong-organization", detail)}


def test_organization_that_is_no_text() -> None:
    """An organization id that is no text is another organization's."""
    assert {gap.reason for gap in keys(listed_key(OrganizationID=[1])).gaps} == {
        "wrong-organization"
    }


def view(value: object = None, **over: object) -> ParsedList:
    return parse_view(an_exchange(value, **over), SCOPE, ORGANIZATION)


def shown(**over: object) -> dict[str, Any]:
    return {"orgId": ORGANIZATION, "aws": {"keyID": KEY, "region": "us-east-1"} | over}


def a_view(key_id: str | None) -> RegionView:
    return RegionView(
        type="serverless", provider="aws", region="us-east-1", key_id=key_id, seen=f"{PATH}:1"
    )


@pytest.mark.parametrize(
    "value",
    [
        shown(),
        shown(more=1),
        shown() | {"more": {"a": 1}},
        {"aws": {"key_id": KEY, "Region": "us-east-1"}},
        {"AWS": {"KeyID": KEY, "region": "us-east-1"}, "orgId": ORGANIZATION},
        shown() | {"gcp": None, "azure": {"keyID": "", "region": ""}},
    ],
)
def test_view_of_a_key(value: object) -> None:
    """A view shows the key of its region, in each of the family's spellings."""
    assert view(value) == ParsedList([a_view(KEY)], [])


ERRORS = {"errors": [{"ID": 340004, "message": "no customer key"}]}


@pytest.mark.parametrize(
    "exchange",
    [
        an_exchange({}),
        an_exchange(None),
        an_exchange([]),
        an_exchange({"orgId": ORGANIZATION}),
        an_exchange({"aws": {}}),
        an_exchange({"aws": None}),
        an_exchange({"gcp": None, "azure": {}}),
        an_exchange(shown(keyID="", region="", more=1)),
        an_exchange(shown(keyID="", region="")),
        an_exchange(shown(keyID=None, region=None)),
        an_exchange(ERRORS, status=404),
        an_exchange({"errors": []}, status=404),
    ],
)
def test_view_without_a_key(exchange: Exchange) -> None:
    """Each of the ways in which an interface can show no key is understood as no key."""
    assert parse_view(exchange, SCOPE, ORGANIZATION) == ParsedList([a_view(None)], [])


@pytest.mark.parametrize(
    "over",
    [
        {"text": "404 page not found"},
        {"value": None},
        {"value": {}},
        {"value": "no"},
        {"value": {"errors": "no"}},
    ],
)
def test_view_at_a_wrong_address(over: dict[str, Any]) -> None:
    """A 404 without a list of errors is a wrong address, and never "no key"."""
    with pytest.raises(UnansweredError) as caught:
        view(**over, status=404)
    assert said(caught) == ("wrong-address", "answered 404, as an unknown address does")
    assert not caught.value.again


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (ERRORS, "a mapping of 1"),
        ([1], "a list of 1"),
        ("text", "'text'"),
        (0, "0"),
        (False, "false"),
        ("", "''"),
    ],
)
def test_view_that_is_none(value: object, found: str) -> None:
    """Whatever is neither a view nor one of the ways to show no key is malformed."""
    with pytest.raises(UnansweredError) as caught:
        view(value)
    assert said(caught) == ("malformed", f"found {found}, expected an object with a key")


TWO = {"keyID": aws_key_id(number=2), "region": "us-east-1"}


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (shown(region="us-east-2"), "malformed", "requested us-east-1, got 'us-east-2'"),
        (shown(region=None), "malformed", "requested us-east-1, got nothing"),
        (shown(region=["us-east-1"]), "malformed", "requested us-east-1, got a list of 1"),
        (shown(keyID=""), "malformed", "no key id for us-east-1"),
        (shown(keyID=7), "malformed", "no key id for us-east-1"),
        (
            shown(keyID="two words"),
            "malformed",
            "key_id: found 'two words', expected visible ASCII characters without spaces",
        ),
        (shown(KeyID="x"), "malformed", "an entry has a field in two spellings"),
        ({"aws": 7}, "malformed", "found 7, expected an object"),
        ({"gcp": TWO}, "malformed", "requested aws, got gcp"),
        (shown() | {"GCP": TWO}, "malformed", "requested aws, got GCP, aws"),
        (
            shown() | {"Amazon Web Services": TWO},
            "malformed",
            "2 keys for serverless / aws / us-east-1",
        ),
        ({"oracle": TWO}, "unknown-value", UNKNOWN.format("'oracle'")),
        ({"oracle": TWO, "aws": None}, "unknown-value", UNKNOWN.format("'oracle'")),
        (
            listed_key(),
            "malformed",
            "a view without a provider: 'CloudProvider', 'KeyID', 'Region'",
        ),
        ({"keyID": KEY, "region": ""}, "malformed", "a view without a provider: 'keyID'"),
        ({"\ud800": 1}, "malformed", r"a view without a provider: '\ud800'"),
        (
            shown() | {"orgId": OTHER_ORGANIZATION},
            "wrong-organization",
            f"an entry belongs to organization '{OTHER_ORGANIZATION}'",
        ),
    ],
)
def test_views_that_cannot_be_relied_on(value: object, reason: str, detail: str) -> None:
    """A view that shows something else than it was asked for is a gap, not a key and not none."""
    parsed = view(value)
    assert parsed.entries == []
    assert gaps(parsed) == {("region-views", reason, f"{detail} ({PATH}:1)")}


def account(**over: object) -> dict[str, Any]:
    fields = {"organization_id": ORGANIZATION, "provider_id": "arn:aws:iam::1:root"}
    return fields | {"provider": "aws"} | over


def accounts(*entries: object, value: object = ()) -> ParsedList:
    listed = list(entries) if value == () else value
    return parse_accounts(an_exchange(listed), SCOPE, ORGANIZATION)


def test_accounts() -> None:
    """The vendor's accounts are those of the place for which they were asked."""
    parsed = accounts(account(), account(provider_id="other", provider=""), account(provider="AWS"))
    assert [entry.account for entry in parsed.entries] == [
        *("arn:aws:iam::1:root", "other", "arn:aws:iam::1:root"),
    ]
    assert {(account.type, account.provider, account.region) for account in parsed.entries} == {
        SCOPE
    }
    assert [entry.seen for entry in parsed.entries] == [f"{PATH}:1"] * 3
    assert parsed.gaps == []


@pytest.mark.parametrize("value", [[], None])
def test_no_accounts(value: object) -> None:
    """If no account is named, that is a gap: there must be one."""
    detail = "no account is listed for serverless / aws / us-east-1"
    assert gaps(accounts(value=value)) == {("vendor-accounts", "not-visible", detail)}


@pytest.mark.parametrize(
    ("entry", "reason", "detail"),
    [
        (7, "malformed", "found 7, expected an object"),
        (account(provider="gcp"), "malformed", "requested aws, got 'gcp'"),
        (account(provider="oracle"), "unknown-value", UNKNOWN.format("'oracle'")),
        (
            account(provider_id=None),
            "malformed",
            "account: found nothing, expected text",
        ),
        (
            account(organization_id=OTHER_ORGANIZATION),
            "wrong-organization",
            f"an entry belongs to organization '{OTHER_ORGANIZATION}'",
        ),
    ],
)
def test_accounts_that_cannot_be_relied_on(entry: object, reason: str, detail: str) -> None:
    """An account of another provider or organization, or without an id, is a gap."""
    parsed = accounts(entry)
    assert parsed.entries == []
    assert gaps(parsed) == {("vendor-accounts", reason, f"{detail} ({PATH}:1)")}


NAMES = st.sampled_from(
    [
        *("id", "orgId", "info", "status", "creationTime", "name", "cloudProvider", "tier"),
        *("region", "datacenters", "dateCreated", "aws", "gcp", "keyID", "KeyID", "Region"),
        *("CloudProvider", "OrganizationID", "provider", "provider_id", "errors", "oracle"),
    ]
)


WORDS = st.sampled_from(["aws", "AWS", "us-east-1", KEY, ORGANIZATION, "serverless", ""])


TEXTS = st.text(st.characters(exclude_categories=()), max_size=5)


SCALARS = st.none() | st.booleans() | st.integers() | TEXTS | WORDS


ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=15,
)


@given(st.lists(ANYTHING, max_size=4))
def test_no_list_breaks_it(listed: list[Any]) -> None:
    """Whatever a list holds, each entry is read or is a gap, and all can be written down."""
    parsed = [
        parse_keys(an_exchange(listed), "serverless", ORGANIZATION),
        parse_accounts(an_exchange(listed), SCOPE, ORGANIZATION),
    ]
    named = [
        (an_exchange(listed), at)
        for at, database in enumerate(listed)
        if isinstance(database, dict)
    ]
    parsed.append(parse_databases(named, ORGANIZATION))
    assert len(parsed[0].gaps) + len(parsed[0].entries) >= min(1, len(listed))
    assert len(parsed[2].gaps) + len(parsed[2].entries) >= len(named)
    for outcome in parsed:
        for entry in (*outcome.entries, *outcome.gaps):
            json.loads(entry.model_dump_json())


@given(ANYTHING | st.dictionaries(st.sampled_from(["aws", "orgId", "gcp", "x"]), ANYTHING))
def test_no_view_breaks_it(value: object) -> None:
    """Whatever is shown for a region, it is one view, or a gap, or no answer."""
    try:
        parsed = view(value)
    except UnansweredError as error:
        assert error.reason == "malformed"  # noqa: PT017
        return
    assert len(parsed.entries) + len(parsed.gaps) == 1
    assert all(isinstance(gap, Gap) for gap in parsed.gaps)
