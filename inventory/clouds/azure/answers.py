"""Parses what Azure Key Vault answers: facts about a key, or why there are none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.clouds.answers import json_object, member
from inventory.errors import UnansweredError
from inventory.evidence.exchange import retry_after
from inventory.model.base import read_moment
from inventory.text.display import describe
from inventory.text.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from inventory.evidence.exchange import Exchange
    from inventory.text.durations import Duration

_REGION = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_CLOCKS = timedelta(minutes=5)
"""By how much the clocks of Azure and of this machine may differ."""

_OK = 200
_REDIRECTS = range(300, 400)
_REFUSED = {
    401: ("credentials-expired", False),
    403: ("refused", False),
    408: ("timed-out", True),
    409: ("not-found", True),  # a key that is being deleted, or recovered
    429: ("rate-limited", True),
}
"""The reason code of an answer by its status, and whether another attempt may help."""

_NOT_FOUND = 404
_SERVER_ERROR = 500
_BY_NETWORK = ("ForbiddenByConnection", "ForbiddenByFirewall")
_CODES = frozenset(
    {
        "AccessDenied",
        "Forbidden",
        "ForbiddenByPolicy",
        "ForbiddenByRbac",
        "KeyNotFound",
        "ObjectIsBeingDeleted",
        "ObjectIsBeingRecovered",
        "ObjectIsDeletedButRecoverable",
        "Throttled",
        "Unauthorized",
        *_BY_NETWORK,
    }
)
"""The codes of errors that are repeated in a detail; any other may be anybody's text."""

_IS_PROTECTED = {
    "Purgeable": False,
    "Recoverable+Purgeable": False,
    "Recoverable": True,
    "Recoverable+ProtectedSubscription": True,
    "CustomizedRecoverable+Purgeable": False,
    "CustomizedRecoverable": True,
    "CustomizedRecoverable+ProtectedSubscription": True,
}
"""Whether nobody can erase a deleted key before its time, by its recovery level."""

_WRAPPING_KINDS = frozenset({"RSA", "RSA-HSM", "oct-HSM"})
_KINDS = _WRAPPING_KINDS | {"EC", "EC-HSM"}
_WRAPPING = frozenset({"wrapKey", "unwrapKey"})


class Bundle(NamedTuple):
    """An answer about one version of a key.

    Attributes:
        exchange: the recorded answer.
        body: what it holds.
        key: its member about the key itself.
        attributes: its member about validity and recovery.
        version: the version.
        is_in_hsm: whether it comes from a Managed HSM, and not from a vault.
    """

    exchange: Exchange
    body: dict[str, Any]
    key: dict[str, Any]
    attributes: dict[str, Any]
    version: str
    is_in_hsm: bool


class Validity(NamedTuple):
    """Whether and when a version of a key can be used.

    Attributes:
        enabled: whether it is switched on.
        starts_at: from when on it wraps other keys; None if from its creation on.
        expires_at: from when on it wraps no more.
        created_at: when it was created; old versions do not show it.
    """

    enabled: bool
    starts_at: datetime | None
    expires_at: datetime | None
    created_at: datetime | None

    def state(self, now: datetime) -> str:
        """Return the state at ``now``: Azure's own words, and those for a time outside."""
        if not self.enabled:
            return "disabled"
        if self.starts_at and self.starts_at > now:
            return "not-yet-valid"
        return "expired" if self.expires_at and self.expires_at <= now else "enabled"


RANK: Mapping[bool | None, int] = {False: 0, None: 1, True: 2}
"""How good an answer to a question is; None is one that is missing."""


def worst_of(values: Iterable[bool | None]) -> bool | None:
    """Return False if one of ``values`` is, else None if one is missing, else True."""
    return min(values, key=lambda value: RANK[value])


def parse_answer(exchange: Exchange) -> dict[str, Any]:
    """Return the body of an answer; raise UnansweredError for a refusal."""
    status = exchange.status or 0
    if status == _OK:
        return json_object(exchange)
    codes = _error_codes(exchange.value)
    detail = " ".join((f"answered {status}", *codes))
    if status in _REDIRECTS:
        raise UnansweredError("wrong-address", f"{detail}, and redirects are not followed")
    if status >= _SERVER_ERROR:
        reason, again = "unavailable", True
    elif (status, "KeyNotFound" in codes) == (_NOT_FOUND, True):
        reason, again = "not-found", False
    else:
        reason, again = _REFUSED.get(status, ("malformed", False))
    raise UnansweredError(reason, detail, again=again, wait=retry_after(exchange))


def is_by_network(error: UnansweredError) -> bool:
    """Say whether a vault refused a request for where it came from, and not for who sent it."""
    return any(code in error.detail for code in _BY_NETWORK)


def _error_codes(body: object) -> list[str]:
    """Return the known codes of an error, the outer one first."""
    codes = []
    error = body.get("error") if isinstance(body, dict) else None
    while isinstance(error, dict):
        codes.append(error.get("code"))
        error = error.get("innererror")
    return [code for code in codes if isinstance(code, str) and code in _CODES]


def validity_facts(bundle: Bundle) -> dict[str, Any]:
    """Return whether a version can be used now: when the request was sent."""
    validity = validity_of(bundle.attributes, bundle.exchange)
    state = validity.state(bundle.exchange.started)
    return {"enabled": state == "enabled", "state": state, "expires_at": validity.expires_at}


