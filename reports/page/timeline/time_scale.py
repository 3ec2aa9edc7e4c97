"""A scale from times to places on a line, and the ticks that label it without colliding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LONGEST = timedelta(days=3_653)
"""How far back a scale reaches at most: one wrong time must not squeeze all others together."""

SHORTEST = timedelta(days=2)

_MOST_LABELS, _FEWEST_LABELS = 9, 4
_ROOM = 1.3
"""How much room a label needs, in percent of the line for each of its characters."""

_MONTHS = (1, 3, 6, 12, 24, 60)
_DAYS = (1, 7)


class Tick(NamedTuple):
    """A time that is labelled on the line.

    Attributes:
        x: its place, in percent.
        label: its text.
        is_main: whether it is labelled on a narrow line, too.
    """

    x: float
    label: str
    is_main: bool


class TimeScale(NamedTuple):
    """A line from ``start`` to ``end``, in percent."""

    start: datetime
    end: datetime

    def x(self, time: datetime) -> float:
        """Return the place of ``time``; what is outside of the line is at its end."""
        share = (time - self.start) / (self.end - self.start)
        return round(100 * min(1.0, max(0.0, share)), 2)

    def ticks(self) -> list[Tick]:
        """Return the ticks in the order of time; as many as have room."""
        series = [list(times(self.start, self.end)) for times in _SERIES]
        main = next((times for times in series if len(times) <= _FEWEST_LABELS), [])
        more = next((times for times in series if len(times) <= _MOST_LABELS), [])
        labelled = [Tick(self.x(time), label, is_main=True) for time, label in main]
        for time, label in more:
            tick = Tick(self.x(time), label, is_main=False)
            if all(abs(tick.x - other.x) >= _ROOM * len(label) for other in labelled):
                labelled.append(tick)
        return sorted(labelled)


def make_scale(times: Iterable[datetime], end: datetime) -> TimeScale:
    """Return a scale from a little before the first of ``times`` to ``end``."""
    first = min(times, default=end)
    span = min(max(end - first, SHORTEST), LONGEST)
    # Near the first day of the calendar there is nothing before it.
    before = min(span + span / 40, end - datetime.min.replace(tzinfo=UTC))
    return TimeScale(end - before, end)


# --- where ticks may be ---------------------------------------------------------------------------


def _every_days(step: int) -> Callable[[datetime, datetime], Iterator[tuple[datetime, str]]]:
    def times(start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
        # A scale of years has its ticks at months: no list of thousands of days is made for it.
        if end - start > timedelta(days=step * 2 * _MOST_LABELS):
            end = start + timedelta(days=step * 2 * _MOST_LABELS)
        first = start.toordinal() + 1
        first += (1 - first) % step  # the first day of the calendar is a Monday
        for day in range(first, end.toordinal() + 1, step):
            time = datetime.fromordinal(day).replace(tzinfo=UTC)
            yield time, f"{time:%Y-%m-%d}"

    return times


def _every_months(step: int) -> Callable[[datetime, datetime], Iterator[tuple[datetime, str]]]:
    def times(start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
        first = start.year * 12 + start.month
        first += -first % step
        for month in range(first, end.year * 12 + end.month, step):
            time = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            yield time, str(time.year) if month % 12 == 0 else f"{time:%Y-%m}"

    return times


_SERIES = (*map(_every_days, _DAYS), *map(_every_months, _MONTHS))
"""The series of times from the closest to the widest."""
