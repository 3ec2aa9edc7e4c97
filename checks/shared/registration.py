"""When a key was registered: Astra does not show it, so it is an interval, narrowed by records.

A scope may have had other keys before, which IBM Support replaced: a record of one of those shows
the absence of this key, and a database that was deployed then depends on that one.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Literal, NamedTuple

from checks.engine.context import day
from inventory.model.key_ids import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inventory.history import Observation
    from inventory.model.base import SourceLocation
    from inventory.model.key import SupportCase

Order = Literal["before", "after", "equal", "undecided"]


class Registration(NamedTuple):
    """An interval that holds the moment of registration.

    Attributes:
        after: the key was not there yet at this time, so it was registered later; None if no
            record shows its absence.
        by: the key was there at this time, so it was registered then or before; None if no dated
            record shows its presence.
        exact: the attested time, which then is the whole interval; None without attestation.
        returned: whether the scope had had a key even before ``after``, this one or another.
        evidence: where the bounds were read.
        since: the begin of the day on which IBM Support replaced another key by it, if that is
            later than ``after``: it was registered then or later. None without such a case.
        created: when its cloud created the key: it was registered then or later. None if unknown.
        used: when the vendor used the key for the first time, as far as that is known. It was
            registered then or before, but maybe in another organization only, which shares the
            key: so it can contradict, and proves no order. None if unknown.
        may_replace: whether it may have replaced another key after it was created, so that its
            creation does not show that there was no key before.
    """

    after: datetime | None
    by: datetime | None
    exact: datetime | None = None
    returned: bool = False
    evidence: tuple[SourceLocation, ...] = ()
    since: datetime | None = None
    created: datetime | None = None
    used: datetime | None = None
    may_replace: bool = False

    @property
    def is_contradictory(self) -> bool:
        """Return whether the attested time is outside of what the records show."""
        if self.exact is None:
            return False
        too_early = self.after is not None and self.exact <= self.after
        too_early = too_early or (self.since is not None and self.exact < self.since)
        return too_early or (self.by is not None and self.exact > self.by)


def bound(
    observations: Sequence[Observation], present_at: datetime | None, exact: datetime | None
) -> Registration:
    """Narrow the interval of a key that is registered now.

    ``observations`` are the earlier records of its scope in the order of time; ``present_at`` is
    the time of the present record, None if that is not known.
    """
    absent = [observation for observation in observations if not observation.key_ids]
    last = absent[-1] if absent else None
    later = [seen for seen in observations if seen.key_ids and (not last or seen.at > last.at)]
    first = later[0] if later else None
    returned = last is not None and any(
        seen.key_ids and seen.at <= last.at for seen in observations
    )
    evidence = tuple(seen.location for seen in (last, first) if seen)
    by = first.at if first else present_at
    return Registration(last.at if last else None, by, exact, returned, evidence)


def compare(registration: Registration, deployed: datetime) -> Order:
    """Return whether the registration came before or after ``deployed``, if that can be known."""
    if registration.exact is not None:
        if registration.exact == deployed:
            return "equal"
        return "before" if registration.exact < deployed else "after"
    if deployed in {registration.after, registration.by}:
        return "equal"
    if registration.by is not None and registration.by < deployed:
        return "before"
    order = _compare_begin(registration, deployed)
    return "equal" if deployed == registration.created and order == "undecided" else order


def _compare_begin(registration: Registration, deployed: datetime) -> Order:
    """Compare with the times before which the key was not registered."""
    if registration.after is not None and registration.after > deployed:
        return "undecided" if registration.returned else "after"
    if registration.created is not None and registration.created > deployed:
        return "undecided" if registration.returned or registration.may_replace else "after"
    return "undecided"


# --- one key after another ------------------------------------------------------------------------


class Claim(NamedTuple):
    """A key of which records claim that it was registered for a scope.

    Attributes:
        key: what all ids of the key have in common; empty if several keys are claimed.
        present_at: the time of the present record; None if that is not known.
        by: the time by which it was there.
        exact: the attested time of its registration; None without attestation.
        until: the time of the last record that shows it; None if it is registered now.
        cases: the support cases that explain why another key came after it.
    """

    key: str
    present_at: datetime | None
    by: datetime
    exact: datetime | None = None
    until: datetime | None = None
    cases: tuple[SupportCase, ...] = ()


class Period(NamedTuple):
    """The time in which one key was registered for a scope; the rest is as of its ``Claim``."""

    registration: Registration
    until: datetime | None
    cases: tuple[SupportCase, ...]
    key: str


def trace(
    claim: Claim, observations: Sequence[Observation], cases: Iterable[SupportCase]
) -> tuple[Period, ...]:
    """Return the period of the key of now, then of the one that it replaced, and so on.

    ``observations`` are as for ``bound``, of any key; ``cases`` are those of the scope. The way
    back ends where a record shows no key at all: what there was before was not replaced.
    """
    known, periods = tuple(cases), []
    replaced: Claim | None = claim
    while replaced is not None:
        period, replaced, observations = _step(replaced, observations, known)
        periods.append(period)
    return tuple(periods)


def _step(
    claim: Claim, observations: Sequence[Observation], cases: tuple[SupportCase, ...]
) -> tuple[Period, Claim | None, Sequence[Observation]]:
    """Return the period of a key, the key that it replaced, and the records up to that one's last.

    There is no way back from several keys that are claimed at once.
    """
    if not claim.key:
        return Period(Registration(None, None), claim.until, claim.cases, claim.key), None, ()
    views = [
        observation._replace(key_ids=_only(claim.key, observation)) for observation in observations
    ]
    registration = bound(views, claim.present_at, claim.exact)
    after = registration.after
    before = [seen for seen in observations if after is not None and seen.at <= after]
    registration = registration._replace(returned=any(seen.key_ids for seen in before))
    if not (before and before[-1].key_ids):
        return Period(registration, claim.until, claim.cases, claim.key), None, ()
    last, later = before[-1], observations[len(before) :]
    first = later[0].at if later else claim.by
    explaining = tuple(case for case in cases if day(last.at) <= case.on <= day(first))
    registration = registration._replace(since=_begin(explaining, last.at))
    keys = {canonical(key_id) for key_id in last.key_ids}
    key = "" if len(keys) > 1 else next(iter(keys))
    replaced = Claim(key, None, last.at, until=last.at, cases=explaining)
    return Period(registration, claim.until, claim.cases, claim.key), replaced, before


def _only(key: str, observation: Observation) -> tuple[str, ...]:
    return tuple(key_id for key_id in observation.key_ids if canonical(key_id) == key)


def _begin(cases: Sequence[SupportCase], last: datetime) -> datetime | None:
    """Return the begin of the first day on which a case took effect, if it is after ``last``."""
    begins = [datetime.combine(case.on, time(), UTC) for case in cases]
    begin = min(begins, default=last)
    return begin if begin > last else None


def locate(periods: Sequence[Period], deployed: datetime) -> tuple[Order, int]:
    """Compare with the key that was there at ``deployed``; return the order, and which it is.

    A key that came too late is no proof that there was none, if there had been one before.
    """
    index = 0
    while index + 1 < len(periods) and deployed <= (periods[index + 1].until or deployed):
        index += 1
    registration = periods[index].registration
    order = compare(registration, deployed)
    return ("undecided" if order == "after" and registration.returned else order), index
