"""What an answer of Azure Key Vault shows, and which answers show nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.clouds.azure.answers import (
    Bundle,
    Validity,
    is_by_network,
    kind_facts,
    parse_answer,
    parse_time,
    recovery_facts,
    region_facts,
    rotation_facts,
    suitability_facts,
    validity_facts,
    validity_of,
    worst_of,
)
from inventory.errors import UnansweredError
from tests.clouds.azure_server import CREATED, DAY, LATEST, attributes, bundle, policy, refusal
from tests.inventory.live import STARTED, an_exchange

NOW = int(STARTED.timestamp())


def a_bundle(*, is_in_hsm: bool = False, region: str = "eastus2", **over: Any) -> Bundle:  # noqa: ANN401 (any attribute)
    """Return what is read of a version, changed by ``over``; empty regions are not shown."""
    body = bundle(**over)
    headers = {"x-ms-keyvault-region": region} if region else {}
    return Bundle(
        exchange=an_exchange(body, headers=headers),
        body=body,
        key=body["key"],
        attributes=body["attributes"],
        version=LATEST,
        is_in_hsm=is_in_hsm,
    )


def problem(call: Any, *args: Any) -> tuple[str, str]:  # noqa: ANN401
    """Return reason and detail of what ``call`` raises."""
    with pytest.raises(UnansweredError) as caught:
        call(*args)
    return caught.value.reason, caught.value.detail


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "reason", "detail", "again"),
    [
        (401, refusal("Unauthorized"), "credentials-expired", "answered 401 Unauthorized", False),
        (
            403,
            refusal("Forbidden", "ForbiddenByRbac"),
            "refused",
            "answered 403 Forbidden ForbiddenByRbac",
            False,
        ),
        (
            403,
            refusal("Forbidden", "AccessDenied"),
            "refused",
            "answered 403 Forbidden AccessDenied",
            False,
        ),
        (403, refusal("ada@acme.example"), "refused", "answered 403", False),
        (404, refusal("KeyNotFound"), "not-found", "answered 404 KeyNotFound", False),
        (404, refusal("SecretNotFound"), "malformed", "answered 404", False),
        (404, "<html>", "malformed", "answered 404", False),
        (408, {}, "timed-out", "answered 408", True),
        (
            409,
            refusal("Conflict", "ObjectIsBeingDeleted"),
            "not-found",
            "answered 409 ObjectIsBeingDeleted",
            True,
        ),
        (429, refusal("Throttled"), "rate-limited", "answered 429 Throttled", True),
        (500, refusal("KeyNotFound"), "unavailable", "answered 500 KeyNotFound", True),
        (503, {"error": [1]}, "unavailable", "answered 503", True),
        (302, {}, "wrong-address", "answered 302, and redirects are not followed", False),
        (400, refusal("BadParameter"), "malformed", "answered 400", False),
        (204, {}, "malformed", "answered 204", False),
    ],
)
def test_refusal_has_a_reason(
    status: int, body: object, reason: str, detail: str, *, again: bool
) -> None:
    """Each refusal has its reason code; known codes are repeated, and nothing else of it."""
    with pytest.raises(UnansweredError) as caught:
        parse_answer(an_exchange(body, status=status))
    error = caught.value
    assert (error.reason, error.detail, error.again, error.wait) == (reason, detail, again, None)


def test_throttling_says_how_long_to_wait() -> None:
    """The time that Azure asks to wait is passed on."""
    with pytest.raises(UnansweredError) as caught:
        parse_answer(an_exchange({}, status=429, headers={"retry-after": "7"}))
    assert caught.value.wait == 7.0


@pytest.mark.parametrize("code", ["ForbiddenByFirewall", "ForbiddenByConnection"])
def test_network_is_no_matter_of_permissions(code: str) -> None:
    """A vault that does not let this machine in asks for no permission."""
    with pytest.raises(UnansweredError) as caught:
        parse_answer(an_exchange(refusal("Forbidden", code), status=403))
    assert is_by_network(caught.value)
    assert not is_by_network(UnansweredError("refused", "answered 403 ForbiddenByRbac"))


# --- validity -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("over", "enabled", "state"),
    [
        ({}, True, "enabled"),
        ({"enabled": False}, False, "disabled"),
        ({"enabled": False, "exp": NOW - 1}, False, "disabled"),
        ({"nbf": NOW}, True, "enabled"),
        ({"nbf": NOW + 1}, False, "not-yet-valid"),
        ({"exp": NOW}, False, "expired"),
        ({"exp": NOW + 1}, True, "enabled"),
        ({"nbf": NOW + 1, "exp": NOW}, False, "not-yet-valid"),
    ],
)
def test_key_is_enabled_within_its_time(over: dict[str, Any], state: str, *, enabled: bool) -> None:
    """A key wraps others if it is switched on, and only within its time."""
    facts = validity_facts(a_bundle(**over))
    expires = datetime.fromtimestamp(over["exp"], UTC) if "exp" in over else None
    assert facts == {"enabled": enabled, "state": state, "expires_at": expires}


@pytest.mark.parametrize(
    ("over", "detail"),
    [
        ({"enabled": None}, "enabled: found nothing, expected true or false"),
        ({"enabled": "true"}, "enabled: found 'true', expected true or false"),
        ({"enabled": 1}, "enabled: found 1, expected true or false"),
        ({"exp": "2027-01-01"}, "exp: found '2027-01-01', expected a number"),
        ({"exp": 1.5}, "exp: found 1.5, expected a number"),
        ({"nbf": True}, "nbf: found true, expected a number"),
        ({"exp": 10**20}, f"exp: found {10**20}, expected a time"),
        ({"created": 0}, "created: found 0, expected a time"),
        ({"created": -1}, "created: found -1, expected a time"),
        ({"created": NOW + DAY}, "created: found a time after the answer"),
    ],
)
def test_validity_is_never_guessed(over: dict[str, Any], detail: str) -> None:
    """A time that is none, or cannot be, and a switch of another type are no answer."""
    assert problem(validity_facts, a_bundle(**over)) == ("malformed", detail)


def test_validity_of_a_version() -> None:
    """A version shows when it was created, if it is not an old one, and when it expires."""
    shown = attributes(CREATED, nbf=CREATED, exp=CREATED + DAY)
    day = datetime(2025, 6, 1, tzinfo=UTC)
    expected = Validity(True, day, day.replace(day=2), day)
    assert validity_of(shown, an_exchange()) == expected
    assert validity_of({"enabled": False}, an_exchange()) == Validity(False, None, None, None)


@given(st.one_of(st.integers(CREATED), st.floats(), st.text(), st.booleans(), st.lists(st.none())))
def test_any_value_is_a_time_or_refused(value: object) -> None:
    """Whatever is where a time should be, it is a time since 2010 or refused."""
    try:
        time = parse_time({"exp": value}, "exp")
    except UnansweredError:
        return
    assert time is not None
    assert (type(value), time.timestamp()) == (int, value)


# --- kind, recovery, region -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "is_in_hsm", "suitable"),
    [
        ({"kty": "RSA"}, False, True),
        ({"kty": "RSA-HSM"}, False, True),
        ({"kty": "RSA-HSM"}, True, True),
        ({"kty": "oct-HSM"}, True, True),
        ({"kty": "EC"}, False, False),
        ({"kty": "EC-HSM", "key_ops": None}, True, False),
        ({"kty": "RSA", "key_ops": ["wrapKey"]}, False, False),
        ({"kty": "RSA", "key_ops": ["unwrapKey", "wrapKey", "new-one"]}, False, True),
        ({"kty": "RSA", "key_ops": []}, False, False),
    ],
)
def test_key_that_wraps_is_suitable(
    key: dict[str, Any], *, is_in_hsm: bool, suitable: bool
) -> None:
    """An RSA key, or a symmetric one in a Managed HSM, that may wrap and unwrap is suitable."""
    shown = a_bundle(key=key, is_in_hsm=is_in_hsm)
    assert kind_facts(shown) | suitability_facts(shown) == {
        "kind": key["kty"],
        "suitable": suitable,
    }


@pytest.mark.parametrize(
    ("kind", "reason", "detail"),
    [
        ("oct-HSM", "unknown-value", "kty: found 'oct-HSM', expected a kind of key in a vault"),
        ("rsa", "unknown-value", "kty: found 'rsa', expected a kind of key in a vault"),
        (["RSA"], "malformed", "kty: found a list of 1, expected a text"),
        (None, "malformed", "kty: found nothing, expected a text"),
    ],
)
def test_unknown_kind_is_not_judged(kind: object, reason: str, detail: str) -> None:
    """Of a kind that is not known nobody can say whether it wraps."""
    shown = a_bundle(key={"kty": kind})
    assert problem(kind_facts, shown) == (reason, detail)
    assert suitability_facts(shown) == {}


@pytest.mark.parametrize("operations", [None, "wrapKey, unwrapKey", ["wrapKey", "unwrapKey", 1]])
def test_operations_are_texts(operations: object) -> None:
    """What a key may do is a list of texts, or not known."""
    reason, detail = problem(suitability_facts, a_bundle(key={"key_ops": operations}))
    assert (reason, detail[:8]) == ("malformed", "key_ops:")


@pytest.mark.parametrize(
    ("level", "protected"),
    [
        ("Purgeable", False),
        ("Recoverable+Purgeable", False),
        ("CustomizedRecoverable+Purgeable", False),
        ("Recoverable", True),
        ("CustomizedRecoverable", True),
        ("Recoverable+ProtectedSubscription", True),
        ("CustomizedRecoverable+ProtectedSubscription", True),
    ],
)
def test_recovery_level_shows_purge_protection(level: str, *, protected: bool) -> None:
    """A key that is purgeable can be erased at once; any other waits for its time."""
    shown = a_bundle(recoveryLevel=level, recoverableDays=7)
    assert recovery_facts(shown) == {"purge_protected": protected, "recoverable_days": 7}
    without = a_bundle(recoveryLevel=level, recoverableDays=None)
    assert recovery_facts(without) == {"purge_protected": protected, "recoverable_days": None}


@pytest.mark.parametrize(
    ("over", "reason", "detail"),
    [
        ({"recoveryLevel": "Protected"}, "unknown-value", "recoveryLevel: found 'Protected'"),
        ({"recoveryLevel": None}, "malformed", "recoveryLevel: found nothing, expected a text"),
        ({"recoverableDays": "90"}, "malformed", "recoverableDays: found '90', expected a number"),
        ({"recoverableDays": True}, "malformed", "recoverableDays: found true, expected a number"),
    ],
)
def test_recovery_is_never_guessed(over: dict[str, Any], reason: str, detail: str) -> None:
    """A level that is not known, or days that are no number, are no answer."""
    assert problem(recovery_facts, a_bundle(**over)) == (reason, detail)


def test_region_is_in_a_header() -> None:
    """The region is what the header says, in lower case."""
    assert region_facts(a_bundle(region="EastUS2")) == {"region": "eastus2"}
    for header in ("", "east us", "eastus, westus", "é"):
        reason, detail = problem(region_facts, a_bundle(region=header))
        assert (reason, detail[:21]) == ("malformed", "x-ms-keyvault-region:")


# --- rotation -------------------------------------------------------------------------------------

AFTER = {"timeAfterCreate": "P90D"}
BEFORE = {"timeBeforeExpiry": "P30D"}


@pytest.mark.parametrize(
    ("actions", "expiry", "facts"),
    [
        ([("Rotate", AFTER)], None, (True, 90)),
        ([("rOTATE", AFTER), ("Notify", BEFORE)], None, (True, 90)),
        ([("Rotate", {"timeAfterCreate": "P3M", "timeBeforeExpiry": None})], None, (True, 92)),
        ([("Rotate", {"timeAfterCreate": "P1Y"})], "P2Y", (True, 365)),
        ([("Rotate", BEFORE)], "P1Y", (True, 335)),
        ([("Rotate", AFTER), ("Rotate", {"timeAfterCreate": "P30D"})], None, (True, 30)),
        ([("Rotate", AFTER), ("Extend", {})], None, (True, 90)),
        ([("Notify", BEFORE)], None, (False, None)),
        ([("notify", {})], "P1Y", (False, None)),
    ],
)
def test_policy_that_rotates(actions: Any, expiry: str | None, facts: tuple[bool, int]) -> None:  # noqa: ANN401
    """A policy rotates a key if an action does; a notification alone rotates nothing."""
    shown = rotation_facts(policy(*actions, attributes={"expiryTime": expiry}))
    assert shown == {"rotation_enabled": facts[0], "rotation_days": facts[1]}


def test_policy_without_actions_rotates_nothing() -> None:
    """An empty list of actions is a policy that does nothing."""
    shown = rotation_facts({"lifetimeActions": []})
    assert shown == {"rotation_enabled": False, "rotation_days": None}


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        ({}, "malformed", "lifetimeActions: found nothing, expected a list"),
        (
            {"lifetimeActions": ["Rotate"]},
            "malformed",
            "lifetimeActions: found 'Rotate', expected objects",
        ),
        (
            {"lifetimeActions": [{"trigger": AFTER}]},
            "malformed",
            "action: found nothing, expected an object",
        ),
        (
            {"lifetimeActions": [{"action": {"type": 1}}]},
            "malformed",
            "type: found 1, expected a text",
        ),
        (
            {"lifetimeActions": [{"action": {"type": "Rotate"}}]},
            "malformed",
            "trigger: found nothing, expected an object",
        ),
        (policy(("Extend", AFTER)), "unknown-value", "action: found 'Extend'"),
        (policy(("Rotate", {})), "malformed", "trigger: found an empty mapping, expected one time"),
        (
            policy(("Rotate", AFTER | BEFORE)),
            "malformed",
            "trigger: found a mapping of 2, expected one time",
        ),
        (
            policy(("Rotate", {"timeAfterCreate": "90 days"})),
            "malformed",
            "timeAfterCreate: found '90 days', expected a duration such as P90D",
        ),
        (
            policy(("Rotate", {"timeAfterCreate": 90})),
            "malformed",
            "timeAfterCreate: found 90, expected a duration such as P90D",
        ),
        (
            policy(("Rotate", {"timeAfterCreate": "P0D"})),
            "malformed",
            "trigger: found no time before the expiry",
        ),
        (
            policy(("Rotate", BEFORE)),
            "malformed",
            "expiryTime: found nothing, expected a duration such as P90D",
        ),
        (
            policy(("Rotate", BEFORE), attributes=None),
            "malformed",
            "expiryTime: found nothing, expected a duration such as P90D",
        ),
        (
            policy(("Rotate", BEFORE), attributes={"expiryTime": "P30D"}),
            "malformed",
            "trigger: found no time before the expiry",
        ),
    ],
)
def test_policy_is_never_guessed(body: dict[str, Any], reason: str, detail: str) -> None:
    """A policy that cannot be understood, or never fires, is neither on nor off."""
    assert problem(rotation_facts, body) == (reason, detail)


@pytest.mark.parametrize("values", list(product((True, False, None), repeat=2)))
def test_worst_answer_counts(values: tuple[bool | None, bool | None]) -> None:
    """Of several answers a no counts most, then one that is missing."""
    expected = False if False in values else None if None in values else True
    assert worst_of(values) is expected
