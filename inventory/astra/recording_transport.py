"""The transport of a live audit: it limits, redacts and records every answer."""

from __future__ import annotations

import asyncio
import zlib
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx

from inventory.astra.replay_transport import recorded_response
from inventory.errors import ForbiddenRequestError, UnansweredError, too_large
from inventory.evidence.compressed_lines import LONGEST_BODY
from inventory.evidence.exchange import HEADERS, TOO_LATE, Exchange, Failure
from inventory.evidence.redaction import Redacted, redact_body

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from inventory.system.request_policy import RequestPolicy
    from inventory.text.secrets import Scrubber

_LONGEST_HEADER = 500

_GZIP = zlib.MAX_WBITS | 16

_SIGNS_OF_VALUES = (b",", b"{", b"[")
"""Each value in a JSON body has one before it, so counting them needs no parser."""

_REMEMBERED = 8
"""How many bodies are remembered, and how many headers."""

_LONGEST_REMEMBERED = 1_048_576

_SECONDS_A_BYTE = 1e-6

_SECONDS_A_VALUE = 5e-6
"""What it may take to parse an answer, measured at its worst; an ordinary one takes a twentieth."""


class RequestLimits(NamedTuple):
    """The limits of one request, and of all requests of an organization.

    Attributes:
        seconds: the time of one request, from its first to its last byte.
        body: the largest body, in bytes, after decompression.
        values: how many values the largest body may hold.
        deadline: the time of the event loop's clock at which the organization's time ends.
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


def request_limits(policy: RequestPolicy, deadline: float) -> RequestLimits:
    """Return the limits that ``policy`` sets for one organization until ``deadline``."""
    return RequestLimits(
        seconds=policy.timeout_seconds,
        body=policy.largest_answer_bytes,
        values=policy.largest_answer_values,
        deadline=deadline,
        requests=policy.most_requests,
        answers=policy.most_answer_bytes,
        evidence=policy.most_evidence_bytes,
    )


class RecordingTransport(httpx.AsyncBaseTransport):
    """Sends a request and records its answer, or why there is none; sends nothing harmful.

    Only GET passes, and only to the configured host. A redirect is an answer like any other and is
    not followed. Nothing of a response is kept but what is recorded, so no cookie is.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        address: httpx.URL,
        record: Callable[[Exchange], object],
        scrubber: Scrubber,
        limits: RequestLimits,
        file: str,
    ) -> None:
        """Send by ``inner`` to ``address`` only, and pass every exchange to ``record``.

        They are the lines of ``file``, in the order in which they end.
        """
        self._inner = inner
        self._address = address
        self._record = record
        self._scrubber = scrubber
        self._limits = limits
        self._redact_body = _Remembering(scrubber)
        # Most headers are those of the answer before.
        self._redact_header = lru_cache(_REMEMBERED)(self._scrub_header)
        self._count = 0
        self._file = file
        self._sent_requests = 0
        self._received_bytes = 0
        self._evidence_bytes = 0
        self._parsing_seconds = 0.0

    def seconds_left(self) -> float:
        """Return how many seconds are left to send requests in.

        The answers are parsed later, in the same time: what that may take is set aside.
        """
        now = asyncio.get_running_loop().time()
        return self._limits.deadline - now - self._parsing_seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the recorded response; raise UnansweredError if there is none."""
        self._refuse_forbidden(request)
        address = request.url.raw_path.decode("ascii")
        started = datetime.now(UTC)
        outcome = await self._try(request)
        self._count += 1
        fields = outcome | {"line": self._count}
        exchange = Exchange(self._file, address, started, datetime.now(UTC), **fields)
        self._record(exchange)
        return recorded_response(exchange)

    def _refuse_forbidden(self, request: httpx.Request) -> None:
        url, host = request.url, self._address
        if request.method != "GET":
            raise ForbiddenRequestError(f"{request.method}: an audit only reads")
        if (url.scheme, url.host, url.port) != (host.scheme, host.host, host.port):
            raise ForbiddenRequestError(f"{url.host}: an audit sends requests to {host.host} only")

    async def _try(self, request: httpx.Request) -> dict[str, Any]:
        """Send ``request``; return the fields of its exchange that say what came of it."""
        if request.extensions.get("too-late") or self.seconds_left() <= 0:
            return {"failure": TOO_LATE}
        try:
            self._sent_requests += 1
            self._check_limits()
            async with asyncio.timeout(min(self._limits.seconds, self.seconds_left())):
                response = await self._inner.handle_async_request(request)
                try:
                    body = await self._read_body(response)
                finally:
                    await response.aclose()
            return self._redact(response, body)
        except TimeoutError:
            return {"failure": self._timeout_failure()}
        except UnansweredError as error:
            fields = {"reason": error.reason, "detail": error.detail, "again": error.again}
            return {"failure": Failure.model_validate(fields)}

    def _check_limits(self) -> None:
        """Raise UnansweredError if the organization has exceeded one of its limits."""
        limits = self._limits
        if self._sent_requests > limits.requests:
            raise _limit_exceeded(limits.requests, "requests", "most_requests")
        if self._received_bytes > limits.answers:
            raise _limit_exceeded(limits.answers, "bytes in all answers", "most_answer_bytes")
        if self._evidence_bytes > limits.evidence:
            raise _limit_exceeded(limits.evidence, "bytes of evidence", "most_evidence_bytes")

    def _timeout_failure(self) -> Failure:
        if self.seconds_left() <= 0:
            return TOO_LATE
        detail = f"no complete answer within {self._limits.seconds:g} s"
        return Failure(reason="timed-out", detail=detail, again=True)

    async def _read_body(self, response: httpx.Response) -> bytes:
        # Each layer can multiply the size by a thousand: what is limited below is only the last.
        if "," in response.headers.get("content-encoding", ""):
            raise UnansweredError("malformed", "the body is compressed more than once")
        limits = self._limits
        body = bytearray()
        async for chunk in _decompress(response, limits.body + 1):
            body += chunk
            self._received_bytes += len(chunk)
            if len(body) > limits.body:
                raise _limit_exceeded(limits.body, "bytes in one answer", "largest_answer_bytes")
            self._check_limits()
        return bytes(body)

    def _redact(self, response: httpx.Response, body: bytes) -> dict[str, Any]:
        """Return the answer without secrets, if time and limits allow to parse and record it.

        Parsing cannot be interrupted, so the time that it may take is compared with what is left
        before it begins, and again afterwards, as the machine may have been busy.
        """
        values = sum(map(body.count, _SIGNS_OF_VALUES))
        if values > self._limits.values:
            raise _limit_exceeded(
                self._limits.values, "values in one answer", "largest_answer_values"
            )
        if len(body) * _SECONDS_A_BYTE + values * _SECONDS_A_VALUE > self.seconds_left():
            return {"failure": TOO_LATE}
        redacted = self._redact_body(body)
        self._parsing_seconds += values * _SECONDS_A_VALUE
        if self.seconds_left() <= 0:
            return {"failure": TOO_LATE}
        if len(redacted.body) > LONGEST_BODY:
            what = "bytes of evidence of one answer"
            raise _limit_exceeded(LONGEST_BODY, what, "largest_answer_bytes")
        self._evidence_bytes += len(redacted.body)
        self._check_limits()
        headers = self._redact_headers(response.headers)
        return {"status": response.status_code, "headers": headers, **redacted._asdict()}

    def _redact_headers(self, headers: httpx.Headers) -> dict[str, str]:
        recorded = {name: headers[name] for name in HEADERS if name in headers}
        return {name: self._redact_header(value) for name, value in recorded.items()}

    def _scrub_header(self, value: str) -> str:
        text = value.encode("ascii", "backslashreplace").decode()
        # Scrubbed before it is cut: half of a token at the end would not be recognized.
        return self._scrubber.scrub(text)[:_LONGEST_HEADER]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class _Remembering:
    """Redacts bodies, and remembers the last ones: a list that is read twice may be the same."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._known: dict[bytes, Redacted] = {}

    def __call__(self, body: bytes) -> Redacted:
        if len(body) > _LONGEST_REMEMBERED:
            return redact_body(body, self._scrubber)
        digest = sha256(body).digest()  # the body itself may hold secrets, and is not kept
        if digest not in self._known:
            self._known[digest] = redact_body(body, self._scrubber)
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        return self._known[digest]


def _limit_exceeded(most: int, what: str, setting: str) -> UnansweredError:
    return too_large(f"more than {most:,} {what}", setting)


async def _decompress(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """Yield a body piece by piece, none larger than ``most``.

    A small piece can decompress to a huge one, which must not be in memory before it is refused.
    """
    stream = cast("httpx.AsyncByteStream", response.stream)
    if response.headers.get("content-encoding", "identity").lower() not in {"gzip", "x-gzip"}:
        async for chunk in stream:
            yield chunk
        return
    decompressor = zlib.decompressobj(_GZIP)
    async for chunk in stream:
        try:
            yield decompressor.decompress(chunk, most)
        except zlib.error:
            raise UnansweredError("malformed", "the body cannot be decompressed") from None
    if not decompressor.eof:
        raise UnansweredError("malformed", "the compressed body ends early")
    if decompressor.unused_data:
        raise UnansweredError("malformed", "data follows the compressed body")
