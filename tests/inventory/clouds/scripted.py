"""A cloud in memory: it answers each request by a script, and notes what was asked."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from inventory.clouds.client import CloudClient, CloudContext
from inventory.clouds.recorder import CloudRecorder, HttpAnswer
from inventory.evidence.exchange import Failure
from inventory.system.request_policy import RequestPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inventory.clouds.requests import CloudRequest
    from inventory.evidence.exchange import Exchange

FILE = "exchanges/0001.ndjson.gz"
POLICY = RequestPolicy(attempts=3, first_wait_seconds=0.0)
JSON = {"Content-Type": "application/json"}

Script = "Mapping[str, Sequence[HttpAnswer | Failure]]"


def answer(value: object, status: int = 200, **headers: str) -> HttpAnswer:
    """Return an answer with ``value`` as JSON."""
    spelled = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpAnswer(status, JSON | spelled, json.dumps(value).encode())


class ScriptedTransport:
    """Records the next answer of the script to each operation; the last one is repeated.

    Attributes:
        exchanges: what was recorded.
        asked: how often each operation was asked.
    """

    def __init__(self, script: Mapping[str, Sequence[HttpAnswer | Failure]]) -> None:
        """Answer by ``script``, which has the answers by operation."""
        self.exchanges: list[Exchange] = []
        self.asked: Counter[str] = Counter()
        self._script = script
        self._recorder = CloudRecorder(self.exchanges.append, (), POLICY, FILE)

    def send(self, request: CloudRequest) -> Exchange:
        """Return the exchange of the next answer."""
        answers = self._script[request.operation]
        given = answers[min(self.asked[request.operation], len(answers) - 1)]
        self.asked[request.operation] += 1
        started = datetime.now(UTC)
        if isinstance(given, Failure):
            return self._recorder.failed(request.address, started, given)
        return self._recorder.answered(request.address, started, given)

    def give_up(self, request: CloudRequest) -> Exchange:
        """Return the exchange of a request that is not sent."""
        return self._recorder.too_late(request.address)


def a_client(
    transport: Any,  # noqa: ANN401 (any transport)
    *,
    policy: RequestPolicy = POLICY,
    sleep: Callable[[float], None] = lambda _: None,
    seconds_left: Callable[[], float] = lambda: 60.0,
) -> CloudClient:
    """Return a client that sends by ``transport``."""
    return CloudClient(
        CloudContext(transport=transport, policy=policy, sleep=sleep, seconds_left=seconds_left)
    )
