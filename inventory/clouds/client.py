"""The client of the clouds: sends the requests about one key, and retries where that may help."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from inventory.errors import UnansweredError
from inventory.evidence.exchange import TOO_LATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from inventory.clouds.requests import CloudRequest, CloudTransport
    from inventory.evidence.exchange import Exchange
    from inventory.system.request_policy import RequestPolicy

T = TypeVar("T")


class CloudContext(NamedTuple):
    """What a client needs to send requests.

    Attributes:
        transport: what sends each request, or replays it.
        policy: how often and how patiently requests are sent.
        sleep: waits that many seconds.
        seconds_left: returns how many seconds are left.
    """

    transport: CloudTransport
    policy: RequestPolicy
    sleep: Callable[[float], None]
    seconds_left: Callable[[], float]


class CloudClient:
    """Sends the requests about one key, one after the other.

    Attributes:
        most_pages: how many pages one list may have.
        requests: how many requests were sent so far.
        started: when the first of them was sent (UTC); None if there was none.
    """

    def __init__(self, context: CloudContext) -> None:
        """Send requests by the means of ``context``."""
        self.most_pages = context.policy.most_pages
        self.requests = 0
        self.started: datetime | None = None
        self._context = context

    def get(self, request: CloudRequest, parse: Callable[[Exchange], T]) -> T:
        """Return what ``parse`` makes of the answer to ``request``.

        ``parse`` raises UnansweredError for an answer that is none, and says whether another
        attempt may help: each cloud has error codes of its own.

        Raises UnansweredError after as many attempts as the policy allows.
        """
        attempts = _Attempts(self._context, self._count, request)
        retrying = Retrying(
            stop=stop_after_attempt(self._context.policy.attempts),
            wait=self._backoff,
            sleep=attempts.pause,
            retry=retry_if_exception(_is_retryable),
            reraise=True,
        )
        try:
            answer: T = retrying(attempts.attempt, parse)
        except UnansweredError as error:
            raise attempts.final_error(error) from None
        return answer

    def _count(self, exchange: Exchange) -> None:
        self.requests += 1
        self.started = self.started or exchange.started

    def _backoff(self, state: RetryCallState) -> float:
        """Return the seconds before the next attempt: longer each time, or as the cloud asks."""
        error = state.outcome.exception() if state.outcome else None
        requested = error.wait if isinstance(error, UnansweredError) else None
        return self._context.policy.seconds_before_next(state.attempt_number, requested)


class _Attempts:
    """All attempts to get an answer to one request."""

    def __init__(
        self, context: CloudContext, count: Callable[[Exchange], None], request: CloudRequest
    ) -> None:
        self._context = context
        self._count = count
        self._request = request
        self._is_late = False
        self._error: UnansweredError | None = None

    def attempt(self, parse: Callable[[Exchange], T]) -> T:
        exchange = self._send()
        self._count(exchange)
        if exchange.failure is not None:
            raise self._noted(exchange.failure.error())
        try:
            return parse(exchange)
        except UnansweredError as error:
            raise self._noted(error) from None

    def _send(self) -> Exchange:
        """Send the request, or record that no time is left for it.

        The attempt for which no time is left is recorded like any other. So the evidence holds as
        many attempts as a replay makes, which knows no time.
        """
        transport = self._context.transport
        if self._is_late or self._context.seconds_left() <= 0:
            return transport.give_up(self._request)
        return transport.send(self._request)

    def _noted(self, error: UnansweredError) -> UnansweredError:
        if error.detail != TOO_LATE.detail:
            self._error = error
        return error

    def pause(self, seconds: float) -> None:
        self._is_late = seconds >= self._context.seconds_left()
        if not self._is_late:
            self._context.sleep(seconds)

    def final_error(self, error: UnansweredError) -> UnansweredError:
        """Return the error to report: the last one that came from the cloud."""
        reported = self._error or error
        late = "" if reported is error else "; no time was left for another attempt"
        return UnansweredError(reported.reason, f"{reported.detail}{late}")


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, UnansweredError) and error.again
