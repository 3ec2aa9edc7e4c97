"""Lays a timeline out: which lanes are shown, and where each of their marks is."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from inventory.text.display import pluralize
from reports.page.timeline.deployments import rank_of
from reports.page.timeline.key_life import LEGEND, life_times, look_marks, look_times
from reports.page.timeline.key_marks import lay_out_key, next_due, rows_of, times_of
from reports.page.timeline.parsed_times import parse_time
from reports.page.timeline.reader import SMALL
from reports.page.timeline.time_scale import make_scale
from reports.page.times import short_time
from reports.presentation.labels import ORDER, PLANNED_ORDER, PROVIDER, TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reports.page.timeline.deployments import Deployment, DeploymentGroup, Deployments
    from reports.page.timeline.key_life import LifeKind, LifeMark
    from reports.page.timeline.key_marks import Due, KeyRow
    from reports.page.timeline.lanes import Lane
    from reports.page.timeline.reader import CountedOrganization, KeptLane, ReadLanes
    from reports.page.timeline.time_scale import Tick, TimeScale
    from reports.presentation.labels import Label

ROOM = 5.5
"""How far apart two marks of databases are at least, in percent of the line."""

_NAMES = 3
"""How many planned or undated databases a lane names beside its line."""


class DatabaseMark(NamedTuple):
    """Databases that were deployed at about the same time.

    Attributes:
        x: the place of the first one, in percent.
        width: how far it is to the last one, in percent.
        label: the worst of their orders.
        number: how many there are.
        title: the same in words.
    """

    x: float
    width: float
    label: Label
    number: int
    title: str


class LaneNote(NamedTuple):
    """Databases without a place on the line: of one order, planned or of an unknown time.

    Attributes:
        label: their order.
        words: the order in words.
        number: how many there are.
        names: the names of some.
    """

    label: Label
    words: str
    number: int
    names: list[str]


class DatabaseRow(NamedTuple):
    """A database in the table: its name, its time in words, its order, and its finding's id."""

    name: str
    time: str
    label: Label
    words: str
    finding: str


class LaneView(NamedTuple):
    """A lane as the page shows it.

    Attributes:
        type: the database type, for people; empty if the plan does not show the key scope.
        provider: the provider, for people.
        region: the region.
        label: what colours it.
        words: its worst order, in words; empty if it has no database.
        finding: the id of the finding about it; may be empty.
        keys: its keys.
        key_words: which keys it has, in words, if not exactly one.
        planned_keys: what a plan does with keys there.
        marks: its databases, in the order of time.
        planned: its planned databases.
        undated: its databases of which it is not known when they were deployed.
        portal_marks: what the portal showed of its databases.
        due: when the next attestation about a key ends; None without any.
        summary: all of it in words.
        rows: its databases by name, the worst first.
        more: how many more databases it has, by order in words.
    """

    type: str
    provider: str
    region: str
    label: Label
    words: str
    finding: str
    keys: list[KeyRow]
    key_words: str
    planned_keys: list[str]
    marks: list[DatabaseMark]
    planned: list[LaneNote]
    undated: list[LaneNote]
    portal_marks: list[LifeMark]
    due: Due | None
    summary: str
    rows: list[DatabaseRow]
    more: int

    @property
    def height(self) -> int:
        """Return how many rows its keys and the looks at its databases take; one at least."""
        keys = sum(1 + key.rows for key in self.keys)
        return max(1, keys) + rows_of(self.portal_marks)

    @property
    def kinds(self) -> set[LifeKind]:
        """Return the kinds of marks from the lives of its keys."""
        marks = [*self.portal_marks, *(mark for key in self.keys for mark in key.life)]
        return {mark.kind for mark in marks}


class OrganizationTimeline(NamedTuple):
    """The lanes that are shown of one organization."""

    id: str
    name: str
    lanes: list[LaneView]


class FoldedLanes(NamedTuple):
    """How many lanes of an organization are not shown: those without a doubt, and the others."""

    id: str
    name: str
    fine: int
    doubtful: int


class Timeline(NamedTuple):
    """The timeline of a page.

    Attributes:
        organizations: the organizations with lanes that are shown, the worst first.
        ticks: the labelled times of the line.
        kinds: the kinds of marks from the lives of keys that are drawn, with what each means.
        as_of: the time of the audit, where the line ends.
        folded: the organizations with lanes that are not shown.
        folded_lanes: how many lanes are not shown.
        folded_doubtful: how many of these have a failure or a doubt.
        incomplete: the names of organizations of which not all could be judged.
        terminated: how many databases are left out, as they are terminated.
    """

    organizations: list[OrganizationTimeline]
    ticks: list[Tick]
    kinds: dict[LifeKind, str]
    as_of: str
    folded: list[FoldedLanes]
    folded_lanes: int
    folded_doubtful: int
    incomplete: list[str]
    terminated: int


