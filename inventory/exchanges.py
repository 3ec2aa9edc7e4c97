"""One request and its answer, as it is recorded: without secrets, one entry of a list a line."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, StrictBool, ValidationError

from inventory.documents import MOST_NESTED, refuse_constant
from inventory.entries import Count, Entry, FormatVersion, Moment, Whole
from inventory.errors import EvidenceError, Problem, UnansweredError
from inventory.gaps import GapReason
from inventory.problems import problems_of
from inventory.secrets import HIDDEN, Scrubber

HEADERS = ("content-type", "date", "etag", "location", "retry-after", "x-request-id")
"""The answer's headers that are recorded; no other is."""

SENSITIVE = frozenset({"user", "username", "password", "secret", "token", "credentials"})
"""Fields that are never recorded, beside all named ``secureBundle…Url``."""

_FIELD = re.compile(
    rf'"({"|".join(sorted(SENSITIVE))}|securebundle[a-z]*url)"\s*:\s*'
    r'("(?:[^"\\]|\\.)*+"?|[\[{].*|[^\s,}\]]++)',
    re.IGNORECASE | re.DOTALL,
)
_NESTS = (dict, list)
_BODY_LINE = 13
_LONGEST_TEXT = 20_000


class Failure(Entry):
    """Why there is no answer.

    Attributes:
        reason: the reason code of the gap that it leaves.
        detail: what was seen, in words.
        again: whether another attempt may help.
    """

    reason: GapReason
    detail: str
    again: bool = False

    def error(self) -> UnansweredError:
        """Return it as the error that the client knows."""
        return UnansweredError(self.reason, self.detail, again=self.again)


class Exchange(NamedTuple):
    """One request and what came of it.

    Attributes:
        path: the path of its file inside the bundle.
        address: path and parameters of the request, which is always a GET.
        started: when the request was sent, in UTC.
        ended: when the answer was there, or it was clear that there would be none, in UTC.
        status: the answer's status; None if there was no answer.
        headers: the recorded headers, by lower-case name.
        value: the redacted body, if it is JSON; else ``text`` holds what can be shown of it.
        text: the redacted body, if it is not JSON; cut at 20,000 characters.
        redactions: how often each field was redacted.
        failure: why there is no answer.
        body: the redacted body as it is written; empty if that is still to be made of it.
    """

    path: str
    address: str
    started: datetime
    ended: datetime
    status: int | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 (never changed)
    value: Any = None
    text: str | None = None
    redactions: dict[str, int] = {}  # noqa: RUF012 (never changed)
    failure: Failure | None = None
    body: str = ""

    @property
    def outcome(self) -> str:
        """Return the status, or the reason code of the failure."""
        return outcome_of(self.status, self.failure)

    def seen(self, index: int | None = None) -> str:
        """Return file and line of the body, or of the list's entry at ``index``."""
        return f"{self.path}:{_BODY_LINE + (0 if index is None else index + 1)}"

    def clock_difference(self) -> float | None:
        """Return by how many seconds the server's clock is ahead; None if it does not say.

        The server's time has whole seconds, so that less than one second means nothing.
        """
        try:
            told = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError, TypeError, OverflowError):
            return None
        told = told.replace(tzinfo=UTC) if told.tzinfo is None else told
        early, late = (self.started - told).total_seconds(), (self.ended - told).total_seconds()
        return 0.0 if early <= 1 and late >= 0 else round(-min(early, late, key=abs), 1)


def outcome_of(status: int | None, failure: Failure | None) -> str:
    """Return the status of an answer, or the reason code of there being none."""
    return str(status) if failure is None else failure.reason


class _DuplicateKeyError(ValueError):
    """An object names a key twice."""


class _Reader:
    """Reads JSON, and blanks sensitive fields on the way."""

    def __init__(self) -> None:
        self.redactions: Counter[str] = Counter()
        self._plain: set[str] = set()
        self._decode = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=refuse_constant,
            parse_float=_finite,
        ).decode

    def read(self, text: str) -> Any:  # noqa: ANN401 (whatever the body holds)
        value = self._decode(text)
        if _is_deep(value):
            raise RecursionError
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _DuplicateKeyError
        if not found.keys() <= self._plain:
            for name in found.keys() - self._plain:
                self._look_at(found, name)
        return found

    def _look_at(self, found: dict[str, Any], name: str) -> None:
        """Blank the field if it is sensitive; else remember that all of this name are plain."""
        if not _is_sensitive(name):
            self._plain.add(name)
        elif found[name]:
            found[name] = HIDDEN
            self.redactions[name] += 1


def _is_sensitive(name: str) -> bool:
    low = name.lower()
    return low in SENSITIVE or (low.startswith("securebundle") and low.endswith("url"))


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else refuse_constant(digits)


def _is_deep(value: object) -> bool:
    """Say whether ``value`` is nested so deep that reading it again might fail."""
    level: list[Any] = [value]
    for _ in range(MOST_NESTED):
        level = [
            inner
            for each in level
            if isinstance(each, _NESTS)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, _NESTS)
        ]
        if not level:
            return False
    return True


