"""The client of one organization: sends requests, and retries them where that may help."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import httpx

from inventory.astra.parsing import NOT_FOUND
from inventory.astra.replay_transport import EXCHANGE
from inventory.errors import UnansweredError
from inventory.evidence.exchange import TOO_LATE, retry_after
from inventory.text.display import describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from inventory.evidence.exchange import Exchange
    from inventory.system.request_policy import RequestPolicy

T = TypeVar("T")
_OK = 200
_TOO_MANY = 429
_SERVER_ERROR = 500
_REDIRECTS = range(300, 400)
_REASONS = {
    401: ("refused", "the token is invalid or lacks a permission"),
    403: ("refused", "the token lacks a permission, or an IP access list blocks this machine"),
    NOT_FOUND: ("wrong-address", "there is nothing at this address"),
    _TOO_MANY: ("rate-limited", "too many requests"),
}


class ClientContext(NamedTuple):
    """What a client needs to send requests.

    Attributes:
        transport: what sends each request, or replays it.
        address: the host, such as ``https://api.astra.datastax.com``.
        policy: how often and how patiently requests are sent.
        slots: how many requests may be in progress in this process.
        sleep: waits that many seconds.
        seconds_left: returns how many seconds are left for the organization.
    """

    transport: httpx.AsyncBaseTransport
    address: str
    policy: RequestPolicy
    slots: asyncio.Semaphore
    sleep: Callable[[float], Awaitable[None]]
    seconds_left: Callable[[], float]


class AstraClient:
    """Sends the requests of one organization.

    Attributes:
        concurrency: how many of its requests may be in progress at once.
        most_pages: how many pages one reading of a list may have.
    """

    def __init__(self, context: ClientContext) -> None:
        """Send requests by the means of ``context``."""
        self.concurrency = context.policy.connections_per_organization
        self.most_pages = context.policy.most_pages
        self._context = context
        self._own_slots = asyncio.Semaphore(self.concurrency)

    async def get(
        self, address: str, parse: Callable[[Exchange], T], accept: Collection[int] = ()
    ) -> T:
        """Return what ``parse`` makes of the answer to a GET of ``address``.

        Any status but 200 is an error, unless it is in ``accept``; so is a body that is not JSON.
        An UnansweredError of ``parse`` is retried like one of the connection.

        Raises UnansweredError after as many attempts as the policy allows.
        """
        request = _RetryingRequest(self._send, self._sleep, address, accept)
        policy, attempt = self._context.policy, 1
        while True:
            try:
                return await request.attempt(parse)
            except UnansweredError as error:
                if not error.again or attempt >= policy.attempts:
                    raise request.final_error(error) from None
                seconds = policy.seconds_before_next(attempt, error.wait)
            await request.pause(seconds)
            attempt += 1

    async def _send(self, address: str, *, is_late: bool) -> Exchange:
        """Return one exchange; raise UnansweredError if there is no answer."""
        request = httpx.Request(
            "GET",
            f"{self._context.address}{address}",
            headers={"Accept": "application/json"},
            extensions={"too-late": is_late},
        )
        # Its own slot first: a request that waits for one must not occupy a slot of all.
        async with self._own_slots, self._context.slots:
            response = await self._context.transport.handle_async_request(request)
        exchange: Exchange = response.extensions[EXCHANGE]
        return exchange

    async def _sleep(self, seconds: float) -> bool:
        """Wait, if there is time for it; return whether there was."""
        if seconds >= self._context.seconds_left():
            return False
        await self._context.sleep(seconds)
        return True


class _RetryingRequest:
    """All attempts to get an answer from one address."""

    def __init__(
        self,
        send: Callable[..., Awaitable[Exchange]],
        sleep: Callable[[float], Awaitable[bool]],
        address: str,
        accept: Collection[int],
    ) -> None:
        self._send = send
        self._sleep = sleep
        self._address = address
        self._accept = accept
        self._is_late = False
        self._error: UnansweredError | None = None

    async def attempt(self, parse: Callable[[Exchange], T]) -> T:
        try:
            exchange = await self._send(self._address, is_late=self._is_late)
            _check_answer(exchange, self._accept)
            return parse(exchange)
        except UnansweredError as error:
            self._is_late = error.detail == TOO_LATE.detail
            if not self._is_late:
                self._error = error
            raise

    async def pause(self, seconds: float) -> None:
        # The attempt for which no time is left is recorded like any other, but not sent. So the
        # evidence holds as many attempts as a replay makes, which knows no time.
        self._is_late = not await self._sleep(seconds)

    def final_error(self, error: UnansweredError) -> UnansweredError:
        """Return the error to report: the last one that came from Astra, with the address."""
        reported = self._error or error
        late = "" if reported is error else "; no time was left for another attempt"
        return UnansweredError(reported.reason, f"GET {self._address}: {reported.detail}{late}")


def _check_answer(exchange: Exchange, accept: Collection[int]) -> None:
    """Raise UnansweredError unless the answer is JSON with an expected status."""
    status = exchange.status or 0
    if status != _OK:
        if status not in accept:
            raise _status_error(exchange, status)
        return
    content_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        found = describe(content_type) if content_type else "no content type"
        detail = f"answered with {found}, expected application/json"
        raise UnansweredError("malformed", detail, again=True)
    if exchange.text is not None:
        detail = "answered with a body that is not complete JSON, or repeats a key"
        raise UnansweredError("malformed", detail, again=True)


def _status_error(exchange: Exchange, status: int) -> UnansweredError:
    message = _error_message(exchange.value)
    if status in _REDIRECTS:
        detail = f"answered {status}, a redirect; redirects are not followed"
        return UnansweredError("wrong-address", detail)
    if status in _REASONS or status < _SERVER_ERROR:
        reason, meaning = _REASONS.get(status, ("malformed", "an undocumented status"))
        wait = retry_after(exchange) if status == _TOO_MANY else None
        detail = f"answered {status}{message}: {meaning}"
        return UnansweredError(reason, detail, again=status == _TOO_MANY, wait=wait)
    detail = f"answered {status}{message}"
    return UnansweredError("unavailable", detail, again=True, wait=retry_after(exchange))


def _error_message(body: Any) -> str:  # noqa: ANN401 (any JSON)
    """Return the message of an error body in its documented form, or of a bare string."""
    try:
        return f" ({describe(body['errors'][0]['message'])})"
    except (KeyError, IndexError, TypeError):
        return f" ({describe(body)})" if isinstance(body, str) else ""
