"""What answers of AWS mean: whose key, which error, which words and times, which policy."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.aws.answers import (
    READS,
    days_of,
    error_code,
    error_of,
    future,
    is_retryable,
    key_of,
    next_marker,
    past,
    policy_document,
    reason_of,
    statements,
    word_of,
)
from inventory.clouds.config import CloudSettings
from inventory.errors import UnansweredError
from inventory.text.secrets import HIDDEN
from tests.clouds.aws_server import KEY, OWN
from tests.inventory.live import an_exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from inventory.evidence.exchange import Exchange

TAKES = ", which reading it takes"
NO_POLICY = "expected a JSON object without repeated names"
BARE = CloudSettings()
MAPPED = CloudSettings.model_validate({"aws": {"accounts": {OWN: {"profile": "acme"}}}})


def answered(code: str, status: int = 400, **over: Any) -> Exchange:  # noqa: ANN401
    """Return an error of AWS as it is recorded: with its code, and nobody's name."""
    return an_exchange({"__type": code, "message": HIDDEN}, status=status, **over)


def flaw(read: Callable[[], object]) -> tuple[str, str]:
    """Return reason and detail of the error that ``read`` raises."""
    with pytest.raises(UnansweredError) as caught:
        read()
    return caught.value.reason, caught.value.detail


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-central-2", "kms.eu-central-2.amazonaws.com"),
        ("aws-us-gov", "us-gov-west-1", "kms.us-gov-west-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", "kms.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_host_follows_from_the_key_id(partition: str, region: str, host: str) -> None:
    """The host is the one of the key's partition and region, and the key is named by its ARN."""
    arn = f"arn:{partition}:kms:{region}:{OWN}:key/mrk-{'0' * 32}"
    request = key_of(arn, BARE).request("ListGrants", ("Marker", "a b"))
    assert request == (
        "aws",
        host,
        "ListGrants",
        (("KeyId", arn), ("Marker", "a b")),
        OWN,
        "",
    )


def test_account_is_mapped_by_the_settings() -> None:
    """A key knows whether the settings name credentials for its account."""
    assert [key_of(KEY, settings).is_mapped for settings in (BARE, MAPPED)] == [False, True]


@pytest.mark.parametrize("value", [None, 7, "", KEY.replace(OWN, "9" * 12), KEY[:-1], [KEY]])
def test_answer_about_another_key_is_refused(value: object) -> None:
    """Only the ARN or the id of the key itself names it."""
    key = key_of(KEY, BARE)
    key.require_same(KEY)
    key.require_same(KEY.rpartition("/")[2])
    found = flaw(lambda: key.require_same(value))
    assert found == ("foreign-key", "the answer is about another key")


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "reason", "again"),
    [
        ("AccessDeniedException", 400, "refused", False),
        ("ExpiredTokenException", 400, "credentials-expired", False),
        ("UnrecognizedClientException", 400, "credentials-expired", False),
        ("InvalidSignatureException", 400, "credentials-expired", False),
        ("OptInRequired", 403, "region-disabled", False),
        ("ThrottlingException", 400, "rate-limited", True),
        ("KMSInternalException", 500, "unavailable", True),
        ("DependencyTimeoutException", 500, "unavailable", True),
        ("NotFoundException", 400, "not-found", False),
        ("InvalidArnException", 400, "not-found", False),
        ("InvalidMarkerException", 400, "cut-short", False),
        ("KMSInvalidStateException", 400, "not-recorded", False),
        ("UnsupportedOperationException", 400, "not-recorded", False),
        ("UnknownOperationException", 404, "not-recorded", False),
        ("SomethingNewException", 400, "unknown-value", False),
        ("SomethingNewException", 500, "unavailable", True),
        ("", 302, "wrong-address", False),
        ("", 404, "wrong-address", False),
        ("", 429, "rate-limited", True),
        ("", 403, "malformed", False),
        ("", 503, "unavailable", True),
    ],
)
def test_error_has_a_reason(code: str, status: int, reason: str, again: bool) -> None:  # noqa: FBT001
    """Each error of AWS is one reason code, and only what may pass is asked again."""
    assert (reason_of(code, status), is_retryable(reason)) == (reason, again)
    body = {"__type": code} if code else {}
    error = error_of(an_exchange(body, status=status), "DescribeKey", key_of(KEY, MAPPED))
    assert (error.reason, error.again) == (reason, again)
    assert error.detail.startswith(f"answered {status} {code or 'without an error code of AWS'}")


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ({"__type": "NotFoundException"}, {}, "NotFoundException"),
        ({"__type": "com.amazonaws.kms#NotFoundException"}, {}, "NotFoundException"),
        ({"code": "Throttling"}, {}, "Throttling"),
        ({}, {"x-amzn-errortype": "OptInRequired:http://internal/"}, "OptInRequired"),
        ({"__type": "Throttling"}, {"x-amzn-errortype": "OptInRequired"}, "Throttling"),
        ({"__type": 7, "code": None}, {}, ""),
        ({"__type": "jane.doe@example.com was here"}, {}, ""),
        ({"__type": "A" * 200}, {}, ""),
        ([], {}, ""),
        ("<html>", {}, ""),
    ],
)
def test_code_of_an_error(body: object, headers: dict[str, str], code: str) -> None:
    """The code is in the body or in a header, with or without what AWS adds to it."""
    assert error_code(an_exchange(body, status=400, headers=headers)) == code


