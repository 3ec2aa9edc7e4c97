"""The transport of a live audit: it limits, redacts and records every answer."""

from __future__ import annotations

import asyncio
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx

from inventory.errors import ForbiddenRequestError, UnansweredError, too_large
from inventory.evidence.exchange import HEADERS, Exchange, Failure
from inventory.evidence.redaction import redact_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from inventory.astra.config import RequestPolicy
    from inventory.text.secrets import Scrubber
from inventory.astra.replay_transport import response_of

_LONGEST_HEADER = 500

_GZIP = zlib.MAX_WBITS | 16

_SIGNS_OF_VALUES = (b",", b"{", b"[")

_SECONDS_A_BYTE = 1e-6

_SECONDS_A_VALUE = 5e-6
"""What it may take to understand an answer, as measured; of ordinary ones it is a twentieth."""

TOO_LATE = Failure(reason="timed-out", detail="the time for the audit was over")
"""What is recorded of a request for which there was no time."""


class RequestLimits(NamedTuple):
    """What may be spent: on one request, and on all of an organization.

    Attributes:
        seconds: of one request, from its first to its last byte.
        body: the largest body, in bytes, after decompression.
        values: how many values the largest body may hold.
        deadline: the time of the event loop's clock at which the organization's time is over.
        requests: how many requests may be sent for the organization.
        answers: how many bytes all its answers may have, after decompression.
        evidence: how many bytes may be written of it.
    """

    seconds: float
    body: int
    values: int
    deadline: float
    requests: int
    answers: int
    evidence: int


def request_limits(manners: RequestPolicy, deadline: float) -> RequestLimits:
    """Return the limits that ``manners`` set for one organization until ``deadline``."""
    return RequestLimits(
        seconds=manners.timeout_seconds,
        body=manners.largest_answer_bytes,
        values=manners.largest_answer_values,
        deadline=deadline,
        requests=manners.most_requests,
        answers=manners.most_answer_bytes,
        evidence=manners.most_evidence_bytes,
    )


