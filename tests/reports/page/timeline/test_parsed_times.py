"""Times and days of a record as moments."""

from __future__ import annotations

from reports.page.timeline.parsed_times import end_of_day, parse_time
from tests.builders import moment


def test_a_time_of_the_record_is_read_to_its_fraction() -> None:
    """Times with and without a fraction of a second are read."""
    whole = parse_time("2026-01-01T00:00:01Z")
    assert (whole, parse_time("2026-01-01T00:00:01.5Z").microsecond) == (
        moment("2026-01-01T00:00:01Z"),
        500_000,
    )


def test_a_day_ends_when_the_next_begins() -> None:
    """What counts on a day counts until its end; the last day of the calendar has no next."""
    assert end_of_day("2026-12-31") == moment("2027-01-01T00:00:00Z")
    assert end_of_day("9999-12-31") == moment("9999-12-31T00:00:00Z")
