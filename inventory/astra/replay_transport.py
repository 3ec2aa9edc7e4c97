"""The transport of a replay: it answers from recorded exchanges."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from typing import TYPE_CHECKING

import httpx

from inventory.errors import ReplayError
from inventory.evidence.exchange import Exchange, render

if TYPE_CHECKING:
    from collections.abc import Iterable

from typing import TYPE_CHECKING

from inventory.evidence.exchange_summary import ExchangeSummary, by_number, summarize_exchange


class ReplayingTransport(httpx.AsyncBaseTransport):
    """Answers from recorded exchanges, each once and in the order of their files.

    Attributes:
        briefs: what is kept of each of them.
    """

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        """Keep ``exchanges`` by address."""
        self.summaries: list[ExchangeSummary] = []
        self._waiting: dict[str, deque[Exchange]] = defaultdict(deque)
        for exchange in sorted(exchanges, key=lambda each: by_number(each.path)):
            self._waiting[exchange.address].append(exchange)
            sha256 = hashlib.sha256(render(exchange)).hexdigest()
            self.summaries.append(summarize_exchange(exchange, sha256))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the next recorded response; raise ReplayError if there is none."""
        address = request.url.raw_path.decode("ascii")
        if not self._waiting[address]:
            raise ReplayError(f"GET {address}: asked, and not recorded")
        return response_of(self._waiting[address].popleft())

    def settle(self) -> None:
        """Raise ReplayError if anything was recorded that nobody asked for."""
        left = [each for waiting in self._waiting.values() for each in waiting]
        if left:
            first = min(left, key=lambda each: by_number(each.path))
            raise ReplayError(f"{first.path}: recorded, and not asked for: GET {first.address}")


def response_of(exchange: Exchange) -> httpx.Response:
    """Return the response that was recorded; raise UnansweredError if there was none."""
    if exchange.failure is not None:
        raise exchange.failure.error()
    status = exchange.status or 0
    return httpx.Response(status, headers=exchange.headers, extensions={EXCHANGE: exchange})


EXCHANGE = "cmek-exchange"
"""The name under which a response carries its exchange."""