@pytest.mark.parametrize(
    ("settings", "operation", "hint"),
    [
        (
            MAPPED,
            "GetKeyPolicy",
            f"to the credentials that the organizations file names for account {OWN}",
        ),
        (BARE, "ListGrants", f"the organizations file maps account {OWN} to no profile or role"),
        (
            BARE,
            "GetKeyPolicy",
            f"the organizations file maps account {OWN} to no profile or role{TAKES}",
        ),
    ],
)
def test_refusal_says_what_to_map(settings: CloudSettings, operation: str, hint: str) -> None:
    """A refusal says whether the organizations file names credentials for the key's account."""
    error = error_of(answered("AccessDeniedException"), operation, key_of(KEY, settings))
    assert (error.reason, error.detail) == (
        "refused",
        f"answered 400 AccessDeniedException: {hint}",
    )


def test_shown_key_is_not_missing_for_another_operation() -> None:
    """Not found is a refusal where AWS answers the key's own account only, and shows the key."""
    missing = answered("NotFoundException")
    found = {
        (operation, key.is_mapped): error_of(missing, operation, key).reason
        for operation in ("DescribeKey", "GetKeyPolicy")
        for key in (key_of(KEY, BARE), key_of(KEY, MAPPED))
    }
    assert found == {
        ("DescribeKey", False): "not-found",
        ("DescribeKey", True): "not-found",
        ("GetKeyPolicy", False): "refused",
        ("GetKeyPolicy", True): "not-found",
    }


@pytest.mark.parametrize(
    ("region", "reason"),
    [("us-east-1", "credentials-expired"), ("af-south-1", "region-disabled")],
)
def test_unknown_caller_may_be_a_region_that_is_off(region: str, reason: str) -> None:
    """Where regions are off until they are switched on, AWS says that it knows no such caller."""
    key = key_of(KEY.replace("us-east-1", region), BARE)
    error = error_of(answered("UnrecognizedClientException"), "DescribeKey", key)
    assert error.reason == reason
    assert (f"{region} is off unless it was switched on" in error.detail) == (
        reason == "region-disabled"
    )


@pytest.mark.parametrize(
    ("minutes", "reason"), [(0, "credentials-expired"), (9, "clock-differs"), (-9, "clock-differs")]
)
def test_wrong_clock_is_no_wrong_credential(minutes: int, reason: str) -> None:
    """A signature that AWS calls invalid, while the clocks differ, is a matter of the clock."""
    exchange = answered("InvalidSignatureException")
    date = exchange.ended + timedelta(minutes=minutes)
    headers = {"date": f"{date:%a, %d %b %Y %H:%M:%S} GMT"}
    error = error_of(exchange._replace(headers=headers), "DescribeKey", key_of(KEY, BARE))
    assert error.reason == reason


def test_wait_that_is_asked_for_is_kept() -> None:
    """AWS may say when to ask again."""
    exchange = answered("ThrottlingException", headers={"retry-after": "7"})
    error = error_of(exchange, "DescribeKey", key_of(KEY, BARE))
    assert (error.again, error.wait) == (True, 7.0)


# --- words, times, numbers ------------------------------------------------------------------------


def test_unknown_word_is_not_guessed() -> None:
    """A word that AWS does not document is shown, and never taken for a known one."""
    assert word_of({"a": "Enabled"}, "a", {"Enabled"}) == "Enabled"
    assert flaw(lambda: word_of({"a": "enabled"}, "a", {"Enabled"})) == (
        "unknown-value",
        "a: found 'enabled'",
    )
    assert flaw(lambda: word_of({}, "a", {"Enabled"}))[0] == "malformed"


@given(st.datetimes(datetime(2010, 1, 2), datetime(2020, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_time_is_read_to_the_microsecond(moment: datetime) -> None:
    """A time in seconds since 1970 is read as it was, to what a number holds of it."""
    exchange = an_exchange({})
    for read in (past, future):
        found = read({"a": moment.timestamp()}, "a", exchange)
        assert abs(found - moment) <= timedelta(microseconds=1)
    assert past({"a": int(moment.timestamp())}, "a", exchange) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "1763596800", "2026-11-20T00:00:00Z", [], {}),
        *(0, -1.0, 1e300, 10**400, 253402300800, 1763596800000),
    ],
)
def test_impossible_time_is_none(value: object) -> None:
    """What is no possible time in seconds is no time: milliseconds, texts, the year 1970."""
    for read in (past, future):
        reason, detail = flaw(lambda read=read: read({"a": value}, "a", an_exchange({})))  # type: ignore[misc]
        assert (reason, detail.partition(":")[0]) == ("malformed", "a")
        assert detail.endswith("expected a possible time, in seconds since 1970")


