"""Attestations by what they are about: one row for a kind of statement, and not for each key."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.engine.waivers import EXPIRING_DAYS
from inventory.text.display import pluralize
from reports.aggregation.attested_passes import person_key
from reports.presentation.labels import Label
from reports.presentation.selection import share_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reports.model.population_summary import AttestationEntry

State = Literal["expired", "expiring", "not-yet-valid", "valid"]

VALIDITY: dict[State, Label] = {
    "expired": Label("fail", "✕", "expired", "Its last day has passed: it does not count."),
    "not-yet-valid": Label(
        "inconclusive", "?", "not yet valid", "It was made after this audit: it does not count."
    ),
    "expiring": Label(
        "inconclusive", "!", "expiring", f"It counts for {EXPIRING_DAYS} more days at most."
    ),
    "valid": Label("pass", "✓", "valid", "It counts."),
}
"""Whether a statement counts, those that need attention first."""

_ORDER = tuple(VALIDITY)
_MOST_STATEMENTS = 3


class AttestationGroup(NamedTuple):
    """Statements of one person about one kind of fact, with one last day.

    Attributes:
        by: who made them, as written first.
        what: what they are about.
        due: the last day on which they count; None if they do not age.
        state: whether they count.
        statements: what they say, each with how often; the others are counted last.
        covers: how many keys, databases and organizations they are about, in words.
        members: the statements that are shown.
        left: how many more there are.
    """

    by: str
    what: str
    due: str | None
    state: Label
    statements: list[str]
    covers: str
    members: list[AttestationEntry]
    left: int


class Attestations(NamedTuple):
    """All attestations of a page.

    Attributes:
        total: how many statements there are.
        people: how many people made them.
        counting: how many count at the time of judgement.
        next_due: the first last day to come of one that counts; empty if there is none.
        groups: the groups that are shown, those that need attention first.
        left: how many statements are in no group that is shown.
    """

    total: int
    people: int
    counting: int
    next_due: str
    groups: list[AttestationGroup]
    left: int


def group_attestations(
    attestations: Sequence[AttestationEntry], as_of: str, limit: int
) -> Attestations:
    """Group ``attestations``, and choose ``limit`` statements to show; ``as_of`` is a UTC time.

    Each group that is shown shows some of its statements.
    """
    groups: dict[tuple[int, str, str, str], list[AttestationEntry]] = {}
    for entry in attestations:
        groups.setdefault(_key(entry, as_of[:10]), []).append(entry)
    ordered = sorted(groups)
    shown = ordered[:limit]
    shares = share_out({(str(n), ""): len(groups[key]) for n, key in enumerate(shown)}, limit)
    return Attestations(
        total=len(attestations),
        people=len({person_key(entry["by"]) for entry in attestations}),
        counting=sum(entry["current"] for entry in attestations),
        next_due=min(_days_to_come(attestations), default=""),
        groups=[
            _group(groups[key], VALIDITY[_ORDER[key[0]]], shares[str(n), ""])
            for n, key in enumerate(shown)
        ],
        left=sum(len(groups[key]) for key in ordered[limit:]),
    )


def _key(entry: AttestationEntry, today: str) -> tuple[int, str, str, str]:
    """Return what the statements of one group have in common, and what sorts the groups."""
    # What never ages comes after every day: no day begins with a letter.
    return (
        _ORDER.index(_state(entry, today)),
        entry["due"] or "never",
        person_key(entry["by"]),
        entry["what"],
    )


def _state(entry: AttestationEntry, today: str) -> State:
    due = entry["due"]
    if not entry["current"]:
        return "not-yet-valid" if entry["on"] > today else "expired"
    soon = date.fromisoformat(today) + timedelta(days=EXPIRING_DAYS)
    return "expiring" if due and due <= soon.isoformat() else "valid"


def _group(entries: list[AttestationEntry], state: Label, limit: int) -> AttestationGroup:
    first = entries[0]
    return AttestationGroup(
        by=first["by"],
        what=first["what"],
        due=first["due"],
        state=state,
        statements=_statements(entries),
        covers=_covers(entries),
        members=entries[:limit],
        left=len(entries) - limit,
    )


def _statements(entries: Iterable[AttestationEntry]) -> list[str]:
    """Return the different statements, those of few first, so that an exception is seen."""
    counts = Counter(entry["statement"] for entry in entries)
    if len(counts) == 1:
        return list(counts)
    rarest = sorted(counts.items(), key=lambda item: (item[1], item[0]))
    is_each_once = set(counts.values()) == {1}
    shown = [
        statement if is_each_once else f"{statement} ({count:,})"
        for statement, count in rarest[:_MOST_STATEMENTS]
    ]
    more = len(rarest) - len(shown)
    return [*shown, f"{pluralize(more, 'other statement')}"] if more else shown


def _covers(entries: Sequence[AttestationEntry]) -> str:
    keys = {(entry["organization_id"], entry["key"]) for entry in entries if entry["key"]}
    databases = sum(bool(entry["database"]) for entry in entries)
    organizations = {entry["organization_id"] for entry in entries}
    counts = [(len(keys), "key"), (databases, "database")]
    about = " and ".join(pluralize(count, noun) for count, noun in counts if count)
    of = pluralize(len(organizations), "organization")
    return f"{about} of {of}" if about else of


def _days_to_come(attestations: Iterable[AttestationEntry]) -> Iterator[str]:
    for entry in attestations:
        if entry["current"] and entry["due"]:
            yield entry["due"]
