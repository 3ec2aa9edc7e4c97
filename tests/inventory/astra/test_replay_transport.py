"""A replay answers from what was recorded, each exchange once, and from nothing else."""

from __future__ import annotations

import pytest

from inventory.astra.replay_transport import EXCHANGE, ReplayingTransport
from inventory.errors import ReplayError, UnansweredError
from inventory.evidence.exchange import Exchange, Failure
from tests.inventory.live import (
    HOST,
    a_request,
    an_exchange,
    send,
)


def numbered(number: int, address: str = "/v2/kms", **over: object) -> Exchange:
    return an_exchange([number], line=number, address=address, **over)


def test_replay_answers_in_the_order_of_lines() -> None:
    """Requests for one address are answered in the order of the lines, each once."""
    transport = ReplayingTransport([numbered(10_000), numbered(9_999), numbered(3, "/v2/other")])
    other = a_request(url=f"{HOST}/v2/other")
    responses = send(transport, a_request(), other, a_request())
    assert [response.extensions[EXCHANGE].value for response in responses] == [
        [9_999],
        [3],
        [10_000],
    ]
    transport.require_all_used()


def test_replay_keeps_summaries_of_all() -> None:
    """A replay keeps of each exchange the same as the recording did, in the order of lines."""
    transport = ReplayingTransport([numbered(2), numbered(1)])
    assert [summary.line for summary in transport.summaries] == [1, 2]
    assert all(len(summary.sha256) == 64 for summary in transport.summaries)


def test_replay_fails_as_it_failed() -> None:
    """A recorded failure is raised again, whether it may help to ask again included."""
    expected = Failure(reason="cut-short", detail="the answer ended early", again=True)
    transport = ReplayingTransport([numbered(1, status=None, failure=expected)])
    with pytest.raises(UnansweredError) as caught:
        send(transport, a_request())
    assert (caught.value.reason, caught.value.again) == ("cut-short", True)


def test_replay_knows_no_more_than_was_recorded() -> None:
    """A request that was not recorded, or not so often, is an error."""
    transport = ReplayingTransport([numbered(1)])
    send(transport, a_request())
    for address in ("/v2/kms", "/v2/other"):
        with pytest.raises(ReplayError, match=f"^GET {address}: requested, but not recorded$"):
            send(transport, a_request(url=f"{HOST}{address}"))


def test_replay_leaves_nothing_unasked() -> None:
    """An exchange that nobody asks for is an error, which names the first."""
    transport = ReplayingTransport([numbered(1), numbered(10_000), numbered(9_999)])
    send(transport, a_request())
    found = "exchanges/0001.ndjson.gz:9999: recorded, but not requested: GET /v2/kms"
    with pytest.raises(ReplayError, match=f"^{found}$"):
        transport.require_all_used()
