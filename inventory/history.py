"""Earlier moments: what was registered, and which databases were known, at dated points in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import InputError, Problem
from inventory.files.evidence_layout import is_summary
from inventory.files.yaml_json import refuse
from inventory.history_files import find_records
from inventory.model.base import read_moment
from inventory.opening import holds_clouds_only, read_file, read_stream_head
from inventory.past.moments import KnownDatabase, Observation
from inventory.past.snapshots import expand_timeline, merge_snapshots, take_snapshot, time_of
from inventory.past.summary import read_summary
from inventory.past.timeline import OrganizationTimeline, OutOfOrderError
from inventory.system.garbage_collection import collector_paused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from inventory.model.key import KeyScope
    from inventory.model.sources import Source
    from inventory.past.moments import Moment
    from inventory.past.snapshots import Snapshot
    from inventory.past.summary import Summary

__all__ = ["History", "KnownDatabase", "Observation", "read_history"]


class History:
    """All earlier records, by organization and in the order of time.

    Attributes:
        sources: the records, in the order of their paths.
    """

    def __init__(
        self, timelines: Iterable[OrganizationTimeline] = (), sources: Iterable[Source] = ()
    ) -> None:
        """Keep what ``read_history`` has read."""
        self.sources = tuple(sources)
        self._timelines = {timeline.id: timeline for timeline in timelines}

    def timelines(self) -> tuple[OrganizationTimeline, ...]:
        """Return each organization through time."""
        return tuple(self._timelines.values())

    def organizations(self) -> dict[str, str]:
        """Return the name of each organization that was seen earlier, by its id."""
        return {identity: timeline.name for identity, timeline in self._timelines.items()}

    def times(self) -> Iterable[tuple[datetime, str, int]]:
        """Yield when each record of an organization was made, with its file and line."""
        return (time for timeline in self._timelines.values() for time in timeline.times())

    def observations(self, scope: KeyScope, between: Iterable[datetime] = ()) -> list[Observation]:
        """Return what records show of ``scope``, if they have read the keys.

        Of records in a row that show the same, these are the first and the last one, and those
        around the times ``between`` of which something else is known.
        """
        timeline = self._timelines.get(scope.organization)
        return list(timeline.observations(scope, between)) if timeline else []

    def shows(self, scope: KeyScope, at: datetime) -> bool:
        """Say whether a record of that time has read the keys of ``scope``."""
        timeline = self._timelines.get(scope.organization)
        return timeline is not None and timeline.shows(scope, at)

    def scopes_with_keys(self, organization: str) -> list[KeyScope]:
        """Return each key scope in which an earlier record saw a key, in a fixed order."""
        timeline = self._timelines.get(organization)
        return sorted(timeline.scopes()) if timeline else []

    def databases(self, organization: str) -> dict[str, KnownDatabase]:
        """Return each existing database of earlier records by id, as the latest of them knew it."""
        timeline = self._timelines.get(organization)
        return timeline.databases() if timeline else {}

    def latest_file(self, organization: str) -> tuple[str, int]:
        """Return file and line of the latest record of ``organization``."""
        return self._timelines[organization].latest


def read_history(files: Iterable[str], present: Iterable[str] = ()) -> History:
    """Read earlier records, each organization dated by its own ``captured_at``, else its file's.

    A folder gives each record in it, a bundle or a file, except those that are ``present``. Reports
    of audits are no records of this kind. Raises InventoryError if a folder holds anything else or
    no record at all, or if a record cannot be read, has no date, or contradicts another of its
    moment.
    """
    records = find_records(files, present)
    with collector_paused():
        try:
            return _read_in_order(records)
        except (InputError, OutOfOrderError):
            # Rare, and often a mistake: the other way finds and describes all of them.
            return _read_all(records)


class _Builder:
    """Adds records up, moment by moment."""

    def __init__(self) -> None:
        """Start with none."""
        self._files: list[str] = []
        self._numbers: dict[str, int] = {}
        self._sources: list[Source] = []
        self._timelines: dict[str, OrganizationTimeline] = {}

    def add_source(self, source: Source) -> None:
        """Take note of a record."""
        self._sources.append(source)

    def add(self, moment: Moment) -> None:
        """Add a moment; raise OutOfOrderError if it is not the latest of its organization."""
        number = self._numbers.setdefault(moment.file, len(self._files))
        if number == len(self._files):
            self._files.append(moment.file)
        identity = moment.organization
        timeline = self._timelines.get(identity)
        if timeline is None:
            timeline = OrganizationTimeline(identity, self._files)
            self._timelines[identity] = timeline
        timeline.add(moment, number)

    def add_summary(self, summary: Summary) -> None:
        """Add what a summary holds; raise OutOfOrderError if something is known already."""
        self.add_source(summary.source)
        number = self._numbers.setdefault(summary.file, len(self._files))
        self._files.append(summary.file)
        for earlier in summary.timelines:
            timeline = self._timelines.setdefault(
                earlier.id, OrganizationTimeline(earlier.id, self._files)
            )
            timeline.continue_from(earlier, number)

    def history(self) -> History:
        """Return all of it."""
        sources = sorted(self._sources, key=lambda source: source.path)
        return History(self._timelines.values(), sources)


# --- record by record, in the order of time -------------------------------------------------------


class _Record(NamedTuple):
    """A record that is to be read: its file, and its moments if it has been read already."""

    file: str
    source: Source | None = None
    moments: tuple[Moment, ...] = ()
    summary: Summary | None = None


def _read_in_order(files: Sequence[str]) -> History:
    """Read one record after the other; raise if they do not follow one another in time."""
    from inventory.past.quick_reader import NotQuickError, QuickReader  # noqa: PLC0415 (few have a history)

    builder, reader = _Builder(), QuickReader()
    for record in _in_order(files):
        source, moments = record.source, record.moments
        if record.summary is not None:
            builder.add_summary(record.summary)
            continue
        if source is None:
            try:
                night = reader.read(record.file)
                source, moments = night.source, tuple(night.moments)
            except NotQuickError:
                source, moments = _read_whole(record.file)
        builder.add_source(source)
        for moment in moments:
            builder.add(moment)
    return builder.history()


def _in_order(files: Sequence[str]) -> Iterable[_Record]:
    """Return the records in the order of time; those that do not begin with it are read."""
    dated: list[tuple[datetime, str, _Record]] = []
    for file in files:
        if is_summary(file):
            summary = read_summary(file)
            dated.append((summary.bundles[0].started, file, _Record(file, summary=summary)))
            continue
        head = read_stream_head(file)
        at = read_moment(head.get("captured_at"))
        if at is None:
            source, moments = _read_whole(file)
            first = min(moment.at for moment in moments)
            dated.append((first, file, _Record(file, source, moments)))
        elif head.get("clouds_only") is not True:
            dated.append((at, file, _Record(file)))
    return (record for _, _, record in sorted(dated, key=lambda entry: entry[:2]))


def _read_whole(file: str) -> tuple[Source, tuple[Moment, ...]]:
    source, organizations, *_ = read_file(file, "history")
    return source, tuple(
        take_snapshot(time_of(source, organization), organization).moment(organization.id)
        for organization in organizations
    )


# --- all records at once --------------------------------------------------------------------------


def _read_all(files: Iterable[str]) -> History:
    """Read all records into memory, and merge those of one moment."""
    snapshots: dict[tuple[str, datetime], Snapshot] = {}
    problems: list[Problem] = []
    builder = _Builder()
    for file in files:
        if holds_clouds_only(file):  # it shows nothing of what was registered or deployed
            continue
        source, taken = _take_snapshots(file)
        builder.add_source(source)
        for identity, snapshot in taken:
            known = snapshots.get((identity, snapshot.at))
            merged = merge_snapshots(known, snapshot, problems) if known else snapshot
            snapshots[identity, snapshot.at] = merged
    refuse(problems)
    in_order = sorted(snapshots.items(), key=lambda entry: entry[0][1])
    for (identity, _), snapshot in in_order:
        builder.add(snapshot.moment(identity))
    return builder.history()


def _take_snapshots(file: str) -> tuple[Source, list[tuple[str, Snapshot]]]:
    if is_summary(file):
        summary = read_summary(file)
        return summary.source, [
            (timeline.id, snapshot)
            for timeline in summary.timelines
            for snapshot in expand_timeline(timeline)
        ]
    source, organizations, *_ = read_file(file, "history")
    return source, [
        (organization.id, take_snapshot(time_of(source, organization), organization))
        for organization in organizations
    ]
