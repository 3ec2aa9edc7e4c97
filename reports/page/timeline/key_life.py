"""The life of a key: what its cloud and Astra's portal show, as marks on the line and in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from inventory.text.display import pluralize
from reports.page.timeline.parsed_times import end_of_day, parse_time
from reports.page.times import short_time
from reports.presentation.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reports.model.cloud_record import CloudRecord, PortalKeyRecord
    from reports.model.population_record import KeyLine
    from reports.page.timeline.time_scale import TimeScale

LifeKind = Literal["created", "granted", "rotated", "used", "looked", "ends"]

LEGEND: Mapping[LifeKind, str] = {
    "created": "key created in its cloud",
    "granted": "first use granted by the vendor’s account",
    "rotated": "key rotated",
    "used": "key last used, as its cloud records",
    "looked": "somebody looked at the portal",
    "ends": "key, or a version of it, expires or is deleted",
}
"""The kinds of marks, each with what it means."""

ROOM = 2.5
"""How far apart two marks of one row are at least, in percent of the line."""

_LONGEST = 120


class LifeEvent(NamedTuple):
    """Something in the life of a key.

    Attributes:
        at: when it was, or will be.
        kind: what it is.
        what: the same in words, without its time.
        time: its time in words; empty if ``what`` names the day.
    """

    at: datetime
    kind: LifeKind
    what: str
    time: str

    @property
    def words(self) -> str:
        """Return what was, and when."""
        return f"{self.what} {self.time}".rstrip()

    @property
    def brief(self) -> str:
        """Return what was, and on which day."""
        return f"{self.what} {self.time[:10]}".rstrip()


class LifeMark(NamedTuple):
    """A point of the line, in one of several rows: what is close together does not overlap.

    Attributes:
        kind: what happened.
        x: its place, in percent.
        row: the number of its row, from 0 on.
        title: what it shows, in words.
    """

    kind: LifeKind
    x: float
    row: int
    title: str


def events_of(key: KeyLine) -> list[LifeEvent]:
    """Return what is known of the life of ``key``, in the order of time."""
    events = list(_of_cloud(key["cloud"])) if "cloud" in key else []
    if "portal" in key:
        events.append(_look(key["portal"], is_azure=key.get("provider") == "azure"))
    return sorted(events)


def _of_cloud(cloud: CloudRecord) -> Iterator[LifeEvent]:
    if "created_at" in cloud:
        yield _event("created", "created", cloud["created_at"])
    if (grants := cloud.get("vendor_grants")) and "first" in grants:
        yield _event("granted", "first grant by the vendor’s account", grants["first"])
    if "rotated_at" in cloud:
        yield _event("rotated", "rotated", cloud["rotated_at"])
    if "next_rotation_at" in cloud:
        yield _event("rotated", "next rotation", cloud["next_rotation_at"])
    if "last_used_at" in cloud:
        yield _event("used", "last used", cloud["last_used_at"])
    if "expires_at" in cloud:
        yield _event("ends", "expiry", cloud["expires_at"])
    if "deletion_at" in cloud:
        yield _event("ends", "deletion", cloud["deletion_at"])
    for version in cloud.get("dead_versions", ()):
        if "destroy_at" in version:
            name = plain(version["id"], _LONGEST)
            yield _event("ends", f"destruction of version {name}", version["destroy_at"])


def _event(kind: LifeKind, words: str, time: str) -> LifeEvent:
    return LifeEvent(parse_time(time), kind, words, short_time(time))


def _look(look: PortalKeyRecord, *, is_azure: bool) -> LifeEvent:
    """Return a look at the portal, which calls every key in Azure available."""
    status = "in use" if look["status"] == "in-use" else "available"
    words = f"the portal showed it {status} on {look['on']}, seen by {plain(look['by'], _LONGEST)}"
    note = f"counts until {look['due']}"
    if is_azure and status == "available":
        note = "which shows nothing of a key in Azure"
    return LifeEvent(_start_of(look["on"]), "looked", f"{words} ({note})", "")


def _start_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def life_times(key: KeyLine, end: datetime) -> Iterator[datetime]:
    """Yield the times in the life of ``key`` up to ``end``: those that a line shows."""
    return (event.at for event in events_of(key) if event.at <= end)


def life_marks(key: KeyLine, scale: TimeScale) -> list[LifeMark]:
    """Return the marks of what was, up to the end of the ``scale``."""
    past = [event for event in events_of(key) if event.at <= scale.end]
    return place((event.kind, scale.x(event.at), event.words) for event in past)


def coming(key: KeyLine, end: datetime) -> list[LifeEvent]:
    """Return what will be after ``end``, the next first."""
    return [event for event in events_of(key) if event.at > end]


def place(points: Iterable[tuple[LifeKind, float, str]]) -> list[LifeMark]:
    """Place marks in as few rows as have room for them; they come in the order of time."""
    last: list[float] = []
    marks = []
    for kind, x, title in points:
        row = next((row for row, before in enumerate(last) if x - before >= ROOM), len(last))
        last[row : row + 1] = [x]
        marks.append(LifeMark(kind, x, row, title))
    return marks


# --- looks at regions of databases ----------------------------------------------------------------


class RegionLook(NamedTuple):
    """What the portal showed of the databases in a key scope on one day."""

    on: str
    key: Literal["customer", "astra"]
    due: str


def look_times(seen: Iterable[RegionLook], end: datetime) -> Iterator[datetime]:
    """Yield the days of what was ``seen`` up to ``end``."""
    return (_start_of(look.on) for look in seen if _start_of(look.on) <= end)


def look_marks(seen: Mapping[RegionLook, int], scale: TimeScale) -> list[LifeMark]:
    """Return the marks of looks at regions of databases, and how many databases each showed."""
    points: list[tuple[LifeKind, float, str]] = []
    for look, number in sorted(seen.items()):
        if _start_of(look.on) <= scale.end:
            points.append(("looked", scale.x(_start_of(look.on)), _look_words(look, number, scale)))
    return place(points)


def _look_words(look: RegionLook, number: int, scale: TimeScale) -> str:
    key = "a customer key" if look.key == "customer" else "Astra’s key"
    verb = "shows" if end_of_day(look.due) > scale.end else "showed"
    over = "" if verb == "shows" else ", which no longer counts"
    databases = pluralize(number, "database")
    return f"the portal {verb} {key} for {databases}, looked at on {look.on}{over}"
