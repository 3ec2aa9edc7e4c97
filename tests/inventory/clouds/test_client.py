"""The client of the clouds: which answers it asks for once more, and what it reports."""

from __future__ import annotations

import pytest

from inventory.clouds.answers import json_object
from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.clouds.requests import CloudRequest
from inventory.errors import UnansweredError
from inventory.evidence.exchange import TOO_LATE, Exchange, Failure
from inventory.system.request_policy import RequestPolicy
from tests.inventory.clouds.scripted import POLICY, ScriptedTransport, a_client, answer

KEY = CloudRequest("aws", "kms.us-east-1.amazonaws.com", "DescribeKey", (("KeyId", "a"),))
REFUSED = Failure(reason="refused", detail="no")
AGAIN = Failure(reason="unavailable", detail="the connection was closed", again=True)


def parse(exchange: Exchange) -> dict[str, object]:
    """Return a JSON object; an answer of another status may be retried."""
    if exchange.status != 200:
        raise UnansweredError("unavailable", f"answered {exchange.status}", again=True, wait=7.0)
    return json_object(exchange)


def refusal(transport: ScriptedTransport, **how: object) -> tuple[str, str]:
    """Return reason and detail of what the client raises."""
    with pytest.raises(UnansweredError) as caught:
        a_client(transport, **how).get(KEY, parse)  # type: ignore[arg-type]
    return caught.value.reason, caught.value.detail


def test_answer_is_parsed() -> None:
    """An answer is what ``parse`` makes of it; one request was sent, at a known time."""
    transport = ScriptedTransport({"DescribeKey": [answer({"a": 1})]})
    client = a_client(transport)
    assert client.get(KEY, parse) == {"a": 1}
    assert (client.requests, client.started) == (1, transport.exchanges[0].started)
    assert client.most_pages == POLICY.most_pages


@pytest.mark.parametrize("first", [answer({}, 503), AGAIN, answer("no object")])
def test_what_may_help_is_retried(first: object) -> None:
    """After a failure that may pass the request is sent once more; each attempt is recorded."""
    transport = ScriptedTransport({"DescribeKey": [first, answer({"a": 1})]})  # type: ignore[list-item]
    client = a_client(transport)
    assert client.get(KEY, parse) == {"a": 1}
    assert (client.requests, len(transport.exchanges)) == (2, 2)


def test_what_cannot_help_is_not_retried() -> None:
    """A refusal is reported at once."""
    transport = ScriptedTransport({"DescribeKey": [REFUSED]})
    assert refusal(transport) == ("refused", "no")
    assert len(transport.exchanges) == 1


def test_attempts_end() -> None:
    """After as many attempts as the policy allows the last failure is reported."""
    transport = ScriptedTransport({"DescribeKey": [AGAIN, answer({}, 500), answer({}, 502)]})
    assert refusal(transport) == ("unavailable", "answered 502")
    assert len(transport.exchanges) == POLICY.attempts


def test_waits_grow_and_follow_what_is_asked() -> None:
    """The wait doubles with each attempt, with jitter, and is as long as the cloud asks."""
    waits: list[float] = []
    policy = RequestPolicy(attempts=4, first_wait_seconds=1.0, longest_wait_seconds=3.0)
    transport = ScriptedTransport({"DescribeKey": [AGAIN, AGAIN, answer({}, 503)]})
    refusal(transport, policy=policy, sleep=waits.append)
    bounds = [(0.5, 1.0), (1.0, 2.0), (7.0, 7.0)]
    assert all(low <= wait <= high for wait, (low, high) in zip(waits, bounds, strict=True))


def test_no_time_left_is_recorded_and_replayed() -> None:
    """Without time for another attempt, that is recorded; a replay reports the same."""
    transport = ScriptedTransport({"DescribeKey": [answer({}, 503)]})
    live = refusal(transport, seconds_left=lambda: 5.0)
    assert live == ("unavailable", "answered 503; no time was left for another attempt")
    assert [exchange.failure for exchange in transport.exchanges] == [None, TOO_LATE]
    replayed = ReplayingCloudTransport(transport.exchanges)
    assert refusal(replayed) == live  # type: ignore[arg-type]
    replayed.require_all_used()


def test_nothing_is_sent_after_the_deadline() -> None:
    """Once the time is over nothing is sent, and that is what is reported."""
    transport = ScriptedTransport({})
    assert refusal(transport, seconds_left=lambda: 0.0) == (TOO_LATE.reason, TOO_LATE.detail)
    assert transport.asked.total() == 0
