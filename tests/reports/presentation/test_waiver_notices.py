"""What reports say of waivers that somebody has to see to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.waivers import EXPIRING_DAYS, State
from reports.presentation.waiver_notices import URGENT, days_left, notice, urgent_waivers
from tests.hypothesis_profile import examples

AS_OF = "2026-11-21T02:00:00Z"


def shown(state: str, expires_on: str = "2026-12-08", **over: str) -> Any:  # noqa: ANN401 (a part of the record)
    """Return a waiver as a record holds it."""
    asked = {"id": "W-1", "rule": "CMEK-03", "subject": "acme/x", "requested_on": "2026-11-03"}
    return {**asked, "state": state, "expires_on": expires_on, **over}


def test_the_urgent_states_are_some_of_all() -> None:
    """What asks for somebody are waivers that end soon, have ended, or await an approval."""
    assert set(get_args(State)) - set(URGENT) == {
        "active",
        "not-yet-valid",
        "unused",
        "unmatched",
    }
    assert len(set(URGENT)) == len(URGENT) == 3


def test_the_first_to_end_comes_first() -> None:
    """Waivers that still count come first, and of equal state the one that ends first."""
    waivers = [
        shown("requested", id="a"),
        shown("expired", "2026-10-02", id="b"),
        shown("expired", "2026-10-01", id="c"),
        shown("active", id="d"),
        shown("expiring", "2026-12-01", id="e"),
        shown("expiring", "2026-11-21", id="f"),
    ]
    head: Any = {"waivers": waivers}
    assert [urgent_waiver["id"] for urgent_waiver in urgent_waivers(head)] == [
        "f",
        "e",
        "c",
        "b",
        "a",
    ]


@pytest.mark.parametrize(
    ("waiver", "words"),
    [
        (shown("expiring", "2026-12-08"), "expires in 17 days, on 2026-12-08"),
        (shown("expiring", "2026-11-22"), "expires in 1 day, on 2026-11-22"),
        (shown("expiring", "2026-11-21"), "expires today, on 2026-11-21"),
        (shown("expired", "2026-11-20"), "expired 1 day ago, on 2026-11-20"),
        (shown("expired", "2023-01-01"), "expired 1,420 days ago, on 2023-01-01"),
        (shown("requested"), "has awaited approval since 2026-11-03 and covers nothing"),
    ],
)
def test_what_is_due_is_reported_in_days(waiver: Any, words: str) -> None:  # noqa: ANN401 (a part of the record)
    """A waiver says in how many days it ends or since how many it has, or that it is a request."""
    assert days_left(waiver, AS_OF) == words
    assert notice(waiver, AS_OF) == f"Waiver W-1 {words}: CMEK-03 acme/x"


@examples(60)
@given(st.integers(-400, EXPIRING_DAYS))
def test_days_are_counted_as_the_calendar_does(days: int) -> None:
    """The number of days leads from the day of the audit to the last day of the waiver."""
    last = date(2026, 11, 21) + timedelta(days=days)
    words = days_left(shown("expired" if days < 0 else "expiring", str(last)), AS_OF)
    assert words.endswith(f", on {last}")
    if days:
        assert f" {abs(days):,} day" in words
        assert (" ago," in words) is (days < 0)
