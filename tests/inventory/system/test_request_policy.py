"""How requests are sent."""

from __future__ import annotations

from inventory.system.request_policy import RequestPolicy


def test_defaults_are_within_their_own_bounds() -> None:
    """The defaults are values that a file may give, and numbers keep their kind."""
    policy = RequestPolicy()
    assert RequestPolicy.model_validate(policy.model_dump()) == policy
    assert policy.first_wait_seconds <= policy.longest_wait_seconds <= policy.timeout_seconds
