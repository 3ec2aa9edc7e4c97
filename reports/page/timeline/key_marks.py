"""A registered key on the line of time: what is known of its registration, as spans and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.text.display import pluralize
from reports.page.timeline.key_life import life_marks
from reports.page.timeline.parsed_times import end_of_day, parse_time
from reports.page.times import short_time
from reports.presentation.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from reports.model.population_record import KeyLine, ReplacedKey
    from reports.page.timeline.key_life import LifeMark
    from reports.page.timeline.time_scale import TimeScale

_LONGEST_NAME = 120


class KeySpan(NamedTuple):
    """A part of the line.

    Attributes:
        kind: ``seen`` in records, ``attested``, ``interval`` in which it was registered, or
            ``former`` and ``former-interval`` for a key that was replaced.
        x: where it begins, in percent.
        width: how long it is, in percent.
        title: what it shows, in words.
    """

    kind: str
    x: float
    width: float
    title: str


class KeyMark(NamedTuple):
    """A point of the line.

    Attributes:
        kind: ``attested``, ``contradicted``, ``replaced``, ``unexplained`` or ``expired``.
        x: its place, in percent.
        title: what it shows, in words.
    """

    kind: str
    x: float
    title: str


class KeyRow(NamedTuple):
    """One key of a lane: its spans and marks, and what is known of it in words.

    Attributes:
        key_id: the key's id.
        spans: what is known of its registration.
        marks: points of that.
        life: what its cloud and the portal show, in rows below that.
        facts: what is known of its registration, in words.
    """

    key_id: str
    spans: list[KeySpan]
    marks: list[KeyMark]
    life: list[LifeMark]
    facts: list[str]

    @property
    def rows(self) -> int:
        """Return how many rows its life takes."""
        return rows_of(self.life)


def rows_of(marks: Sequence[LifeMark]) -> int:
    """Return how many rows ``marks`` take."""
    return max((mark.row + 1 for mark in marks), default=0)


def lay_out_key(key: KeyLine, scale: TimeScale, seen_until: datetime) -> KeyRow:
    """Lay out a registered key; the last record shows it at ``seen_until``."""
    spans = [*_former_spans(key, scale), *_spans(key, scale, seen_until)]
    marks = [*_replacements(key, scale), *_registration(key, scale), *_expired(key, scale)]
    return KeyRow(key["key_id"], spans, marks, life_marks(key, scale), registered_facts(key))


def times_of(key: KeyLine) -> Iterator[datetime]:
    """Yield every time that bounds the registration of ``key``."""
    if "registered" in key:
        yield parse_time(key["registered"])
    if "first_seen" in key:
        yield parse_time(key["first_seen"])
    if "not_before" in key:
        yield parse_time(key["not_before"])
    for old in key.get("replaced", ()):
        if "first_seen" in old:
            yield parse_time(old["first_seen"])
        yield parse_time(old["last_seen"])


def registered_facts(key: KeyLine) -> list[str]:
    """Return what is known of the registration of ``key``, in words."""
    return list(_facts(key)) or ["registered at an unknown time"]


def _facts(key: KeyLine) -> Iterator[str]:
    if "registered" in key:
        by = plain(key.get("attested_by", "a person"), _LONGEST_NAME)
        yield f"registered {short_time(key['registered'])}, attested by {by}"
    if "contradiction" in key:
        yield f"this does not count: {plain(key['contradiction'])}"
    if "not_before" in key:
        yield f"not registered yet at {short_time(key['not_before'])}"
    if "since" in key:
        yield f"registered {short_time(key['since'])} or later, by a support case"
    if "first_seen" in key:
        yield f"first seen {short_time(key['first_seen'])}"
    if "seen_again" in key:
        yield f"seen again {short_time(key['seen_again'])}"
    for old in key.get("replaced", ()):
        yield _replaced_words(old)


def _replaced_words(old: ReplacedKey) -> str:
    seen = f"last seen {short_time(old['last_seen'])}"
    name = plain(old["key_id"], _LONGEST_NAME) if "key_id" in old else "several keys"
    cases = ", ".join(plain(case, _LONGEST_NAME) for case in old["cases"])
    word = pluralize(len(old["cases"]), "support case").partition(" ")[2]
    return f"replaced {name}, {seen}, " + (f"{word} {cases}" if cases else "without a support case")


# --- spans ----------------------------------------------------------------------------------------


def _attested_at(key: KeyLine) -> datetime | None:
    """Return the attested time, if it counts."""
    counts = "registered" in key and "contradiction" not in key
    return parse_time(key["registered"]) if counts else None


def _spans(key: KeyLine, scale: TimeScale, seen_until: datetime) -> Iterator[KeySpan]:
    text = key.get("seen_again") or key.get("first_seen")
    seen = parse_time(text) if text else None
    attested = _attested_at(key)
    if attested:
        until = seen or scale.end
        if attested < until:
            yield _span("attested", scale, attested, until, "registered, as attested")
    else:
        begin = key.get("since") or key.get("not_before")
        start = parse_time(begin) if begin else scale.start
        known = f"after {short_time(begin)}" if begin else "at an unknown time"
        title = f"registered {known}" + (f", by {short_time(text)}" if text else "")
        yield _span("interval", scale, start, seen or scale.end, title)
    if seen:
        yield _span("seen", scale, seen, max(seen, seen_until), f"registered since {text}")


def _former_spans(key: KeyLine, scale: TimeScale) -> Iterator[KeySpan]:
    for old in key.get("replaced", ()):
        last = parse_time(old["last_seen"])
        first = parse_time(old["first_seen"]) if "first_seen" in old else last
        begin = parse_time(old["not_before"]) if "not_before" in old else scale.start
        if begin < first:
            title = "an earlier key was registered at some time here"
            yield _span("former-interval", scale, begin, first, title)
        yield _span("former", scale, first, last, "an earlier key, which was replaced")


def _span(kind: str, scale: TimeScale, begin: datetime, end: datetime, title: str) -> KeySpan:
    x = scale.x(begin)
    return KeySpan(kind, x, round(max(0.0, scale.x(end) - x), 2), title)


# --- marks ----------------------------------------------------------------------------------------


def _registration(key: KeyLine, scale: TimeScale) -> Iterator[KeyMark]:
    if "registered" in key:
        kind = "contradicted" if "contradiction" in key else "attested"
        title = next(_facts(key)) + (
            f": {plain(key['contradiction'])}" if "contradiction" in key else ""
        )
        yield KeyMark(kind, scale.x(parse_time(key["registered"])), title)


def _replacements(key: KeyLine, scale: TimeScale) -> Iterator[KeyMark]:
    for old in key.get("replaced", ()):
        kind = "replaced" if old["cases"] else "unexplained"
        yield KeyMark(kind, scale.x(parse_time(old["last_seen"])), _replaced_words(old))


class Due(NamedTuple):
    """The day on which the first attestations about a key end, and what they are about."""

    day: str
    what: str


def next_due(keys: Sequence[KeyLine], end: datetime) -> Due | None:
    """Return the attestations about ``keys`` that end first after ``end``; None without any."""
    coming = [
        (expiry["due"], expiry["what"])
        for key in keys
        for expiry in key.get("expiries", ())
        if end_of_day(expiry["due"]) > end
    ]
    if not coming:
        return None
    day = min(coming)[0]
    return Due(day, " and ".join(dict.fromkeys(what for due, what in coming if due == day)))


def _expired(key: KeyLine, scale: TimeScale) -> Iterator[KeyMark]:
    for expiry in key.get("expiries", ()):
        end = end_of_day(expiry["due"])
        if end <= scale.end:
            title = f"the attestation of {plain(expiry['what'])} ended {expiry['due']}"
            yield KeyMark("expired", scale.x(end), title)
