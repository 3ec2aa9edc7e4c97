"""When a key was registered: Astra does not tell, so it is an interval, narrowed by records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from inventory.entries import Place
    from inventory.history import Observation

Order = Literal["before", "after", "equal", "undecided"]


class Registration(NamedTuple):
    """An interval that holds the moment of registration.

    Attributes:
        after: the key was not there yet at this time, so it was registered later; None if no
            record shows its absence.
        by: the key was there at this time, so it was registered then or before; None if no dated
            record shows its presence.
        exact: the attested time, which then is the whole interval; None without attestation.
        returned: whether the scope had had a key even before ``after``.
        evidence: where the bounds were read.
    """

    after: datetime | None
    by: datetime | None
    exact: datetime | None = None
    returned: bool = False
    evidence: tuple[Place, ...] = ()

    @property
    def is_contradictory(self) -> bool:
        """Say whether the attested time lies outside of what the records show."""
        if self.exact is None:
            return False
        too_early = self.after is not None and self.exact <= self.after
        return too_early or (self.by is not None and self.exact > self.by)


def bound(
    observations: Sequence[Observation], present_at: datetime | None, exact: datetime | None
) -> Registration:
    """Narrow the interval of a key that is registered now.

    ``observations`` are the earlier records of its scope in the order of time; ``present_at`` is
    the time of the present record, None if that is not known.
    """
    absent = [each for each in observations if not each.key_ids]
    last = absent[-1] if absent else None
    later = [each for each in observations if each.key_ids and (not last or each.at > last.at)]
    first = later[0] if later else None
    returned = last is not None and any(e.key_ids and e.at <= last.at for e in observations)
    evidence = tuple(each.place for each in (last, first) if each)
    by = first.at if first else present_at
    return Registration(last.at if last else None, by, exact, returned, evidence)


def compare(registration: Registration, deployed: datetime) -> Order:
    """Say whether the registration came before or after ``deployed``, if that can be known."""
    if registration.exact is not None:
        if registration.exact == deployed:
            return "equal"
        return "before" if registration.exact < deployed else "after"
    if deployed in {registration.after, registration.by}:
        return "equal"
    if registration.by is not None and registration.by < deployed:
        return "before"
    if registration.after is not None and registration.after > deployed:
        return "undecided" if registration.returned else "after"
    return "undecided"
