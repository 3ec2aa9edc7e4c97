"""Durations of ISO 8601: how long they are at most."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.text.durations import Duration, parse_duration
from tests.hypothesis_profile import examples


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("P90D", 90),
        ("P1W", 7),
        ("P1M", 31),
        ("P3M", 92),
        ("P12M", 365),
        ("P1Y", 365),
        ("P18M", 549),
        ("P1Y6M2W3D", 566),
        ("P2Y", 730),
        ("P0D", 0),
    ],
)
def test_duration_has_at_most_so_many_days(text: str, days: int) -> None:
    """A month counts as many days as a month can have, a year 365 days."""
    duration = parse_duration(text)
    assert duration is not None
    assert duration.most_days == days


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "90D",
        "P90",
        "PD",
        "p90d",
        "P-1D",
        "P1.5D",
        "PT24H",
        "P1DT1H",
        "P1D1Y",
        "P90D\n",
        "P٩D",
        " P90D",
        "P123456D",
        "P1D1D",
    ],
)
def test_other_text_is_no_duration(text: str) -> None:
    """Hours, fractions, signs and whatever else is not understood are no duration."""
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("long", "short", "days"),
    [("P1Y", "P30D", 335), ("P180D", "P1M", 152), ("P6M", "P1M", 153), ("P30D", "P1Y", -335)],
)
def test_difference_has_at_most_so_many_days(long: str, short: str, days: int) -> None:
    """Months that are taken away count as few days as months can have."""
    first, second = parse_duration(long), parse_duration(short)
    assert first is not None
    assert second is not None
    assert first.minus(second).most_days == days


def days_from(start: int, months: int) -> int:
    """Return how many days so many months have from the month ``start`` of an ordinary year."""
    end_year, end_month = divmod(start + months, 12)
    return (date(2001 + end_year, end_month + 1, 1) - date(2001, start + 1, 1)).days


@examples(50)
@given(st.integers(0, 12))
def test_months_are_as_long_as_the_longest_ones(months: int) -> None:
    """No stretch of so many months is longer, and one is as long."""
    longest = max(days_from(start, months) for start in range(12))
    assert Duration(months, 0).most_days == longest


@given(st.text(alphabet="PYMWDT0123456789.-", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever the text, there is a duration that is not negative, or none."""
    duration = parse_duration(text)
    assert duration is None or duration.most_days >= 0
