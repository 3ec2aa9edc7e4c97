"""The transport of a replay: it answers from recorded exchanges."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

import httpx

from inventory.errors import ReplayError
from inventory.evidence.exchange_line import hash_of
from inventory.evidence.exchange_summary import ExchangeSummary, recorded_order, summarize_exchange

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.evidence.exchange import Exchange

EXCHANGE = "cmek-exchange"
"""The name under which a response carries its exchange."""


class ReplayingTransport(httpx.AsyncBaseTransport):
    """Answers from recorded exchanges, each once and in the order in which they were recorded.

    Attributes:
        summaries: a summary of each of them.
    """

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        """Keep ``exchanges`` by address."""
        self.summaries: list[ExchangeSummary] = []
        # A queue for each address, as requests to different ones are sent at the same time: the
        # order of their answers is another in each run, that of attempts at one address is not.
        self._queues: dict[str, deque[Exchange]] = defaultdict(deque)
        for exchange in sorted(exchanges, key=recorded_order):
            self._queues[exchange.address].append(exchange)
            self.summaries.append(summarize_exchange(exchange, hash_of(exchange)))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the next recorded response; raise ReplayError if there is none."""
        address = request.url.raw_path.decode("ascii")
        if not self._queues[address]:
            raise ReplayError(f"GET {address}: requested, but not recorded")
        return recorded_response(self._queues[address].popleft())

    def require_all_used(self) -> None:
        """Raise ReplayError if an exchange was recorded that no request has used."""
        unused = [exchange for queue in self._queues.values() for exchange in queue]
        if unused:
            first = min(unused, key=recorded_order)
            raise ReplayError(f"{first.place}: recorded, but not requested: GET {first.address}")


def recorded_response(exchange: Exchange) -> httpx.Response:
    """Return the response that was recorded; raise UnansweredError if there was none."""
    if exchange.failure is not None:
        raise exchange.failure.error()
    status = exchange.status or 0
    return httpx.Response(status, headers=exchange.headers, extensions={EXCHANGE: exchange})
