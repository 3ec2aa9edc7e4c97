"""The order of waivers in the page, and their numbers."""

from __future__ import annotations

from typing import Any, get_args

from checks.engine.waivers import State
from reports.page.waiver_list import ORDER, list_waivers


def a_waiver(state: str, expires_on: str = "2026-12-08") -> Any:  # noqa: ANN401 (a part of the record)
    return {"id": f"W-{state}-{expires_on}", "state": state, "expires_on": expires_on}


def test_every_state_has_its_place() -> None:
    """No state of a waiver is left out of the order."""
    assert sorted(ORDER) == sorted(get_args(State))


def test_what_needs_attention_comes_first() -> None:
    """Waivers that end soon come before those that have ended, the first to end before others."""
    waivers = [
        a_waiver("active"),
        a_waiver("expired"),
        a_waiver("unmatched"),
        a_waiver("expiring", "2026-12-02"),
        a_waiver("expiring", "2026-12-01"),
    ]
    listed = list_waivers(waivers, 5)
    assert [number for number, _ in listed.shown] == [5, 4, 2, 3, 1]
    assert listed.states == {"expiring": 2, "expired": 1, "unmatched": 1, "active": 1}
    assert listed.left == 0


def test_what_is_not_shown_is_counted_and_has_no_number() -> None:
    """Beyond the limit waivers are counted, and only those that are shown can be led to."""
    listed = list_waivers([a_waiver("active"), a_waiver("expired"), a_waiver("requested")], 2)
    assert listed.numbers == {"W-expired-2026-12-08": 2, "W-requested-2026-12-08": 3}
    assert listed.left == 1
    assert list_waivers([], 2) == ([], 0, {})
