"""One organization through time: moments that show the same share everything but their times."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from inventory.past.moments import KnownDatabase, Observation, datetime_of, microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from inventory.model.key import KeyScope
    from inventory.past.moments import DatabaseState, KeyState, Moment


class OutOfOrderError(Exception):
    """A moment is not later than the one before it."""


class Segment:
    """Moments in a row that show the same of the keys.

    A year has many moments and few changes, so each moment takes no more than three numbers.

    Attributes:
        keys: what they show.
        times: when they were, in microseconds, each later than the one before.
        files: the file of each, as a number of the history's files.
        lines: the organization's line in it.
    """

    __slots__ = ("files", "keys", "lines", "times")

    def __init__(self, keys: KeyState) -> None:
        """Start with no moment."""
        self.keys = keys
        self.times = array("q")
        self.files = array("q")
        self.lines = array("q")

    def add(self, time: int, file: int, line: int) -> None:
        """Add a moment."""
        self.times.append(time)
        self.files.append(file)
        self.lines.append(line)

    def moments(self) -> Iterator[datetime]:
        """Yield the times."""
        return map(datetime_of, self.times)


class DatabaseSpan(NamedTuple):
    """A database as it was known last.

    Attributes:
        state: what was known.
        first: the first moment that showed it, in microseconds.
        last: the last one.
        file: the file of that, by its number.
        line: the organization's line in it.
    """

    state: DatabaseState
    first: int
    last: int
    file: int
    line: int

    @property
    def first_at(self) -> datetime:
        """Return the first moment that showed it."""
        return datetime_of(self.first)

    @property
    def last_at(self) -> datetime:
        """Return the last moment that showed it."""
        return datetime_of(self.last)


class OrganizationTimeline:
    """The moments of one organization, in the order of time.

    Attributes:
        id: its id.
        name: its name in the latest record.
        segments: its moments.
    """

    def __init__(self, identity: str, files: Sequence[str]) -> None:
        """Start with no moment; ``files`` are the paths that moments refer to by number."""
        self.id = identity
        self.name = ""
        self.segments: list[Segment] = []
        self._files = files
        self._spans: dict[str, DatabaseSpan] = {}
        self._shown: tuple[DatabaseState, ...] = ()

    def add(self, moment: Moment, file: int) -> None:
        """Add a moment, which is of the ``file`` of that number.

        Raises OutOfOrderError if it is not later than the last one.
        """
        time = microseconds(moment.at)
        last = self.segments[-1] if self.segments else None
        if last is not None and time <= last.times[-1]:
            raise OutOfOrderError
        if moment.databases is not self._shown:  # nearly always a night shows what the last showed
            self._note_shown()
            self._shown = moment.databases
            self._begin_spans(time, file, moment.line)
        if last is None or not (last.keys is moment.keys or last.keys == moment.keys):
            self.segments.append(last := Segment(moment.keys))
        last.add(time, file, moment.line)
        self.name = moment.name

    def continue_from(self, earlier: OrganizationTimeline, file: int) -> None:
        """Begin with what was written down, in the ``file`` of that number, before anything else.

        Raises OutOfOrderError if there is a moment already.
        """
        if self.segments:
            raise OutOfOrderError
        self.name = earlier.name
        for segment in earlier.segments:
            copy = Segment(segment.keys)
            copy.times, copy.lines = segment.times[:], segment.lines[:]
            copy.files = array("q", [file]) * len(copy.times)
            self.segments.append(copy)
        for span in earlier.spans():
            self.restore_database(span._replace(file=file))

    def restore(self, segment: Segment) -> None:
        """Add the moments of a segment that was written down; raise as ``add`` does."""
        last = self.segments[-1] if self.segments else None
        if last is not None and segment.times[0] <= last.times[-1]:
            raise OutOfOrderError
        self.segments.append(segment)

    def restore_database(self, span: DatabaseSpan) -> None:
        """Add a database that was written down."""
        self._spans[span.state.id] = span

    def _begin_spans(self, time: int, file: int, line: int) -> None:
        for state in self._shown:
            known = self._spans.get(state.id)
            first = known.first if known else time
            self._spans[state.id] = DatabaseSpan(state, first, time, file, line)

    def _note_shown(self) -> None:
        """Note up to which moment the databases of the last one were shown."""
        if not self._shown:
            return
        segment = self.segments[-1]
        last, file, line = segment.times[-1], segment.files[-1], segment.lines[-1]
        for state in self._shown:
            span = self._spans[state.id]
            self._spans[state.id] = DatabaseSpan(state, span.first, last, file, line)

    def spans(self) -> Iterable[DatabaseSpan]:
        """Return every database, in the order in which they were seen first."""
        self._note_shown()
        return self._spans.values()

    def databases(self) -> dict[str, KnownDatabase]:
        """Return every database by its id, as the latest record that shows it knew it."""
        return {span.state.id: self._known(span) for span in self.spans()}

    def _known(self, span: DatabaseSpan) -> KnownDatabase:
        identity, name, is_terminated, status, place = span.state
        file, line = place.resolve(self._files[span.file], span.line)
        at = datetime_of(span.last)
        return KnownDatabase(identity, name, is_terminated, at, file, line, status)

    @property
    def latest(self) -> tuple[str, int]:
        """Return file and line of the latest record."""
        segment = self.segments[-1]
        return self._files[segment.files[-1]], segment.lines[-1]

    def times(self) -> Iterator[tuple[datetime, str, int]]:
        """Return when each record was made, with its file and the organization's line."""
        return (time for segment in self.segments for time in self.times_of(segment))

    def times_of(self, segment: Segment) -> Iterator[tuple[datetime, str, int]]:
        """Yield the same for one of its segments."""
        for time, file, line in zip(segment.times, segment.files, segment.lines, strict=True):
            yield datetime_of(time), self._files[file], line

    # --- key scopes -------------------------------------------------------------------------------

    def scopes(self) -> set[KeyScope]:
        """Return each key scope in which a record saw a key."""
        return {scope for segment in self.segments for scope in segment.keys.keys}

    def shows(self, scope: KeyScope, at: datetime) -> bool:
        """Say whether a record of that time has read the keys of ``scope``."""
        time = microseconds(at)
        for segment in self.segments:
            index = bisect_left(segment.times, time)
            if index < len(segment.times) and segment.times[index] == time:
                return segment.keys.has_read(scope)
        return False

    def observations(self, scope: KeyScope, between: Iterable[datetime]) -> Iterator[Observation]:
        """Yield what each record shows of ``scope``, if it has read the keys.

        Of records in a row that show the same, these are the first and the last one, and those
        around the times ``between`` which something else is known.
        """
        others = sorted(map(microseconds, between))
        for run in self._runs(scope):
            total = sum(len(segment.times) for segment in run)
            places = sorted({0, total - 1, *_around(run, others)})
            for index, following in zip(places, [*places[1:], total], strict=True):
                yield self._observe(run, scope, index, following - index)

    def _runs(self, scope: KeyScope) -> Iterator[list[Segment]]:
        """Yield the segments that have read the keys of ``scope``, those in a row together."""
        run: list[Segment] = []
        for segment in self.segments:
            if not segment.keys.has_read(scope):
                continue
            if run and run[-1].keys.key_ids(scope) != segment.keys.key_ids(scope):
                yield run
                run = []
            run.append(segment)
        if run:
            yield run

    def _observe(
        self, run: list[Segment], scope: KeyScope, index: int, records: int
    ) -> Observation:
        segment, index = _locate(run, index)
        place = segment.keys.place(scope)
        own = self._files[segment.files[index]], segment.lines[index]
        file, line = place.resolve(*own) if place else ("", 0)
        at = datetime_of(segment.times[index])
        return Observation(at, segment.keys.key_ids(scope), file, line, records)


def _around(run: list[Segment], times: Iterable[int]) -> Iterator[int]:
    """Yield the indexes of the moments of ``run`` before and after each of ``times`` inside it."""
    for time in times:
        if run[0].times[0] < time < run[-1].times[-1]:
            before = sum(bisect_left(segment.times, time) for segment in run)
            yield from (before - 1, before)


def _locate(run: list[Segment], index: int) -> tuple[Segment, int]:
    """Return the segment of ``run`` that holds the moment ``index``, and its index in that."""
    for segment in run:
        if index < len(segment.times):
            return segment, index
        index -= len(segment.times)
    raise IndexError(index)  # pragma: no cover (callers stay inside)
