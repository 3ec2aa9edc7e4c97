"""Times and days of a record as moments, which a scale can place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta


def parse_time(text: str) -> datetime:
    """Return a time of the record."""
    return datetime.fromisoformat(text)


def end_of_day(day: str) -> datetime:
    """Return the end of a day; that of the last day of the calendar is its begin."""
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return begin if begin.year == date.max.year else begin + timedelta(days=1)
