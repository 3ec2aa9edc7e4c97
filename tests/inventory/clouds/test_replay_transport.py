"""The replay of recorded exchanges with the clouds."""

from __future__ import annotations

import pytest

from inventory.clouds.replay_transport import ReplayingCloudTransport
from inventory.clouds.requests import CloudRequest
from inventory.errors import ReplayError
from tests.inventory.live import an_exchange

ONE = CloudRequest("gcp", "cloudkms.googleapis.com", "v1/one")
TWO = CloudRequest("gcp", "cloudkms.googleapis.com", "v1/two")


def exchanges(*answers: tuple[CloudRequest, int]) -> list[object]:
    """Return recorded exchanges with these statuses, in the order of their lines."""
    return [
        an_exchange({}, line=number, address=to.address, status=status)
        for number, (to, status) in enumerate(answers, 1)
    ]


def test_answers_come_in_the_order_of_their_lines() -> None:
    """Each answer is replayed once, in the order of its address, however keys were mixed."""
    recorded = exchanges((ONE, 503), (TWO, 200), (ONE, 200))
    transport = ReplayingCloudTransport(reversed(recorded))  # type: ignore[arg-type]
    assert [transport.send(ONE).status, transport.give_up(ONE).status] == [503, 200]
    with pytest.raises(ReplayError, match=r"gz:2: recorded, but not requested: /gcp/"):
        transport.require_all_used()
    assert transport.send(TWO).status == 200
    transport.require_all_used()
    with pytest.raises(ReplayError, match=r"v1/two: requested, but not recorded"):
        transport.send(TWO)


def test_challenge_is_answered_by_what_follows_it() -> None:
    """After a challenge comes the answer to the request with a token; a last 401 is a refusal."""
    transport = ReplayingCloudTransport(exchanges((ONE, 401), (ONE, 200), (TWO, 401)))  # type: ignore[arg-type]
    assert [transport.send(ONE).status, transport.send(TWO).status] == [200, 401]
    transport.require_all_used()
