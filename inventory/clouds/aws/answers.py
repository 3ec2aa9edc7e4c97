"""What answers of AWS's key management mean: whose key, which error, words, times, policies."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.clouds.answers import member
from inventory.clouds.requests import CloudRequest
from inventory.errors import UnansweredError
from inventory.evidence.exchange import retry_after
from inventory.files.documents import refuse_constant
from inventory.model.base import read_moment
from inventory.text.canonical_json import compact_json
from inventory.text.display import describe
from inventory.text.secrets import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from inventory.clouds.config import CloudSettings
    from inventory.evidence.exchange import Exchange
    from inventory.model.gaps import CloudReason
    from inventory.model.kms import KmsFact

READS: Mapping[str, KmsFact] = {
    "DescribeKey": "key",
    "GetKeyRotationStatus": "rotation",
    "ListKeyRotations": "rotations",
    "GetKeyPolicy": "policy",
    "ListGrants": "grants",
    "ListAliases": "aliases",
    "GetKeyLastUsage": "last-use",
}
"""Every operation that is sent, and the fact that it shows; it takes the permission of its name."""

_OWN_ACCOUNT = frozenset({"ListKeyRotations", "GetKeyPolicy", "ListAliases", "GetKeyLastUsage"})
"""The operations that AWS answers only to credentials of the key's own account."""


def words(text: str) -> frozenset[str]:
    """Return the words of ``text``, as a set."""
    return frozenset(text.split())


_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
OK = 200
UNSUPPORTED = "UnsupportedOperationException"
_LONGEST_MARKER = 1_024
_SKEW = 240.0  # AWS accepts a signature for five minutes
_BACK = timedelta(days=1)  # how far this machine's clock may be behind
_AHEAD = timedelta(days=3_653)  # AWS rotates after 2,560 days at most; all else comes earlier

# --- what a key is --------------------------------------------------------------------------------


class AwsKey(NamedTuple):
    """The parts of a key's ARN.

    Attributes:
        arn: the whole ARN.
        partition: its partition.
        region: its region.
        account: the account that owns the key.
        id: the key's id in its account and region.
        is_mapped: whether the settings name a profile or a role for the account.
    """

    arn: str
    partition: str
    region: str
    account: str
    id: str
    is_mapped: bool

    def request(self, operation: str, *parameters: tuple[str, str]) -> CloudRequest:
        """Return the request for ``operation`` about the key, always by its full ARN."""
        suffix = _SUFFIXES.get(self.partition, "amazonaws.com")
        host = f"kms.{self.region}.{suffix}"
        named = (("KeyId", self.arn), *parameters)
        return CloudRequest("aws", host, operation, named, self.account)

    def require_same(self, value: object) -> None:
        """Raise UnansweredError unless ``value`` is the key's ARN or id."""
        if value not in (self.arn, self.id):
            raise UnansweredError("foreign-key", "the answer is about another key")


def key_of(arn: str, settings: CloudSettings) -> AwsKey:
    """Return the parts of a key's ARN, which has the form of one."""
    _, partition, _, region, account, name = arn.split(":", 5)
    is_mapped = account in settings.aws.accounts
    return AwsKey(arn, partition, region, account, name.partition("/")[2], is_mapped)


# --- errors ---------------------------------------------------------------------------------------

_CODES: Mapping[CloudReason, str] = {
    "refused": "AccessDeniedException AccessDenied",
    "credentials-expired": (
        "ExpiredTokenException ExpiredToken RequestExpired UnrecognizedClientException "
        "InvalidClientTokenId InvalidSignatureException SignatureDoesNotMatch IncompleteSignature "
        "IncompleteSignatureException MissingAuthenticationToken "
        "MissingAuthenticationTokenException"
    ),
    "region-disabled": "OptInRequired RegionDisabledException",
    "rate-limited": (
        "ThrottlingException Throttling ThrottledException TooManyRequestsException "
        "RequestLimitExceeded"
    ),
    "unavailable": (
        "KMSInternalException DependencyTimeoutException InternalFailure InternalServerError "
        "ServiceUnavailable ServiceUnavailableException IDPCommunicationError"
    ),
    "not-found": "NotFoundException InvalidArnException",
    "cut-short": "InvalidMarkerException",
    "not-recorded": (
        f"KMSInvalidStateException {UNSUPPORTED} UnknownOperationException InvalidAction"
    ),
}
"""The codes of errors, by the reason code of the gap that they cause."""

_REASONS = {code: reason for reason, codes in _CODES.items() for code in codes.split()}
_RETRYABLE = frozenset({"rate-limited", "unavailable"})
_DATED = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"})
_UNKNOWN_CALLER = frozenset({"UnrecognizedClientException", "InvalidClientTokenId"})
_CODE = re.compile(r"(?:.*#)?([A-Za-z][A-Za-z0-9.]{2,79})(?::.*)?", re.ASCII | re.DOTALL)

_ALWAYS_ON = words(
    "us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1 eu-north-1 eu-central-1 "
    "eu-west-1 eu-west-2 eu-west-3 ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 "
    "ap-southeast-1 ap-southeast-2"
)
"""The regions of the partition ``aws`` that no account can switch off."""


