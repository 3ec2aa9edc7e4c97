"""Reads keys of Google Cloud KMS: the key, its versions, and who has a role on it.

All is read from the recorded answers of the plain REST interface, which names states and purposes;
Google's own client asks for numbers instead.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import ValidationError

from inventory.clouds.answers import KeyReading, json_object, member
from inventory.clouds.requests import CloudRequest
from inventory.errors import UnansweredError
from inventory.evidence.exchange import retry_after
from inventory.files.validation import problems_of
from inventory.model.base import is_identifier, read_moment
from inventory.model.key_ids import canonical
from inventory.model.kms import KeyVersion, RoleBinding
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from inventory.clouds.client import CloudClient
    from inventory.clouds.config import CloudSettings, GoogleSettings
    from inventory.evidence.exchange import Exchange
    from inventory.model.kms import CloudKey, KmsFact

HOST = "cloudkms.googleapis.com"
_OK = 200
_WRAPS = "ENCRYPT_DECRYPT"
_PURPOSES = frozenset(
    {
        _WRAPS,
        "RAW_ENCRYPT_DECRYPT",
        "ASYMMETRIC_SIGN",
        "ASYMMETRIC_DECRYPT",
        "MAC",
        "KEY_ENCAPSULATION",
        "AES_WRAPPING",
    }
)
_LEVELS = frozenset({"SOFTWARE", "HSM", "HSM_SINGLE_TENANT", "EXTERNAL", "EXTERNAL_VPC"})
_USABLE = "ENABLED"
_TO_BE_DESTROYED = "DESTROY_SCHEDULED"
_STATES = frozenset(
    {
        _USABLE,
        _TO_BE_DESTROYED,
        "DISABLED",
        "DESTROYED",
        "PENDING_GENERATION",
        "PENDING_IMPORT",
        "IMPORT_FAILED",
        "GENERATION_FAILED",
        "PENDING_EXTERNAL_DESTRUCTION",
        "EXTERNAL_DESTRUCTION_FAILED",
    }
)
_JUSTIFICATIONS = "keyAccessJustificationsPolicy"
_POLICY_VERSIONS = frozenset({0, 1, 3})
_POLICY_3 = (("options.requestedPolicyVersion", "3"),)
"""Without it, a policy with conditions is shown without them, as if all held always."""

_DAY = 86_400
_LONGEST_PERIOD = 36_500 * _DAY
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)s")
_TIME = re.compile(
    r"(?P<seconds>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})"
)
_CLOCKS_DIFFER = timedelta(hours=1)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
_MISROUTED = "The request concerns location"
_BY_CODE: Mapping[str, str] = {
    "SERVICE_DISABLED": "service-disabled",
    "BILLING_DISABLED": "service-disabled",
    "CONSUMER_SUSPENDED": "service-disabled",
    "CONSUMER_INVALID": "service-disabled",
    "USER_PROJECT_DENIED": "service-disabled",
    "RATE_LIMIT_EXCEEDED": "rate-limited",
    "RESOURCE_QUOTA_EXCEEDED": "rate-limited",
}
"""What the reason in the details of an error means, where the status does not say it.