class RecordingTransport(httpx.AsyncBaseTransport):
    """Sends a request, and records what came of it; lets nothing through that could do harm.

    Only GET passes, and only to the configured host. Redirects are answers like any other: nothing
    follows them. Of a response nothing is kept but what is recorded, so that no cookie is.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        address: httpx.URL,
        record: Callable[[Exchange], object],
        scrubber: Scrubber,
        limits: RequestLimits,
        folder: str,
    ) -> None:
        """Send by ``inner`` to ``address`` alone, and give every exchange to ``record``.

        Files are numbered in ``folder``, in the order in which the requests begin.
        """
        self._inner = inner
        self._address = address
        self._record = record
        self._scrubber = scrubber
        self._limits = limits
        self._count = 0
        self._folder = folder
        self._sent = 0
        self._answered = 0
        self._written = 0
        self._owed = 0.0

    def left(self) -> float:
        """Return how many seconds are left to ask in.

        Understanding what was answered comes later and takes its time, too.
        """
        return self._limits.deadline - asyncio.get_running_loop().time() - self._owed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the recorded response; raise UnansweredError if there is none."""
        self._guard(request)
        self._count += 1
        path = f"{self._folder}/{self._count:04}.json"
        address = request.url.raw_path.decode("ascii")
        started = datetime.now(UTC)
        told = await self._told(request)
        exchange = Exchange(path, address, started, datetime.now(UTC), **told)
        self._record(exchange)
        return response_of(exchange)

    def _guard(self, request: httpx.Request) -> None:
        url, own = request.url, self._address
        if request.method != "GET":
            raise ForbiddenRequestError(f"{request.method}: an audit only reads")
        if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
            raise ForbiddenRequestError(f"{url.host}: an audit speaks to {own.host} alone")

    async def _told(self, request: httpx.Request) -> dict[str, Any]:
        """Return what is to be recorded of the answer, or of there being none."""
        if request.extensions.get("too-late") or self.left() <= 0:
            return {"failure": TOO_LATE}
        try:
            self._sent += 1
            self._require_room()
            async with asyncio.timeout(min(self._limits.seconds, self.left())):
                response = await self._inner.handle_async_request(request)
                try:
                    body = await self._body(response)
                finally:
                    await response.aclose()
            return self._understood(response, body)
        except TimeoutError:
            return {"failure": self._out_of_time()}
        except UnansweredError as error:
            told = {"reason": error.reason, "detail": error.detail, "again": error.again}
            return {"failure": Failure.model_validate(told)}

    def _require_room(self) -> None:
        """Raise UnansweredError if the organization has had more than it may have."""
        limits = self._limits
        if self._sent > limits.requests:
            raise _more_than(limits.requests, "requests", "most_requests")
        if self._answered > limits.answers:
            raise _more_than(limits.answers, "bytes in all answers", "most_answer_bytes")
        if self._written > limits.evidence:
            raise _more_than(limits.evidence, "bytes of evidence", "most_evidence_bytes")

    def _out_of_time(self) -> Failure:
        if self.left() <= 0:
            return TOO_LATE
        detail = f"no whole answer within {self._limits.seconds:g} s"
        return Failure(reason="timed-out", detail=detail, again=True)

    async def _body(self, response: httpx.Response) -> bytes:
        if "," in response.headers.get("content-encoding", ""):
            raise UnansweredError("malformed", "a body packed several times")
        limits = self._limits
        body = bytearray()
        async for chunk in _unpacked(response, limits.body + 1):
            body += chunk
            self._answered += len(chunk)
            if len(body) > limits.body:
                raise _more_than(limits.body, "bytes in one answer", "largest_answer_bytes")
            self._require_room()
        return bytes(body)

    def _understood(self, response: httpx.Response, body: bytes) -> dict[str, Any]:
        """Return the answer without secrets, if there are time and room to go on with it."""
        values = sum(map(body.count, _SIGNS_OF_VALUES))
        if values > self._limits.values:
            raise _more_than(self._limits.values, "values in one answer", "largest_answer_values")
        if len(body) * _SECONDS_A_BYTE + values * _SECONDS_A_VALUE > self.left():
            return {"failure": TOO_LATE}
        told = redact_body(body, self._scrubber)._asdict()
        self._owed += values * _SECONDS_A_VALUE
        if self.left() <= 0:
            return {"failure": TOO_LATE}
        self._written += len(told["body"])
        self._require_room()
        headers = self._headers(response.headers)
        return {"status": response.status_code, "headers": headers, **told}

    def _headers(self, headers: httpx.Headers) -> dict[str, str]:
        kept = {name: headers[name] for name in HEADERS if name in headers}
        return {
            name: self._scrubber.scrub(value.encode("ascii", "backslashreplace").decode())[
                :_LONGEST_HEADER
            ]
            for name, value in kept.items()
        }

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _more_than(most: int, what: str, setting: str) -> UnansweredError:
    return too_large(f"more than {most:,} {what}", setting)


async def _unpacked(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """Yield a body piece by piece, none larger than ``most``: a small packed one can be huge."""
    stream = cast("httpx.AsyncByteStream", response.stream)
    if response.headers.get("content-encoding", "identity").lower() not in {"gzip", "x-gzip"}:
        async for chunk in stream:
            yield chunk
        return
    unpacker = zlib.decompressobj(_GZIP)
    async for packed in stream:
        try:
            yield unpacker.decompress(packed, most)
        except zlib.error:
            raise UnansweredError("malformed", "the body cannot be unpacked") from None
    if not unpacker.eof:
        raise UnansweredError("malformed", "the packed body ends early")
    if unpacker.unused_data:
        raise UnansweredError("malformed", "more follows the packed body")


def wait_asked(exchange: Exchange) -> float | None:
    """Return how many seconds ``Retry-After`` asks to wait; None if it does not say."""
    told = exchange.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        until = parsedate_to_datetime(told)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max(0.0, (until - exchange.ended).total_seconds())