def validity_of(attributes: Mapping[str, Any], exchange: Exchange) -> Validity:
    """Return the validity that the attributes of a version show."""
    validity = Validity(
        enabled=member(attributes, "enabled", bool),
        starts_at=parse_time(attributes, "nbf"),
        expires_at=parse_time(attributes, "exp"),
        created_at=parse_time(attributes, "created"),
    )
    if validity.created_at and validity.created_at > exchange.ended + _CLOCKS:
        raise UnansweredError("malformed", "created: found a time after the answer")
    return validity


def parse_time(body: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time that may be missing; it is a whole number of seconds since 1970."""
    if body.get(name) is None:
        return None
    seconds = member(body, name, int)
    try:
        time = read_moment(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        time = None
    if time is None:
        raise UnansweredError("malformed", f"{name}: found {describe(seconds)}, expected a time")
    return time


def kind_facts(bundle: Bundle) -> dict[str, Any]:
    """Return the kind of a key."""
    kind = member(bundle.key, "kty", str)
    if kind not in _kinds(bundle):
        place = "a Managed HSM" if bundle.is_in_hsm else "a vault"
        detail = f"kty: found {describe(kind)}, expected a kind of key in {place}"
        raise UnansweredError("unknown-value", detail)
    return {"kind": kind}


def suitability_facts(bundle: Bundle) -> dict[str, Any]:
    """Return whether a key can wrap and unwrap other keys; nothing if its kind is not known."""
    kind = str(bundle.key.get("kty"))
    if kind not in _kinds(bundle):
        return {}
    if kind not in _WRAPPING_KINDS:
        return {"suitable": False}
    operations = member(bundle.key, "key_ops", list)
    if not all(isinstance(operation, str) for operation in operations):
        raise UnansweredError("malformed", "key_ops: found other values, expected texts")
    return {"suitable": set(operations) >= _WRAPPING}


def _kinds(bundle: Bundle) -> frozenset[str]:
    """Return the kinds of keys that there are: only a Managed HSM has symmetric ones."""
    return _KINDS if bundle.is_in_hsm else _KINDS - {"oct-HSM"}


def recovery_facts(bundle: Bundle) -> dict[str, Any]:
    """Return whether a deleted key is kept for its time, and for how long."""
    level = member(bundle.attributes, "recoveryLevel", str)
    if level not in _IS_PROTECTED:
        raise UnansweredError("unknown-value", f"recoveryLevel: found {describe(level)}")
    days = None
    if bundle.attributes.get("recoverableDays") is not None:
        days = member(bundle.attributes, "recoverableDays", int)
    return {"purge_protected": _IS_PROTECTED[level], "recoverable_days": days}


def region_facts(bundle: Bundle) -> dict[str, Any]:
    """Return the region, which only a header shows."""
    region = bundle.exchange.headers.get("x-ms-keyvault-region", "").lower()
    if not _REGION.fullmatch(region):
        detail = f"x-ms-keyvault-region: found {describe(region or None)}, expected a region"
        raise UnansweredError("malformed", detail)
    return {"region": region}


def rotation_facts(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether a rotation policy rotates the key, and after how many days at most."""
    triggers = _rotation_triggers(member(body, "lifetimeActions", list))
    days = min((_days(trigger, _expiry(body)) for trigger in triggers), default=None)
    return {"rotation_enabled": bool(triggers), "rotation_days": days}


def _rotation_triggers(actions: Sequence[object]) -> list[dict[str, Any]]:
    """Return what makes the key rotate; raise UnansweredError for unknown actions alone."""
    triggers, unknown = [], []
    for action in actions:
        if not isinstance(action, dict):
            detail = f"lifetimeActions: found {describe(action)}, expected objects"
            raise UnansweredError("malformed", detail)
        kind = member(member(action, "action", dict), "type", str)
        if kind.lower() == "rotate":
            triggers.append(member(action, "trigger", dict))
        elif kind.lower() != "notify":
            unknown.append(kind)
    if unknown and not triggers:
        raise UnansweredError("unknown-value", f"action: found {describe(unknown[0])}")
    return triggers


def _expiry(body: Mapping[str, Any]) -> object:
    """Return after which duration new versions expire; None if they do not."""
    attributes = body.get("attributes")
    return attributes.get("expiryTime") if isinstance(attributes, dict) else None


def _days(trigger: Mapping[str, Any], expiry: object) -> int:
    """Return after how many days a trigger rotates a version, at most."""
    after, before = trigger.get("timeAfterCreate"), trigger.get("timeBeforeExpiry")
    if (after is None) == (before is None):
        detail = f"trigger: found {describe(trigger)}, expected one time"
        raise UnansweredError("malformed", detail)
    if after is None:
        # Without an expiry no version ever comes near to one, and nothing rotates.
        duration = _duration(expiry, "expiryTime").minus(_duration(before, "timeBeforeExpiry"))
    else:
        duration = _duration(after, "timeAfterCreate")
    if duration.most_days <= 0:
        raise UnansweredError("malformed", "trigger: found no time before the expiry")
    return duration.most_days


def _duration(value: object, name: str) -> Duration:
    duration = parse_duration(value) if isinstance(value, str) else None
    if duration is None:
        detail = f"{name}: found {describe(value)}, expected a duration such as P90D"
        raise UnansweredError("malformed", detail)
    return duration
