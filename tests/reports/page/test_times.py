"""Times on the page."""

from __future__ import annotations

import pytest

from reports.page.times import age, clock_difference, short_time


@pytest.mark.parametrize(
    ("seconds", "text"), [(86_400, "1 day"), (2_592_000, "30 days"), (3_600, "1 hour")]
)
def test_age(seconds: int, text: str) -> None:
    """An age is shown in days, or in hours if it is not whole days."""
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-11-21T00:00:00Z", "2026-11-21 00:00:00"),
        ("2026-11-21T00:00:00.123456Z", "2026-11-21 00:00:00"),
        ("2026-11-21", "2026-11-21"),
        (None, "not stated"),
    ],
)
def test_time(time: str | None, text: str) -> None:
    """A time is shown to the second, and a missing one is named."""
    assert short_time(time) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not stated"),
        (0.0, "none"),
        (2.5, "Astra’s clock was 2.5 s ahead of the recorder’s"),
        (-1_234.0, "Astra’s clock was 1,234.0 s behind the recorder’s"),
    ],
)
def test_clock(seconds: float | None, text: str) -> None:
    """A difference between clocks has its direction."""
    assert clock_difference(seconds) == text