def reason_of(code: str, status: int) -> CloudReason:
    """Return the reason code for an error of AWS by its code, else by its HTTP status."""
    if code in _REASONS:
        return _REASONS[code]
    by_status: dict[int, CloudReason] = {404: "wrong-address", 429: "rate-limited"}
    by_class: dict[int, CloudReason] = {3: "wrong-address", 5: "unavailable"}
    unknown: CloudReason = "unknown-value" if code else "malformed"
    return by_status.get(status) or by_class.get(status // 100) or unknown


def is_retryable(reason: str) -> bool:
    """Say whether another attempt may help after an error."""
    return reason in _RETRYABLE


def error_code(exchange: Exchange) -> str:
    """Return the code of an error of AWS; empty if the answer holds none."""
    body = exchange.value if isinstance(exchange.value, dict) else {}
    found = (body.get("__type"), body.get("code"), exchange.headers.get("x-amzn-errortype"))
    matches = (_CODE.fullmatch(text) for text in found if isinstance(text, str))
    return next((match[1] for match in matches if match), "")


def error_of(exchange: Exchange, operation: str, key: AwsKey) -> UnansweredError:
    """Return what an answer with an error means for reading ``key``; it names no caller."""
    code, status = error_code(exchange), exchange.status or 0
    reason = reason_of(code, status)
    hint = ""
    if code in _DATED and abs(exchange.clock_difference() or 0) > _SKEW:
        reason = "clock-differs"
    elif code in _UNKNOWN_CALLER and key.partition == "aws" and key.region not in _ALWAYS_ON:
        reason = "region-disabled"
        hint = f": {key.region} is off unless it was switched on, or the credentials are not valid"
    elif not key.is_mapped and operation in _OWN_ACCOUNT and reason == "not-found":
        # The key itself was shown, so it is there: credentials of another account do not see this.
        reason = "refused"
    if reason == "refused":
        hint = _how_to_map(operation, key)
    detail = f"answered {status} {code or 'without an error code of AWS'}{hint}"
    wait = retry_after(exchange)
    return UnansweredError(reason, detail, again=is_retryable(reason), wait=wait)


def _how_to_map(operation: str, key: AwsKey) -> str:
    if key.is_mapped:
        return f": to the credentials that the organizations file names for account {key.account}"
    need = ", which reading it takes" if operation in _OWN_ACCOUNT else ""
    return f": the organizations file maps account {key.account} to no profile or role{need}"


# --- members of answers ---------------------------------------------------------------------------


def malformed(name: str, found: object, expected: str) -> UnansweredError:
    """Return the error for a member that is not as documented."""
    return UnansweredError("malformed", f"{name}: found {describe(found)}, expected {expected}")


def word_of(body: Mapping[str, Any], name: str, known: Collection[str]) -> str:
    """Return a word of a list that AWS documents; another one is unknown, and never guessed."""
    word = member(body, name, str)
    if word not in known:
        raise UnansweredError("unknown-value", f"{name}: found {describe(word)}")
    return word


def _time(body: Mapping[str, Any], name: str, latest: datetime) -> datetime:
    """Return a time, which AWS writes as seconds since 1970; raise UnansweredError if it is none.

    A time after ``latest`` is impossible: what is past is not still to come, and nothing is
    planned for milliseconds that were read as seconds.
    """
    seconds = body.get(name)
    expected = "a possible time, in seconds since 1970"
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise malformed(name, seconds, expected)
    try:
        time = read_moment(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        time = None
    if time is None or time > latest:
        raise malformed(name, seconds, expected)
    return time


def past(body: Mapping[str, Any], name: str, exchange: Exchange) -> datetime:
    """Return the time of what has happened before the answer."""
    return _time(body, name, exchange.ended + _BACK)


def future(body: Mapping[str, Any], name: str, exchange: Exchange) -> datetime:
    """Return the time of what is to happen, as AWS plans it: within some years."""
    return _time(body, name, exchange.ended + _AHEAD)


def days_of(body: Mapping[str, Any], name: str, possible: range) -> int:
    """Return a number of days in the range that AWS documents."""
    days = member(body, name, int)
    if days not in possible:
        raise malformed(name, days, f"{possible[0]} to {possible[-1]} days")
    return days


# --- lists and policies --------------------------------------------------------------------------


def next_marker(body: Mapping[str, Any]) -> str | None:
    """Return where the next page begins; None if there is none."""
    is_truncated = member(body, "Truncated", bool)
    marker = body.get("NextMarker")
    if not is_truncated:
        if marker is None:
            return None
        raise UnansweredError("cut-short", "the answer names a next page, but calls the list whole")
    if not isinstance(marker, str) or not marker:
        raise UnansweredError("cut-short", "the list goes on, but the answer names no next page")
    if len(marker) > _LONGEST_MARKER:
        raise UnansweredError("malformed", f"NextMarker: found {len(marker):,} characters")
    return marker


class _RepeatedNameError(ValueError):
    """An object of a policy names a member twice, and nothing documents which one counts."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _RepeatedNameError
    return members


def policy_document(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the key policy ``name``, which comes as JSON in a text."""
    text = member(body, "Policy", str)
    if body.get("PolicyName", name) != name:
        raise malformed("PolicyName", body["PolicyName"], name)
    if HIDDEN in text:
        raise UnansweredError("malformed", "Policy: a part of it is hidden, as it holds a secret")
    try:
        document = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=refuse_constant,
            parse_float=refuse_constant,
        )
        compact_json(document)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise malformed("Policy", text, "a JSON object without repeated names")
    return document


def statements(document: Mapping[str, Any]) -> list[Any]:
    """Return the statements of a policy, of which a single one needs no list."""
    found = document.get("Statement")
    if not isinstance(found, list | dict):
        raise malformed("Statement", found, "the statements of a policy")
    return found if isinstance(found, list) else [found]
