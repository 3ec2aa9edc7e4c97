"""The two transports of a live audit: one records what was said, one says it again."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections import defaultdict, deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx

from inventory.errors import ForbiddenRequestError, ReplayError
from inventory.exchanges import HEADERS, Exchange, Failure, redact, render

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from inventory.secrets import Scrubber


class Brief(NamedTuple):
    """What is kept of an exchange that is written.

    Attributes:
        path: its file inside the bundle.
        address: what was asked.
        outcome: the status, or the reason code of the failure.
        ended: when it was over.
        clock: by how many seconds Astra's clock was ahead; None if it did not say.
        sha256: the hash of its file.
        redactions: how many fields were redacted.
        is_failure: whether there was no answer, or one of status 400 or more.
    """

    path: str
    address: str
    outcome: str
    ended: datetime
    clock: float | None
    sha256: str
    redactions: int
    is_failure: bool


def brief_of(exchange: Exchange, sha256: str) -> Brief:
    """Return what is kept of ``exchange``, whose file has the hash ``sha256``."""
    return Brief(
        exchange.path,
        exchange.address,
        exchange.outcome,
        exchange.ended,
        exchange.clock_difference(),
        sha256,
        sum(exchange.redactions.values()),
        exchange.status is None or exchange.status >= _FAILED,
    )


EXCHANGE = "cmek-exchange"
"""The name under which a response carries its exchange."""

_LONGEST_HEADER = 500
_GZIP = zlib.MAX_WBITS | 16
_FAILED = 400
TOO_LATE = Failure(reason="timed-out", detail="the time for the audit was over")
"""What is recorded of a request for which there was no time."""


class Limits(NamedTuple):
    """What one request may cost.

    Attributes:
        seconds: from its first to its last byte.
        body: the largest body, in bytes, after decompression.
        deadline: the time of the event loop's clock at which the organization's time is over.
    """

    seconds: float
    body: int
    deadline: float


class LanesTransport(httpx.AsyncBaseTransport):
    """As many connections as are needed at once, each kept alive in a pool of its own.

    A pool of httpx looks at all its connections for every request, twice.
    """

    def __init__(self, connect: Callable[[], httpx.AsyncBaseTransport]) -> None:
        """Make each connection by ``connect``."""
        self._connect = connect
        self._all: list[httpx.AsyncBaseTransport] = []
        self._idle: list[httpx.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send by a connection that is idle, else by a new one, until the answer is closed."""
        lane = self._idle.pop() if self._idle else self._new()
        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            self._idle.append(lane)
            raise
        body = cast("httpx.AsyncByteStream", response.stream)
        response.stream = _Lane(body, lambda: self._idle.append(lane))
        return response

    def _new(self) -> httpx.AsyncBaseTransport:
        lane = self._connect()
        self._all.append(lane)
        return lane

    async def aclose(self) -> None:
        """Close all connections."""
        for lane in self._all:
            await lane.aclose()


class _Lane(httpx.AsyncByteStream):
    """A body that says when its connection is idle again."""

    def __init__(self, body: httpx.AsyncByteStream, release: Callable[[], None]) -> None:
        self._body = body
        self._release = release

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        await self._body.aclose()
        self._release()


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
        limits: Limits,
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
        return _response(exchange)

    def _guard(self, request: httpx.Request) -> None:
        url, own = request.url, self._address
        if request.method != "GET":
            raise ForbiddenRequestError(f"{request.method}: an audit only reads")
        if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
            raise ForbiddenRequestError(f"{url.host}: an audit speaks to {own.host} alone")

    async def _told(self, request: httpx.Request) -> dict[str, Any]:
        """Return what is to be recorded of the answer, or of there being none."""
        if request.extensions.get("too-late") or time_left(self._limits) <= 0:
            return {"failure": TOO_LATE}
        try:
            async with asyncio.timeout(min(self._limits.seconds, time_left(self._limits))):
                response = await self._inner.handle_async_request(request)
                try:
                    return await self._read(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            return {"failure": self._out_of_time()}
        except httpx.HTTPError as error:
            return {"failure": self._failure(error)}

    def _out_of_time(self) -> Failure:
        if time_left(self._limits) <= 0:
            return TOO_LATE
        detail = f"no whole answer within {self._limits.seconds:g} s"
        return Failure(reason="timed-out", detail=detail, again=True)

    def _failure(self, error: httpx.HTTPError) -> Failure:
        kind = type(error).__name__
        if isinstance(error, httpx.DecodingError):
            return Failure(reason="malformed", detail=f"the body cannot be unpacked: {kind}")
        if isinstance(error, httpx.RemoteProtocolError) and "complete" in str(error):
            return Failure(reason="cut-short", detail="the answer broke off", again=True)
        return Failure(reason="unavailable", detail=f"no answer: {kind}", again=True)

    async def _read(self, response: httpx.Response) -> dict[str, Any]:
        if "," in response.headers.get("content-encoding", ""):
            detail = "a body packed several times"
            return {"failure": Failure(reason="malformed", detail=detail)}
        body = bytearray()
        async for chunk in _unpacked(response, self._limits.body + 1):
            body += chunk
            if len(body) > self._limits.body:
                detail = f"a body of more than {self._limits.body:,} bytes"
                return {"failure": Failure(reason="malformed", detail=detail)}
        return {
            "status": response.status_code,
            "headers": self._headers(response.headers),
            **redact(bytes(body), self._scrubber)._asdict(),
        }

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
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from None
    if not unpacker.eof:
        raise httpx.DecodingError("the packed body ends early")
    if unpacker.unused_data:
        raise httpx.DecodingError("more follows the packed body")


class ReplayingTransport(httpx.AsyncBaseTransport):
    """Answers from recorded exchanges, each once and in the order of their files.

    Attributes:
        briefs: what is kept of each of them.
    """

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        """Keep ``exchanges`` by address."""
        self.briefs: list[Brief] = []
        self._waiting: dict[str, deque[Exchange]] = defaultdict(deque)
        for exchange in sorted(exchanges, key=lambda each: by_number(each.path)):
            self._waiting[exchange.address].append(exchange)
            sha256 = hashlib.sha256(render(exchange)).hexdigest()
            self.briefs.append(brief_of(exchange, sha256))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the next recorded response; raise ReplayError if there is none."""
        address = request.url.raw_path.decode("ascii")
        if not self._waiting[address]:
            raise ReplayError(f"GET {address}: asked, and not recorded")
        return _response(self._waiting[address].popleft())

    def settle(self) -> None:
        """Raise ReplayError if anything was recorded that nobody asked for."""
        left = [each for waiting in self._waiting.values() for each in waiting]
        if left:
            first = min(left, key=lambda each: by_number(each.path))
            raise ReplayError(f"{first.path}: recorded, and not asked for: GET {first.address}")


def _response(exchange: Exchange) -> httpx.Response:
    if exchange.failure is not None:
        raise exchange.failure.error()
    status = exchange.status or 0
    return httpx.Response(status, headers=exchange.headers, extensions={EXCHANGE: exchange})


def by_number(path: str) -> tuple[int, str]:
    """Return what sorts the files of an organization by their numbers, however many there are."""
    return len(path), path


def time_left(limits: Limits) -> float:
    """Return how many seconds the organization has left."""
    return limits.deadline - asyncio.get_running_loop().time()


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