The first five concern the project that the request counts for, which may not be the key's: of the
key they say nothing, so they are no refusal to read it.
"""

_BY_STATUS: Mapping[int, str] = {
    401: "credentials-expired",
    408: "timed-out",
    429: "rate-limited",
    504: "timed-out",
}
_REDIRECT, _FORBIDDEN, _NOT_FOUND, _SERVER_ERROR = 300, 403, 404, 500
_FAILED = 400
_PASSING = frozenset({"timed-out", "rate-limited"})


def read_key(client: CloudClient, key_id: str, settings: CloudSettings) -> CloudKey:
    """Return what Google Cloud shows of a key; a version in its id is left out.

    The versions and who has a role are asked for only if the key was shown, or if reading it was
    refused: then other permissions may be there, and all that are missing are reported at once.
    Nothing in a policy says what it is about, so it counts only beside the key itself.
    """
    reading = KeyReading(key_id)
    key = _Key(client, reading, canonical(key_id), host_of(settings.gcp))
    if key.read():
        key.read_versions()
        key.read_bindings()
    return reading.finish(client)


def host_of(settings: GoogleSettings) -> str:
    """Return the host that is asked, with its port if it has one."""
    return urlsplit(settings.address).netloc.lower() if settings.address else HOST


class _Key:
    """A key that is being read."""

    def __init__(self, client: CloudClient, reading: KeyReading, name: str, host: str) -> None:
        self._client = client
        self._reading = reading
        self._name = name
        self._host = host
        self._primary = ""
        self._can_rotate: bool | None = None
        self._bound: tuple[RoleBinding, ...] | None = None

    def read(self) -> bool:
        """Read the key itself; return whether to ask for more."""
        try:
            exchange, body = self._client.get(self._request(self._name), self._own_answer)
        except UnansweredError as error:
            self._reading.miss("key", error, "cloudkms.cryptoKeys.get")
            return error.reason == "refused"
        self._reading.note("key", exchange)
        self._reading.note("rotation", exchange)
        _, project, _, location, *_ = self._name.split("/")
        self._reading.add(owner=project, region=location)
        for fact, read in self._parts():
            self._reading.attempt(fact, "", partial(read, exchange, body))
        return True

    def _parts(self) -> tuple[tuple[KmsFact, Callable[[Exchange, dict[str, Any]], None]], ...]:
        return (
            ("key", self._read_kind),
            ("key", self._read_state),
            ("key", self._read_creation),
            ("key", self._read_recovery),
            ("rotation", self._read_rotation),
        )

    def _request(
        self, resource: str, parameters: tuple[tuple[str, str], ...] = (), about: str = ""
    ) -> CloudRequest:
        return CloudRequest("gcp", self._host, f"v1/{resource}", parameters, about=about)

    def _own_answer(self, exchange: Exchange) -> tuple[Exchange, dict[str, Any]]:
        """Return the answer, which must be about this key."""
        answer = _answer(exchange)
        shown = member(answer[1], "name", str)
        if shown != self._name:
            raise _foreign(self._name, shown)
        return answer

    def _read_kind(self, _: Exchange, body: dict[str, Any]) -> None:
        purpose = _word(body, "purpose", _PURPOSES)
        self._reading.add(suitable=purpose == _WRAPS)
        level = _word(member(body, "versionTemplate", dict), "protectionLevel", _LEVELS)
        imported = "importOnly" in body and member(body, "importOnly", bool)
        self._reading.add(kind=f"{purpose}, {level}{', import only' if imported else ''}")
        # What is outside of Google's key management cannot be created there by a timer.
        is_outside = imported or level.startswith("EXTERNAL")
        self._can_rotate = purpose == _WRAPS and not is_outside

    def _read_state(self, _: Exchange, body: dict[str, Any]) -> None:
        if "primary" not in body:  # documented to be omitted if there is none
            self._reading.add(enabled=False, state="no primary version")
            return
        primary = member(body, "primary", dict)
        version = self._version_id(primary)
        state = _word(primary, "state", _STATES)
        self._primary = version
        is_limited = state == _USABLE and _JUSTIFICATIONS in body
        self._reading.add(enabled=None if is_limited else state == _USABLE, state=state)
        if state == _TO_BE_DESTROYED:
            self._reading.add(deletion_at=_time(primary, "destroyTime"))
        if is_limited:  # it may refuse every use, or those of somebody else's project
            detail = f"{_JUSTIFICATIONS}: which uses of the key it allows is unknown"
            raise UnansweredError("unknown-value", detail)

    def _read_creation(self, exchange: Exchange, body: dict[str, Any]) -> None:
        self._reading.add(created_at=_past_time(exchange, body, "createTime"))

    def _read_recovery(self, _: Exchange, body: dict[str, Any]) -> None:
        if "destroyScheduledDuration" in body:
            seconds = _seconds(body, "destroyScheduledDuration", 0)
            self._reading.add(recoverable_days=math.floor(seconds / _DAY))

    def _read_rotation(self, _: Exchange, body: dict[str, Any]) -> None:
        """Read the schedule: a period without a next time, or the reverse, does not rotate."""
        days, following = None, None
        if "rotationPeriod" in body:
            days = math.ceil(_seconds(body, "rotationPeriod", _DAY) / _DAY)
        if "nextRotationTime" in body:
            following = _time(body, "nextRotationTime")
        enabled = self._can_rotate if days is not None and following is not None else False
        self._reading.add(rotation_enabled=enabled, rotation_days=days, next_rotation_at=following)
        if enabled is None:
            raise UnansweredError("unknown-value", "whether a key of its kind rotates is unknown")

    def _version_id(self, version: dict[str, Any]) -> str:
        """Return the number of a version, which must be one of this key."""
        name = member(version, "name", str)
        before, _, number = name.rpartition("/cryptoKeyVersions/")
        if before != self._name:
            raise _foreign(self._name, name)
        if not re.fullmatch(r"[1-9][0-9]{0,9}", number, re.ASCII):
            raise _malformed(f"name: found {describe(name)}, expected the number of a version")
        return number

    def read_versions(self) -> None:
        """Read the versions, if all of them are shown."""
        self._reading.attempt(
            "versions", "cloudkms.cryptoKeyVersions.list", self._read_every_version
        )

    def _read_every_version(self) -> None:
        entries = self._pages(f"{self._name}/cryptoKeyVersions", "cryptoKeyVersions")
        flaws: list[UnansweredError] = []
        versions = tuple(self._version(exchange, entry, flaws) for exchange, entry in entries)
        ids = {version.id for version in versions}
        if len(ids) < len(versions):
            raise _malformed("a version is listed twice")
        if self._primary and self._primary not in ids:
            raise UnansweredError("cut-short", f"the primary version {self._primary} is missing")
        self._reading.add(versions=versions, rotated_at=_last_rotation(versions))
        for flaw in flaws[:1]:  # each version may have the same flaw
            self._reading.miss("versions", flaw)

    def _pages(self, resource: str, name: str) -> list[tuple[Exchange, Any]]:
        """Return every entry of a list with its answer; raise UnansweredError if it is not whole.

        Nothing but the number of all entries shows that a list was cut without saying so.
        """
        entries: list[tuple[Exchange, Any]] = []
        token, tokens = "", {""}
        for _ in range(self._client.most_pages):
            parameters = (("pageToken", token),) if token else ()
            exchange, body = self._client.get(self._request(resource, parameters), _answer)
            self._reading.note("versions", exchange)
            entries += [(exchange, entry) for entry in member(body, name, list)]
            token = member(body, "nextPageToken", str) if "nextPageToken" in body else ""
            if token and not is_identifier(token):
                raise _malformed("nextPageToken: found a text that no address can hold")
            if not token:
                _require_all(body, len(entries))
                return entries
            if token in tokens:
                raise UnansweredError(
                    "cut-short", "a page names itself, or an earlier one, as next"
                )
            tokens.add(token)
        raise UnansweredError("cut-short", f"more than {self._client.most_pages:,} pages")

    def _version(
        self, exchange: Exchange, entry: object, flaws: list[UnansweredError]
    ) -> KeyVersion:
        """Return a version; a time that is none is a flaw, and does not hide its state."""
        if not isinstance(entry, dict):
            raise _malformed(f"found {describe(entry)}, expected a version")
        version, state = self._version_id(entry), _word(entry, "state", _STATES)
        created = _unless_flawed(flaws, partial(_past_time, exchange, entry, "createTime"))
        destroy = None
        if state == _TO_BE_DESTROYED:
            destroy = _unless_flawed(flaws, partial(_time, entry, "destroyTime"))
        return KeyVersion(
            id=version,
            state=state,
            usable=state == _USABLE,
            created_at=created,
            destroy_at=destroy,
            is_current=version == self._primary,
        )

    def read_bindings(self) -> None:
        """Read who has a role on the key, and on its key ring; each counts without the other."""
        ring, _, own = self._name.partition("/cryptoKeys/")
        of_key = self._request(f"{self._name}:getIamPolicy", _POLICY_3)
        of_ring = self._request(f"{ring}:getIamPolicy", _POLICY_3, f"cryptoKeys/{own}")
        read_key = partial(self._read_policy, of_key, "key", "bindings")
        read_ring = partial(self._read_policy, of_ring, "key-ring", "ring-bindings")
        self._reading.attempt("bindings", "cloudkms.cryptoKeys.getIamPolicy", read_key)
        self._reading.attempt("ring-bindings", "cloudkms.keyRings.getIamPolicy", read_ring)
        self._reading.add(bindings=self._bound)

    def _read_policy(
        self, request: CloudRequest, on: Literal["key", "key-ring"], fact: KmsFact
    ) -> None:
        """Read a policy. One that was never set is documented to have nothing but its etag."""
        exchange, body = self._client.get(request, _answer)
        self._reading.note(fact, exchange)
        if not member(body, "etag", str):
            raise _malformed("etag: found an empty text, expected one")
        version = member(body, "version", int) if "version" in body else 0
        if version not in _POLICY_VERSIONS:
            raise UnansweredError("unknown-value", f"version: found {version}, which is unknown")
        entries = member(body, "bindings", list) if "bindings" in body else []
        bound = tuple(_binding(on, number, entry) for number, entry in enumerate(entries))
        self._bound = (*(self._bound or ()), *bound)


def _last_rotation(versions: tuple[KeyVersion, ...]) -> datetime | None:
    """Return when the current version was created, if another was before it.

    A newer version which new data is not encrypted by is no rotation.
    """
    created = next((version.created_at for version in versions if version.is_current), None)
    if created is None:
        return None
    is_later = any(other.created_at and other.created_at < created for other in versions)
    return created if is_later else None


def _binding(on: Literal["key", "key-ring"], number: int, entry: object) -> RoleBinding:
    """Return a binding; what is found in one is not repeated, as it may name a person."""
    where = f"bindings[{number}]"
    if not isinstance(entry, dict):
        raise _malformed(f"{where}: expected an object")
    fields: dict[str, object] = {"on": on, "role": entry.get("role")}
    fields["members"] = entry.get("members") or None  # one without members is not documented
    if "condition" in entry:
        condition = entry["condition"]
        expression = condition.get("expression") if isinstance(condition, dict) else None
        if not isinstance(expression, str) or not expression:
            raise _malformed(f"{where}.condition: expected an object with an expression")
        fields["condition"] = expression
    try:
        return RoleBinding.model_validate(fields)
    except ValidationError as error:
        problem = problems_of(error, "", {})[0]
        raise _malformed(f"{where}.{problem.field}: expected {problem.expected}") from None


def _answer(exchange: Exchange) -> tuple[Exchange, dict[str, Any]]:
    """Return an answer with its body; raise UnansweredError for an error."""
    if exchange.status != _OK:
        raise _refusal(exchange)
    return exchange, json_object(exchange)


class _Codes(NamedTuple):
    """The codes of an error in Google's form.

    Attributes:
        status: the name of the status; empty if the error has another form.
        reasons: the reasons in its details.
        is_misrouted: whether the request went to another location than the key's.
    """

    status: str = ""
    reasons: tuple[str, ...] = ()
    is_misrouted: bool = False


def _codes_of(body: object) -> _Codes:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return _Codes()
    details = error.get("details")
    entries = details if isinstance(details, list) else []
    reasons = [_code(entry.get("reason")) for entry in entries if isinstance(entry, dict)]
    return _Codes(
        status=_code(error.get("status")),
        reasons=tuple(sorted(filter(None, reasons))),
        is_misrouted=_MISROUTED in str(error.get("message")),
    )


def _code(value: object) -> str:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def _refusal(exchange: Exchange) -> UnansweredError:
    """Return the error for an answer with another status than 200."""
    status, codes = exchange.status or 0, _codes_of(exchange.value)
    reason = _reason(status, codes)
    is_passing = reason in _PASSING or (reason == "unavailable" and status >= _SERVER_ERROR)
    detail = " ".join(filter(None, (f"answered {status}", codes.status, *codes.reasons)))
    wait = retry_after(exchange) if is_passing else None
    return UnansweredError(reason, detail, again=is_passing, wait=wait)


def _reason(status: int, codes: _Codes) -> str:
    known = [_BY_CODE[reason] for reason in codes.reasons if reason in _BY_CODE]
    if known or status in _BY_STATUS:
        return known[0] if known else _BY_STATUS[status]
    if _REDIRECT <= status < _FAILED:
        return "wrong-address"
    if status == _FORBIDDEN:
        # A gateway's own page is no refusal of Google's, which no permission would change.
        return "refused" if codes.status else "unavailable"
    if status == _NOT_FOUND:
        is_missing = codes.status == "NOT_FOUND" and not codes.is_misrouted
        return "not-found" if is_missing else "wrong-address"
    return "unavailable" if status >= _SERVER_ERROR else "malformed"


def _foreign(name: str, shown: str) -> UnansweredError:
    """Return the error for an answer about ``shown`` instead of ``name``.

    A project has an id and a number. Which number belongs to which id, only another service shows,
    so the key may be the right one, or one of the same names in another project.
    """
    kind, project, rest = name.split("/", 2)
    other_kind, other, other_rest = (*shown.split("/", 2), "", "")[:3]
    is_number = [re.fullmatch(r"[0-9]+", one, re.ASCII) is not None for one in (project, other)]
    is_alike = (kind, rest) == (other_kind, other_rest)
    if is_alike and any(is_number) and not all(is_number):
        detail = f"the key id names the project {project}, the answer {describe(other)}"
        return UnansweredError("unknown-value", f"{detail}: whether these are one is not shown")
    return UnansweredError("foreign-key", f"the answer is about {describe(shown)}")


def _malformed(detail: str) -> UnansweredError:
    return UnansweredError("malformed", detail)


def _require_all(body: dict[str, Any], found: int) -> None:
    """Refuse a list of fewer, or more, entries than its last page counts."""
    if "totalSize" in body and (total := member(body, "totalSize", int)) != found:
        raise UnansweredError("cut-short", f"found {found:,} entries, expected {total:,}")


def _word(body: dict[str, Any], name: str, known: Collection[str]) -> str:
    """Return a word of an enumeration; raise UnansweredError for an unknown one, or a number."""
    value = body.get(name)
    if isinstance(value, str) and value in known:
        return value
    if isinstance(value, str) or type(value) is int:
        detail = f"{name}: found {describe(value)}, which is unknown"
        raise UnansweredError("unknown-value", detail)
    return member(body, name, str)


def _seconds(body: dict[str, Any], name: str, least: int) -> float:
    """Return a duration such as ``7776000s``; raise UnansweredError if it cannot be one."""
    value = member(body, name, str)
    duration = _DURATION.fullmatch(value)
    if not duration or not least <= float(duration[1]) <= _LONGEST_PERIOD:
        raise _malformed(f"{name}: found {describe(value)}, expected a duration such as 7776000s")
    return float(duration[1])


def _time(body: dict[str, Any], name: str) -> datetime:
    """Return a time, which may have nanoseconds; raise UnansweredError if it is none."""
    value = member(body, name, str)
    parts = _TIME.fullmatch(value)
    text = ""
    if parts:
        text = f"{parts['seconds']}.{(parts['fraction'] or '0')[:6]:0<6}{parts['zone']}"
    if (time := read_moment(text)) is None:
        raise _malformed(f"{name}: found {describe(value)}, expected a time with its zone")
    return time


def _past_time(exchange: Exchange, body: dict[str, Any], name: str) -> datetime:
    """Return a time that is not later than the answer; clocks may differ a little."""
    time = _time(body, name)
    if time > exchange.ended + _CLOCKS_DIFFER:
        raise _malformed(f"{name}: found {body[name]}, which is later than the answer")
    return time


def _unless_flawed(flaws: list[UnansweredError], read: Callable[[], datetime]) -> datetime | None:
    try:
        return read()
    except UnansweredError as error:
        flaws.append(error)
        return None
