"""Parses durations of ISO 8601 in days, weeks, months and years, such as P90D and P1Y6M."""

from __future__ import annotations

import re
from typing import NamedTuple

_DURATION = re.compile(
    r"P(?=[0-9])(?:(?P<years>[0-9]{1,3})Y)?(?:(?P<months>[0-9]{1,4})M)?"
    r"(?:(?P<weeks>[0-9]{1,4})W)?(?:(?P<days>[0-9]{1,5})D)?",
    re.ASCII,
)
_LONGEST = (0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337)
"""The most days that so many months in a row can have."""


class Duration(NamedTuple):
    """A duration.

    Attributes:
        months: its months; a year is twelve.
        days: its days, which come on top of its months.
    """

    months: int
    days: int

    @property
    def most_days(self) -> int:
        """Return how many days it has at most; a year counts 365 days."""
        # Months that are subtracted count as few days as possible: -1 is a year less than 11 are.
        years, months = divmod(self.months, 12)
        return years * 365 + _LONGEST[months] + self.days

    def minus(self, other: Duration) -> Duration:
        """Return the duration that is left after ``other``."""
        return Duration(self.months - other.months, self.days - other.days)


def parse_duration(text: str) -> Duration | None:
    """Return the duration in ``text``; None if it is none, or has hours or fractions."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    numbers = {name: int(digits or 0) for name, digits in match.groupdict().items()}
    return Duration(
        months=numbers["years"] * 12 + numbers["months"],
        days=numbers["weeks"] * 7 + numbers["days"],
    )
