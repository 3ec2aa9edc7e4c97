"""How requests are sent."""

from __future__ import annotations

import pytest

from inventory.system.request_policy import RequestPolicy


def test_defaults_are_within_their_own_bounds() -> None:
    """The defaults are values that a file may give, and numbers keep their kind."""
    policy = RequestPolicy()
    assert RequestPolicy.model_validate(policy.model_dump()) == policy
    assert policy.first_wait_seconds <= policy.longest_wait_seconds <= policy.timeout_seconds


@pytest.mark.parametrize(
    ("attempt", "requested", "least", "most"),
    [(1, None, 0.5, 1.0), (2, None, 1.0, 2.0), (9, None, 2.0, 4.0), (1, 7.0, 7.0, 7.0)],
)
def test_waits_grow_up_to_the_longest(
    attempt: int, requested: float | None, least: float, most: float
) -> None:
    """Each wait is twice the one before, with jitter, or as long as is asked for."""
    policy = RequestPolicy(first_wait_seconds=1.0, longest_wait_seconds=4.0)
    assert least <= policy.seconds_before_next(attempt, requested) <= most
