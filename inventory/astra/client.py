"""Asks Astra for one organization: a request at a time, again where that may help."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from inventory.astra.parsing import NOT_FOUND
from inventory.astra.recording_transport import TOO_LATE, wait_asked
from inventory.astra.replay_transport import EXCHANGE
from inventory.errors import UnansweredError
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from inventory.astra.config import RequestPolicy
    from inventory.evidence.exchange import Exchange

T = TypeVar("T")
_OK = 200
_TOO_MANY = 429
_BROKEN = 500
_REDIRECTED = range(300, 400)
_WHY = {
    401: ("refused", "the token is not taken, or lacks a permission"),
    403: ("refused", "the token lacks a permission, or an IP access list bars this machine"),
    NOT_FOUND: ("wrong-address", "there is nothing at this address"),
    _TOO_MANY: ("rate-limited", "too many requests"),
}


class ClientContext(NamedTuple):
    """By what means an organization is asked.

    Attributes:
        transport: what sends, or says again, each request.
        address: the host, such as ``https://api.astra.datastax.com``.
        manners: how often and how patiently.
        slots: how many requests may be under way in all.
        sleep: waits that many seconds.
        left: tells how many seconds are left for the organization.
    """

    transport: httpx.AsyncBaseTransport
    address: str
    manners: RequestPolicy
    slots: asyncio.Semaphore
    sleep: Callable[[float], Awaitable[None]]
    left: Callable[[], float]


class AstraClient:
    """Asks for one organization by the means that it was given.

    Attributes:
        width: how many requests may be under way for it at once.
        most_pages: how many pages one reading of a list may have.
    """

    def __init__(self, ways: ClientContext) -> None:
        """Ask by ``ways``."""
        self.width = ways.manners.connections_per_organization
        self.most_pages = ways.manners.most_pages
        self._ways = ways
        self._own = asyncio.Semaphore(self.width)

    async def ask(
        self, address: str, read: Callable[[Exchange], T], also: Collection[int] = ()
    ) -> T:
        """Return what ``read`` makes of the answer to a GET of ``address``.

        Any status but 200 is an error, unless it is in ``also``; so is a body that is no JSON.
        Raises UnansweredError after as many attempts as manners allow.
        """
        wish = _RetryingRequest(self, address, also)
        attempts = AsyncRetrying(
            stop=stop_after_attempt(self._ways.manners.attempts),
            wait=self._wait,
            sleep=wish.pause,
            retry=retry_if_exception(_may_help),
            reraise=True,
        )
        try:
            return await attempts(wish.attempt, read)
        except UnansweredError as error:
            raise wish.conclude(error) from None

    async def once(self, address: str, *, is_late: bool) -> Exchange:
        """Return one exchange; raise UnansweredError if there is no answer."""
        request = httpx.Request(
            "GET",
            f"{self._ways.address}{address}",
            headers={"Accept": "application/json"},
            extensions={"too-late": is_late},
        )
        async with self._own, self._ways.slots:
            response = await self._ways.transport.handle_async_request(request)
        exchange: Exchange = response.extensions[EXCHANGE]
        return exchange

    def _wait(self, state: RetryCallState) -> float:
        """Return the seconds before the next attempt: longer each time, or as Astra asks."""
        manners = self._ways.manners
        error = state.outcome.exception() if state.outcome else None
        longer: float = manners.first_wait_seconds * 2.0 ** (state.attempt_number - 1)
        jittered = random.uniform(0.5, 1) * min(manners.longest_wait_seconds, longer)  # noqa: S311 (no secret hangs on it)
        asked = error.wait if isinstance(error, UnansweredError) else None
        return max(asked or 0.0, jittered)

    async def sleep(self, seconds: float) -> bool:
        """Wait, if there is time for it; return whether there was."""
        if seconds >= self._ways.left():
            return False
        await self._ways.sleep(seconds)
        return True


class _RetryingRequest:
    """One address, in all attempts to have it answered."""

    def __init__(self, line: AstraClient, address: str, also: Collection[int]) -> None:
        self._line = line
        self._address = address
        self._also = also
        self._is_late = False
        self._error: UnansweredError | None = None

    async def attempt(self, read: Callable[[Exchange], T]) -> T:
        try:
            exchange = await self._line.once(self._address, is_late=self._is_late)
            _refuse(exchange, self._also)
            return read(exchange)
        except UnansweredError as error:
            self._is_late = error.detail == TOO_LATE.detail
            if not self._is_late:
                self._error = error
            raise

    async def pause(self, seconds: float) -> None:
        self._is_late = not await self._line.sleep(seconds)

    def conclude(self, error: UnansweredError) -> UnansweredError:
        """Return the error with the address; the last one that Astra had a part in."""
        known = self._error or error
        late = ", and there was no time to ask again" if known is not error else ""
        return UnansweredError(known.reason, f"GET {self._address}: {known.detail}{late}")


def _may_help(error: BaseException) -> bool:
    return isinstance(error, UnansweredError) and error.again


def _refuse(exchange: Exchange, also: Collection[int]) -> None:
    """Raise UnansweredError for every answer that is not what was asked for."""
    status = exchange.status or 0
    if status != _OK and status not in also:
        raise _refused(exchange, status)
    kind = exchange.headers.get("content-type", "nothing").partition(";")[0].strip().lower()
    if status == _OK and kind != "application/json" and not kind.endswith("+json"):
        detail = f"answered as {describe(kind)}, expected application/json"
        raise UnansweredError("malformed", detail, again=True)
    if status == _OK and exchange.text is not None:
        detail = "answered with a body that is no whole JSON with each key once"
        raise UnansweredError("malformed", detail, again=True)


def _refused(exchange: Exchange, status: int) -> UnansweredError:
    said = _said(exchange.value)
    if status in _REDIRECTED:
        return UnansweredError("wrong-address", f"answered {status}, a redirect: none is followed")
    if status in _WHY or status < _BROKEN:
        reason, why = _WHY.get(status, ("malformed", "no documented status"))
        wait = wait_asked(exchange) if status == _TOO_MANY else None
        detail = f"answered {status}{said}: {why}"
        return UnansweredError(reason, detail, again=status == _TOO_MANY, wait=wait)
    detail = f"answered {status}{said}"
    return UnansweredError("unavailable", detail, again=True, wait=wait_asked(exchange))


def _said(value: Any) -> str:  # noqa: ANN401 (whatever the body holds)
    """Return the message of an error body in its documented form, as found."""
    try:
        return f" ({describe(value['errors'][0]['message'])})"
    except (KeyError, IndexError, TypeError):
        return f" ({describe(value)})" if isinstance(value, str) else ""