def scale_of(read: ReadLanes, as_of: str, limit: int) -> TimeScale:
    """Return the scale of the timeline, on which the lives of keys are drawn, too.

    A key may be years older than all databases: it does not squeeze them at the end of the line.
    """
    shown, end = shown_lanes(read, limit), parse_time(as_of)
    order = list(_times(shown))
    life = [time for kept in shown for time in _life_times(kept.lane, end)]
    first = min(order, default=None)
    if first is not None and first < end:
        most = min(2 * (end - first), end - datetime.min.replace(tzinfo=UTC))
        life = [max(time, end - most) for time in life]
    return make_scale([*order, *life], end)


def _life_times(lane: Lane, end: datetime) -> Iterator[datetime]:
    for key in lane.lines:
        yield from life_times(key, end)
    yield from look_times(lane.portal_counts, end)


def lay_out_timeline(read: ReadLanes, as_of: str, limit: int) -> Timeline:
    """Lay out what was ``read``: all lanes of few, else at most ``limit`` with a doubt."""
    shown, scale = shown_lanes(read, limit), scale_of(read, as_of, limit)
    folded = _folded(read.organizations, shown)
    organizations = list(_organizations(read.organizations, shown, scale))
    kinds = {kind for one in organizations for lane in one.lanes for kind in lane.kinds}
    return Timeline(
        organizations=organizations,
        ticks=scale.ticks(),
        kinds={kind: words for kind, words in LEGEND.items() if kind in kinds},
        as_of=as_of,
        folded=folded,
        folded_lanes=sum(row.fine + row.doubtful for row in folded),
        folded_doubtful=sum(row.doubtful for row in folded),
        incomplete=[counted.name for counted in read.organizations if counted.is_incomplete],
        terminated=read.terminated,
    )


def shown_lanes(read: ReadLanes, limit: int) -> list[KeptLane]:
    """Return the lanes that are shown: all of few, else those with a failure or a doubt."""
    if sum(counted.lanes for counted in read.organizations) <= min(SMALL, limit):
        return read.kept
    return [kept for kept in read.kept if kept.lane.is_doubtful][:limit]


def _times(shown: Iterable[KeptLane]) -> Iterator[datetime]:
    for kept in shown:
        for key in kept.lane.keys:
            yield from times_of(key)
        for group in kept.lane.databases.dated:
            yield group.first


def _folded(
    organizations: Sequence[CountedOrganization], shown: Iterable[KeptLane]
) -> list[FoldedLanes]:
    lanes = Counter(kept.organization for kept in shown)
    doubtful = Counter(kept.organization for kept in shown if kept.lane.is_doubtful)
    rows = []
    for number, counted in enumerate(organizations):
        left = counted.doubtful - doubtful[number]
        fine = counted.lanes - lanes[number] - left
        if left or fine:
            rows.append(FoldedLanes(counted.id, counted.name, fine, left))
    return sorted(rows, key=lambda row: -row.doubtful)


def _organizations(
    organizations: Sequence[CountedOrganization], shown: Sequence[KeptLane], scale: TimeScale
) -> Iterator[OrganizationTimeline]:
    # Lanes come the worst first, so organizations are in the order of their worst lanes.
    order = list(dict.fromkeys(kept.organization for kept in shown))
    grouped = sorted(shown, key=lambda kept: order.index(kept.organization))
    for number, lanes in groupby(grouped, attrgetter("organization")):
        views, counted = [_lane(kept, scale) for kept in lanes], organizations[number]
        yield OrganizationTimeline(counted.id, counted.name, views)


# --- one lane -------------------------------------------------------------------------------------


def _lane(kept: KeptLane, scale: TimeScale) -> LaneView:
    lane, until = kept.lane, kept.captured_at or scale.end
    databases = lane.databases
    worst = next(iter(databases.counts()), "")
    key_words = _key_words(lane, is_listed=kept.is_listed)
    keys = [lay_out_key(key, scale, until) for key in lane.keys]
    rows = [_row(database) for database in databases.named]
    portal_marks = look_marks(lane.portal_counts, scale)
    return LaneView(
        type=TYPE[lane.scope.type] if lane.scope.type else "",
        provider=PROVIDER[lane.scope.provider] if lane.scope.type else "",
        region=lane.scope.region,
        label=_label(lane),
        words=_worst_words(lane, worst),
        finding=_worst_finding(lane),
        keys=keys,
        key_words=key_words,
        planned_keys=lane.planned_keys,
        marks=place_marks(databases.dated, scale),
        planned=_notes(databases, databases.planned, is_planned=True),
        undated=_notes(databases, databases.undated, is_planned=False),
        portal_marks=portal_marks,
        due=next_due(lane.keys, scale.end),
        summary=_summary(keys, key_words, databases, portal_marks),
        rows=rows,
        more=databases.counts().total() - len(rows),
    )