def test_past_is_not_to_come() -> None:
    """What has happened has a time before the answer, but for a clock that is a little behind."""
    exchange = an_exchange({})

    def at(**later: float) -> dict[str, float]:
        return {"a": (exchange.ended + timedelta(**later)).timestamp()}

    assert past(at(hours=23), "a", exchange) > exchange.ended
    assert flaw(lambda: past(at(hours=25), "a", exchange))[0] == "malformed"
    assert future(at(days=2_560), "a", exchange) > exchange.ended
    assert flaw(lambda: future(at(days=4_000), "a", exchange))[0] == "malformed"


@pytest.mark.parametrize(
    ("days", "detail"),
    [
        (89, "a: found 89, expected 90 to 2560 days"),
        (2_561, "a: found 2561, expected 90 to 2560 days"),
        (True, "a: found true, expected a number"),
        (90.0, "a: found 90.0, expected a number"),
    ],
)
def test_days_are_in_the_documented_range(days: object, detail: str) -> None:
    """A number of days that AWS cannot show is none."""
    assert [days_of({"a": each}, "a", range(90, 2_561)) for each in (90, 2_560)] == [90, 2_560]
    assert flaw(lambda: days_of({"a": days}, "a", range(90, 2_561))) == ("malformed", detail)


# --- lists and policies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"Truncated": False}, None),
        ({"Truncated": False, "NextMarker": None}, None),
        ({"Truncated": True, "NextMarker": "m"}, "m"),
    ],
)
def test_list_names_its_next_page(body: dict[str, object], found: str | None) -> None:
    """A list that goes on names its next page, one that is whole none."""
    assert next_marker(body) == found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "malformed"),
        ({"Truncated": "false"}, "malformed"),
        ({"Truncated": True}, "cut-short"),
        ({"Truncated": True, "NextMarker": ""}, "cut-short"),
        ({"Truncated": True, "NextMarker": 7}, "cut-short"),
        ({"Truncated": True, "NextMarker": "m" * 1_025}, "malformed"),
        ({"Truncated": False, "NextMarker": "m"}, "cut-short"),
    ],
)
def test_list_without_a_known_end_is_not_whole(body: dict[str, object], reason: str) -> None:
    """A list of which it is not known where it ends is no list."""
    assert flaw(lambda: next_marker(body))[0] == reason


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    )
)
def test_policy_is_read_as_it_is(policy: dict[str, object]) -> None:
    """A policy comes as JSON in a text, and nothing of it is lost."""
    body = {"Policy": json.dumps(policy), "PolicyName": "default"}
    if HIDDEN not in body["Policy"]:
        assert policy_document(body, "default") == policy


@pytest.mark.parametrize(
    ("policy", "detail"),
    [
        ("", "Policy: found '', expected a JSON object without repeated names"),
        ("[]", "Policy: found '[]', expected a JSON object without repeated names"),
        (
            '{"a": 1, "a": 2}',
            'Policy: found \'{"a": 1, "a": 2}\', expected a JSON object without repeated names',
        ),
        (
            '{"a": NaN}',
            "Policy: found '{\"a\": NaN}', expected a JSON object without repeated names",
        ),
        (
            '{"a": 1e999}',
            "Policy: found '{\"a\": 1e999}', expected a JSON object without repeated names",
        ),
        (
            "[" * 100_000,
            f"Policy: found a text of 100,000 characters, {NO_POLICY}",
        ),
        (f'{{"a": "{HIDDEN}"}}', "Policy: a part of it is hidden, as it holds a secret"),
        (7, "Policy: found 7, expected a text"),
    ],
)
def test_policy_that_can_be_read_in_two_ways_is_none(policy: object, detail: str) -> None:
    """A policy that is no whole, plain JSON object decides nothing."""
    assert flaw(lambda: policy_document({"Policy": policy}, "default")) == ("malformed", detail)


def test_other_policy_is_refused() -> None:
    """An answer with another policy than the one that was asked for is refused."""
    body = {"Policy": "{}", "PolicyName": "AWS_RAM"}
    assert policy_document(body, "AWS_RAM") == {}
    assert flaw(lambda: policy_document(body, "default")) == (
        "malformed",
        "PolicyName: found 'AWS_RAM', expected default",
    )


def test_statements_of_a_policy() -> None:
    """A policy has a list of statements, or a single one; without any it says nothing."""
    assert statements({"Statement": [{"Sid": "a"}]}) == [{"Sid": "a"}]
    assert statements({"Statement": {"Sid": "a"}}) == [{"Sid": "a"}]
    assert flaw(lambda: statements({}))[0] == "malformed"


def test_operations_only_read() -> None:
    """Every operation that is sent describes, lists or gets."""
    others = {name for name in READS if not name.startswith(("Describe", "List", "Get"))}
    assert (len(READS), others) == (7, set())
