"""One request and its answer, as they are recorded; and their file in evidence of version 1."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field, StrictBool, ValidationError

from inventory.errors import EvidenceError, Problem, UnansweredError
from inventory.files.validation import problems_of
from inventory.model.base import Count, Entry, FormatVersion, Moment, WholeNumber
from inventory.model.gaps import CloudReason
from inventory.text.canonical_json import compact_json, format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = (
    "content-type",
    "date",
    "etag",
    "location",
    "retry-after",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-ms-keyvault-region",
    "x-ms-request-id",
    "x-request-id",
)
"""The headers of an answer that are recorded; no other is."""

_BODY_LINE = 13
"""The line of an exchange's file on which the body begins."""


class Failure(Entry):
    """Why there is no answer.

    Attributes:
        reason: the reason code of the gap that it causes.
        detail: what happened, in words.
        again: whether another attempt may help.
    """

    reason: CloudReason
    detail: str
    again: bool = False

    def error(self) -> UnansweredError:
        """Return the failure as the error that the client handles."""
        return UnansweredError(self.reason, self.detail, again=self.again)


TOO_LATE = Failure(reason="timed-out", detail="the time limit of the audit was reached")
"""What is recorded of a request for which no time was left."""


class Exchange(NamedTuple):
    """One request and what came of it.

    Attributes:
        path: the path of the file inside the bundle that holds it.
        address: the path and parameters of the request, which is always a GET. Of a request to a
            cloud it begins with cloud and host: ``/aws/kms.us-east-1.amazonaws.com/ListGrants?…``.
        started: when the request was sent, in UTC.
        ended: when the answer was complete, or given up, in UTC.
        status: the answer's status; None if there was no answer.
        headers: the recorded headers, by lower-case name.
        value: the redacted body, if it is JSON; else it is in ``text``.
        text: the redacted body, if it is not JSON; cut at 20,000 characters.
        redactions: how often each field was redacted, by its name.
        failure: why there is no answer.
        body: the redacted body as it is on its line; empty if it has not been rendered yet.
        line: its line in the file; 0 if the file holds nothing else, as in version 1.
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
    line: int = 0

    @property
    def outcome(self) -> str:
        """Return the status, or the reason code of the failure."""
        return outcome_of(self.status, self.failure)

    @property
    def place(self) -> str:
        """Return the file that holds it, with its line there unless it holds nothing else."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def location(self, index: int | None = None) -> str:
        """Return the file and line of the answer; in version 1, of its list entry at ``index``."""
        line = self.line or _BODY_LINE + (0 if index is None else index + 1)
        return f"{self.path}:{line}"

    def clock_difference(self) -> float | None:
        """Return by how many seconds the server's clock is ahead; None if it sends no valid date.

        The date has whole seconds, so a difference of less than one second means nothing.
        """
        try:
            date = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError, TypeError, OverflowError):
            return None
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        early, late = (self.started - date).total_seconds(), (self.ended - date).total_seconds()
        return 0.0 if early <= 1 and late >= 0 else round(-min(early, late, key=abs), 1)


def outcome_of(status: int | None, failure: Failure | None) -> str:
    """Return the status of an answer, or the reason code if there is none."""
    return str(status) if failure is None else failure.reason


def retry_after(exchange: Exchange) -> float | None:
    """Return how many seconds ``Retry-After`` asks to wait; None if it is absent or unreadable."""
    header = exchange.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return float(
            header[:9]
        )  # a number of any length: cut, it is still longer than any deadline
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max(0.0, (until - exchange.ended).total_seconds())


def render_exchange(exchange: Exchange) -> bytes:
    """Render the file of an exchange of version 1: one field a line, the body last."""
    body = _serialize_body(exchange.value if exchange.text is None else exchange.text)
    failure = exchange.failure.model_dump() if exchange.failure else None
    fields = (
        ("cmek-exchange", "1"),
        ("method", '"GET"'),
        ("address", compact_json(exchange.address)),
        ("started", compact_json(format_timestamp(exchange.started))),
        ("ended", compact_json(format_timestamp(exchange.ended))),
        ("status", compact_json(exchange.status)),
        ("failure", compact_json(failure)),
        ("headers", compact_json(exchange.headers)),
        ("redactions", compact_json(exchange.redactions)),
        ("json", compact_json(exchange.text is None)),
        ("sha256", compact_json(hashlib.sha256(body.encode("ascii")).hexdigest())),
        ("body", body),
    )
    lines = ",\n".join(f'"{name}": {value}' for name, value in fields)
    return f"{{\n{lines}\n}}\n".encode("ascii")


def _serialize_body(value: Any) -> str:  # noqa: ANN401 (whatever the body holds)
    """Render a body as JSON in one line, a list with one entry a line.

    So every entry has a line to which a finding can refer.
    """
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(compact_json, value)) + "\n]"
    return compact_json(value)


class ExchangeFields(Entry):
    """The fields of a recorded exchange beside its body, in any version."""

    format: Annotated[int, Field(alias="cmek-exchange")]
    method: Literal["GET"]
    address: Annotated[str, Field(pattern=r"^/[!-~]*$")]
    started: Moment
    ended: Moment
    status: Annotated[WholeNumber, Field(ge=100, le=999)] | None
    failure: Failure | None
    headers: dict[str, str]
    redactions: dict[str, Count]
    json_: Annotated[StrictBool, Field(alias="json")]
    sha256: str

    def exchange(self, path: str, value: Any, text: str | None, **more: Any) -> Exchange:  # noqa: ANN401 (whatever the body holds)
        """Return the exchange in the file ``path``, whose body is ``value``, or ``text``."""
        return Exchange(
            path=path,
            address=self.address,
            started=self.started,
            ended=self.ended,
            status=self.status,
            headers=self.headers,
            value=value,
            text=text,
            redactions=self.redactions,
            failure=self.failure,
            **more,
        )


class ExchangeFile(ExchangeFields):
    """The content of an exchange's file in version 1."""

    format: Annotated[FormatVersion, Field(alias="cmek-exchange")]
    body: Any


def parse_exchange(path: str, raw: bytes) -> Exchange:
    """Read back what ``render_exchange`` has written; raise EvidenceError for anything else.

    ``path`` is the path inside the bundle.
    """

    def build() -> Exchange:
        file = ExchangeFile.model_validate(json.loads(raw))
        value, text = (file.body, None) if file.json_ else (None, str(file.body))
        return file.exchange(path, value, text)

    return read_back(path, raw, build, render_exchange)


def read_back(
    path: str,
    raw: bytes,
    build: Callable[[], Exchange],
    render: Callable[[Exchange], bytes],
    line: int = 0,
) -> Exchange:
    """Return the exchange that ``build`` makes of ``raw``, which is the ``line`` of a file.

    Raises EvidenceError, with the place, if ``raw`` is none, or not what ``render`` makes of it.
    """
    try:
        exchange = build()
        # What renders to the same bytes holds nothing that was not written.
        is_unchanged = render(exchange) == raw
    except ValidationError as error:
        raise EvidenceError(problems_of(error, path, {(): line or 1})) from None
    except (ValueError, RecursionError):
        raise EvidenceError([Problem(path, line, "", "no JSON", "a recorded exchange")]) from None
    if not is_unchanged:
        found, expected = "changed content", "an unchanged exchange"
        raise EvidenceError([Problem(path, line, "", found, expected)])
    return exchange
