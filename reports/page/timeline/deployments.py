"""The databases of one key scope, grouped by time and by what is known of their order.

A key scope may have any number of databases: they are counted, and only some of them are named.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from reports.presentation.labels import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

NAMED = 20
"""How many databases of a key scope are named, the worst first."""

_MOST_GROUPS = 400
_PERIODS = (1, 3_600, 86_400, 30 * 86_400, 365 * 86_400)

_RANK = {code: rank for rank, code in enumerate(ORDER)}
_WAIVED = _RANK["waived"]


def rank_of(code: str) -> int:
    """Return what sorts the worst orders first."""
    return _RANK[code]


def is_doubtful(code: str) -> bool:
    """Say whether an order is a failure, an accepted one too, or is not known."""
    return _RANK[code] <= _WAIVED


class Order(NamedTuple):
    """What the audit found of the order of a database and its key.

    Attributes:
        code: a code of ``labels.ORDER``.
        finding: the id of the finding; empty without one.
    """

    code: str
    finding: str = ""


NOT_JUDGED = Order("not-judged")


class Deployment(NamedTuple):
    """A database in the key scope.

    Attributes:
        rank: what sorts the worst first, then those that came first.
        name: its name, for people.
        at: when it was deployed; None if that is not known.
        is_planned: whether it is only planned.
        order: what is known of its order.
    """

    rank: tuple[int, bool, float, str]
    name: str
    at: datetime | None
    is_planned: bool
    order: Order


def deployment(name: str, at: datetime | None, order: Order, *, is_planned: bool) -> Deployment:
    """Return a database of a key scope."""
    rank = (rank_of(order.code), at is None, at.timestamp() if at else 0.0, name)
    return Deployment(rank, name, at, is_planned, order)


class DeploymentGroup(NamedTuple):
    """Databases of one order, deployed from ``first`` to ``last``; ``number`` says how many."""

    code: str
    first: datetime
    last: datetime
    number: int

    def joined(self, other: DeploymentGroup) -> DeploymentGroup:
        """Return this group and ``other`` as one; it is as bad as the worse of the two."""
        code = min(self.code, other.code, key=rank_of)
        first, last = min(self.first, other.first), max(self.last, other.last)
        return DeploymentGroup(code, first, last, self.number + other.number)


class Deployments:
    """The databases of one key scope, of which any number may come.

    Attributes:
        dated: those with a time, in groups.
        planned: how many are planned, by order.
        undated: how many exist since a time that is not known, by order.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.planned: Counter[str] = Counter()
        self.undated: Counter[str] = Counter()
        self._groups: dict[tuple[str, float], DeploymentGroup] = {}
        self._period = 0
        self._named: list[Deployment] = []

    def add(self, database: Deployment) -> None:
        """Add a database."""
        self._named.append(database)
        if len(self._named) > 2 * NAMED:
            self._named = sorted(self._named)[:NAMED]
        code = database.order.code
        if database.is_planned:
            self.planned[code] += 1
        elif database.at is None:
            self.undated[code] += 1
        else:
            self._join([DeploymentGroup(code, database.at, database.at, 1)])
            self._coarsen()

    def _join(self, groups: Iterable[DeploymentGroup]) -> None:
        period = _PERIODS[self._period]
        for group in groups:
            key = group.code, group.first.timestamp() // period
            known = self._groups.get(key)
            self._groups[key] = known.joined(group) if known else group

    def _coarsen(self) -> None:
        """Group by longer periods while there are more groups than a line could show."""
        while len(self._groups) > _MOST_GROUPS and self._period + 1 < len(_PERIODS):
            self._period += 1
            groups = list(self._groups.values())
            self._groups = {}
            self._join(groups)

    @property
    def dated(self) -> list[DeploymentGroup]:
        """Return the groups of databases with a time, in its order."""
        return sorted(self._groups.values(), key=lambda group: (group.first, rank_of(group.code)))

    @property
    def named(self) -> list[Deployment]:
        """Return the databases that are named, the worst first."""
        return sorted(self._named)[:NAMED]

    def codes(self) -> set[str]:
        """Return the orders that any of the databases has."""
        return {*self.planned, *self.undated, *(group.code for group in self._groups.values())}

    def counts(self) -> Counter[str]:
        """Return how many databases have each order, the worst first."""
        counted = self.planned + self.undated
        for group in self._groups.values():
            counted[group.code] += group.number
        return Counter({code: counted[code] for code in ORDER if counted[code]})
