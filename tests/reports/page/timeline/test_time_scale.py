"""The scale of the timeline, and its ticks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.timeline.time_scale import LONGEST, SHORTEST, Tick, make_scale
from tests.builders import moment

AS_OF = moment("2026-11-20T02:00:00Z")
times = st.datetimes(timezones=st.just(UTC))


@given(st.lists(times, max_size=20), times)
def test_every_time_has_a_place_on_the_line(facts: list[datetime], end: datetime) -> None:
    """Whatever the times, each is on the line, in their order, and the ticks have their room."""
    scale = make_scale(facts, end)
    places = [scale.x(fact) for fact in sorted(facts)]
    ticks = [tick.x for tick in scale.ticks()]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in (*places, *ticks))
    assert ticks == sorted(ticks)
    assert all(after - before >= 5 for before, after in pairwise(ticks))
    assert sum(tick.is_main for tick in scale.ticks()) <= 4


def test_the_line_ends_with_the_audit() -> None:
    """The line begins a little before the first fact, and ends at the time of the audit."""
    scale = make_scale([AS_OF - timedelta(days=400), AS_OF], AS_OF)
    assert scale == (AS_OF - timedelta(days=410), AS_OF)


@pytest.mark.parametrize(
    ("facts", "span"),
    [([], SHORTEST), ([AS_OF + timedelta(days=9)], SHORTEST), ([AS_OF - 2 * LONGEST], LONGEST)],
)
def test_one_odd_time_does_not_squeeze_the_line(facts: list[datetime], span: timedelta) -> None:
    """A line is never longer than ten years, nor shorter than two days."""
    scale = make_scale(facts, AS_OF)
    assert scale.end - scale.start == span + span / 40


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (3, ["2026-11-18", "2026-11-19", "2026-11-20"]),
        (25, ["2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16"]),
        (100, ["2026-09", "2026-10", "2026-11"]),
        (360, ["2026", "2026-04", "2026-07", "2026-10"]),
        (2_000, ["2022", "2023", "2024", "2025", "2026"]),
    ],
)
def test_ticks_are_at_round_times(days: int, labels: list[str]) -> None:
    """The label of a tick is as fine as the line is short."""
    scale = make_scale([AS_OF - timedelta(days=days)], AS_OF)
    assert [tick.label for tick in scale.ticks()] == labels


def test_a_narrow_line_shows_the_main_ticks() -> None:
    """Of many ticks only a few are the main ones."""
    scale = make_scale([AS_OF - timedelta(days=900)], AS_OF)
    assert [tick for tick in scale.ticks() if tick.is_main] == [
        Tick(scale.x(moment("2025-01-01T00:00:00Z")), "2025", is_main=True),
        Tick(scale.x(moment("2026-01-01T00:00:00Z")), "2026", is_main=True),
    ]