class Redacted(NamedTuple):
    """A body without secrets; the fields are those of an exchange."""

    value: Any
    text: str | None
    redactions: dict[str, int]
    body: str


def redact(body: bytes, scrubber: Scrubber) -> Redacted:
    """Return what may be recorded of ``body``; the text is None if it is JSON."""
    try:
        reader = _Reader()
        value = reader.read(body.decode("utf-8"))
        return _scrubbed(value, reader.redactions, scrubber)
    except (ValueError, RecursionError):
        text, redactions = _shown(body.decode("utf-8", errors="backslashreplace"), scrubber)
        return Redacted(None, text, redactions, compact(text))


def _shown(text: str, scrubber: Scrubber) -> tuple[str, dict[str, int]]:
    """Return what can be shown of a text that is no JSON, though parts of it may look like it."""
    redactions: Counter[str] = Counter()

    def blank(field: re.Match[str]) -> str:
        redactions[field[1]] += 1
        return f'"{field[1]}": "{HIDDEN}"'

    shown = scrubber.scrub(_FIELD.sub(blank, text))
    return shown[:_LONGEST_TEXT], dict(sorted(redactions.items()))


def _scrubbed(
    value: Any,  # noqa: ANN401 (whatever the body holds)
    redactions: Counter[str],
    scrubber: Scrubber,
) -> Redacted:
    told, body = dict(sorted(redactions.items())), _written(value)
    if scrubber.is_clean(body):
        return Redacted(value, None, told, body)
    clean = _deep(value, scrubber)
    return Redacted(clean, None, told | {"(secrets in texts)": 1}, _written(clean))


def _deep(value: Any, scrubber: Scrubber) -> Any:  # noqa: ANN401 (as above)
    if isinstance(value, str):
        return scrubber.scrub(value)
    if isinstance(value, list):
        return [_deep(each, scrubber) for each in value]
    if isinstance(value, dict):
        return {scrubber.scrub(name): _deep(each, scrubber) for name, each in value.items()}
    return value


compact = json.JSONEncoder(separators=(",", ":")).encode
"""Renders JSON in one line of ASCII."""


def render(exchange: Exchange) -> bytes:
    """Return the content of an exchange's file: a field a line, the body last."""
    body = exchange.body or _written(exchange.value if exchange.text is None else exchange.text)
    failure = exchange.failure.model_dump() if exchange.failure else None
    fields = (
        ("cmek-exchange", "1"),
        ("method", '"GET"'),
        ("address", compact(exchange.address)),
        ("started", compact(stamp(exchange.started))),
        ("ended", compact(stamp(exchange.ended))),
        ("status", compact(exchange.status)),
        ("failure", compact(failure)),
        ("headers", compact(exchange.headers)),
        ("redactions", compact(exchange.redactions)),
        ("json", compact(exchange.text is None)),
        ("sha256", compact(hashlib.sha256(body.encode("ascii")).hexdigest())),
        ("body", body),
    )
    lines = ",\n".join(f'"{name}": {value}' for name, value in fields)
    return f"{{\n{lines}\n}}\n".encode("ascii")


def _written(value: Any) -> str:  # noqa: ANN401 (as above)
    """Return a body as it is written: JSON in one line, of a list one entry a line."""
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(compact, value)) + "\n]"
    return compact(value)


def stamp(time: datetime) -> str:
    """Render a UTC time to the microsecond."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _File(Entry):
    """The content of an exchange's file."""

    format: Annotated[FormatVersion, Field(alias="cmek-exchange")]
    method: Literal["GET"]
    address: Annotated[str, Field(pattern=r"^/[!-~]*$")]
    started: Moment
    ended: Moment
    status: Annotated[Whole, Field(ge=100, le=999)] | None
    failure: Failure | None
    headers: dict[str, str]
    redactions: dict[str, Count]
    json_: Annotated[StrictBool, Field(alias="json")]
    sha256: str
    body: Any


def parse(path: str, raw: bytes) -> Exchange:
    """Read back what ``render`` has written; raise EvidenceError if it is anything else.

    ``path`` is the path inside the bundle.
    """
    try:
        exchange = _exchange(path, _File.model_validate(json.loads(raw)))
        is_own = render(exchange) == raw
    except ValidationError as error:
        raise EvidenceError(problems_of(error, path, {(): 1})) from None
    except (ValueError, RecursionError):
        raise EvidenceError([Problem(path, 0, "", "no JSON", "a recorded exchange")]) from None
    if not is_own:
        found, expected = "content that is not its own", "an exchange exactly as it was written"
        raise EvidenceError([Problem(path, 0, "", found, expected)])
    return exchange


def _exchange(path: str, file: _File) -> Exchange:
    return Exchange(
        path=path,
        address=file.address,
        started=file.started,
        ended=file.ended,
        status=file.status,
        headers=file.headers,
        value=file.body if file.json_ else None,
        text=None if file.json_ else str(file.body),
        redactions=file.redactions,
        failure=file.failure,
    )