def _label(lane: Lane) -> Label:
    """Return what a lane shows of its databases, or of a key in doubt."""
    if not lane.databases.counts() and not lane.is_doubtful:
        return ORDER["not-applicable"]
    return list(ORDER.values())[lane.rank]


def _key_words(lane: Lane, *, is_listed: bool) -> str:
    """Return which keys a lane has, in words; empty if that is exactly one."""
    count = len(lane.keys) + lane.more_keys
    if count > 1:
        return f"{count} keys are registered: which of them encrypts is not known"
    if count:
        return ""
    return "no key is recorded" if is_listed else "the population does not list its keys"


def _worst_words(lane: Lane, worst: str) -> str:
    if lane.is_doubtful and (not worst or rank_of(worst) > lane.rank):
        return "key in doubt"
    if not worst:
        return "no database"
    databases, count = lane.databases, lane.databases.counts()[worst]
    only_planned = databases.planned[worst] == count
    words = PLANNED_ORDER.get(worst, ORDER[worst].word) if only_planned else ORDER[worst].word
    return f"{words} ({count:,})" if count > 1 else words


def _worst_finding(lane: Lane) -> str:
    """Return the id of the finding about the worst database; a doubt about a key has none here."""
    worst = [database.order for database in lane.databases.named[:1]]
    return worst[0].finding if worst and rank_of(worst[0].code) == lane.rank else ""


def _summary(
    keys: Sequence[KeyRow], key_words: str, databases: Deployments, portal_marks: Sequence[LifeMark]
) -> str:
    """Return the text of a lane's picture."""
    parts = [f"Key: {'; '.join([*key.facts, *(mark.title for mark in key.life)])}" for key in keys]
    if key_words:
        parts.append(key_words.capitalize())
    counted = [
        f"{pluralize(count, 'database')} {ORDER[code].word}"
        for code, count in databases.counts().items()
    ]
    shown = [mark.title.capitalize() for mark in portal_marks]
    return ". ".join([*parts, ", ".join(counted) or "No database", *shown]) + "."


def _notes(databases: Deployments, counts: Counter[str], *, is_planned: bool) -> list[LaneNote]:
    named = [
        database
        for database in databases.named
        if database.at is None and database.is_planned is is_planned
    ]
    return [
        LaneNote(
            label=ORDER[code],
            words=PLANNED_ORDER.get(code, ORDER[code].word) if is_planned else ORDER[code].word,
            number=counts[code],
            names=[database.name for database in named if database.order.code == code][:_NAMES],
        )
        for code in ORDER
        if counts[code]
    ]


def _row(database: Deployment) -> DatabaseRow:
    code, finding = database.order
    if database.is_planned:
        time, words = "planned", PLANNED_ORDER.get(code, ORDER[code].word)
    else:
        time = short_time(database.at.isoformat()) if database.at else "time not known"
        words = ORDER[code].word
    return DatabaseRow(database.name, time, ORDER[code], words, finding)


# --- marks of databases ---------------------------------------------------------------------------


def place_marks(groups: Sequence[DeploymentGroup], scale: TimeScale) -> list[DatabaseMark]:
    """Place the databases on the line; what is closer than ``ROOM`` becomes one mark.

    A mark is at the place of its first database, so that the marks after it have their room.
    """
    marks: list[DatabaseMark] = []
    together: list[DeploymentGroup] = []
    for group in sorted(groups, key=attrgetter("first")):
        if together and scale.x(group.first) - scale.x(together[0].first) >= ROOM:
            marks.append(_mark(together, scale))
            together = []
        together.append(group)
    return [*marks, _mark(together, scale)] if together else marks


def _mark(groups: Sequence[DeploymentGroup], scale: TimeScale) -> DatabaseMark:
    whole, *others = groups
    for other in others:
        whole = whole.joined(other)
    counts: Counter[str] = Counter()
    for group in groups:
        counts[group.code] += group.number
    x = scale.x(whole.first)
    width = round(scale.x(whole.last) - x, 2)
    return DatabaseMark(x, width, ORDER[whole.code], whole.number, _mark_title(whole, counts))


def _mark_title(whole: DeploymentGroup, counts: Counter[str]) -> str:
    first, last = short_time(whole.first.isoformat()), short_time(whole.last.isoformat())
    times = first if first == last else f"{first} to {last}"
    orders = ", ".join(
        f"{counts[code]:,} {ORDER[code].word}" if whole.number > 1 else ORDER[code].word
        for code in ORDER
        if counts[code]
    )
    return f"{pluralize(whole.number, 'database')}, deployed {times}: {orders}"
