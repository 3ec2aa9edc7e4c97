"""The transport of a replay: it answers from the recorded exchanges with the clouds."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import TYPE_CHECKING

from inventory.errors import ReplayError
from inventory.evidence.exchange_summary import cloud_of, recorded_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inventory.clouds.requests import CloudRequest
    from inventory.evidence.exchange import Exchange

_UNAUTHORIZED = 401


class ReplayingCloudTransport:
    """Answers from recorded exchanges, each once and in the order in which they were recorded."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        """Keep ``exchanges`` by address."""
        # A queue for each address: keys are read at the same time, so the order of their answers is
        # another in each run; that of one address is not.
        self._queues: dict[str, deque[Exchange]] = defaultdict(deque)
        self._lock = threading.Lock()
        for exchange in sorted(exchanges, key=recorded_order):
            self._queues[exchange.address].append(exchange)

    def send(self, request: CloudRequest) -> Exchange:
        """Return the next recorded exchange; raise ReplayError if there is none.

        A challenge is followed by the request once more, with a token, before anything else is
        asked there.
        """
        with self._lock:
            queue = self._queues[request.address]
            if not queue:
                raise ReplayError(f"{request.address}: requested, but not recorded")
            exchange = queue.popleft()
            while exchange.status == _UNAUTHORIZED and queue:
                exchange = queue.popleft()
            return exchange

    def give_up(self, request: CloudRequest) -> Exchange:
        """Return the next recorded exchange: a replay knows no time, so it never gives up."""
        return self.send(request)

    def require_all_used(self) -> None:
        """Raise ReplayError if an exchange was recorded that no request has used."""
        unused = [exchange for queue in self._queues.values() for exchange in queue]
        if unused:
            first = min(unused, key=recorded_order)
            raise ReplayError(f"{first.place}: recorded, but not requested: {first.address}")


def is_cloud_address(address: str) -> bool:
    """Say whether a recorded request went to a cloud, and not to Astra."""
    return cloud_of(address) is not None
