"""Databases of one key scope that pass in the same words, but for the time of each.

Whether a key came before a database follows from comparing times. The answer can only change at one
of the times that are compared: between two neighbours of them it is found once, and holds for every
database that was deployed there. What is no pass, or falls on such a time, is judged on its own.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import utc
from checks.engine.finding import Subject, with_databases
from checks.engine.pass_series import PassSeries
from inventory.index.deployments import Deployments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from checks.engine.card import Card
    from checks.engine.finding import Finding
    from checks.engine.pass_series import Found
    from checks.shared.verdicts import Verdict
    from inventory.index.deployments import Deployment
    from inventory.model.base import SourceLocation

TIME = "\0"
"""What is in a message in place of the database's time; no text of an inventory can hold it."""


class Judgement(NamedTuple):
    """What is found of a database by its time.

    Attributes:
        verdict: what is found; its message has ``TIME`` where the database's own time goes.
        evidence: where it was read, beside the database's own location.
    """

    verdict: Verdict
    evidence: tuple[SourceLocation, ...]


class SharedPasses:
    """The passes that databases of one key scope share, each found once."""

    def __init__(
        self,
        times: Iterable[datetime],
        is_dated: Callable[[Deployment], bool],
        judge: Callable[[Deployment], Judgement],
    ) -> None:
        """Share what ``judge`` finds, which compares with no other times than ``times``.

        ``is_dated`` says whether a deployment is judged by its time alone, if that is recorded. It
        is asked once for each kind of deployments that are alike.
        """
        self._bounds = sorted(set(times))
        self._is_dated = is_dated
        self._judge = judge
        self._known: dict[int, Judgement | None] = {}

    def of(self, deployment: Deployment) -> Judgement | None:
        """Return the pass that ``deployment`` shares; None if it has to be judged on its own."""
        time = deployment.deployed if self._is_dated(deployment) else None
        place = None if time is None else self._span(time)
        if place is None:
            return None
        if place not in self._known:
            found = self._judge(deployment)
            is_shared = found.verdict.status == "pass" and found.verdict.message.count(TIME) == 1
            self._known[place] = found if is_shared else None
        return self._known[place]

    def of_all(self, deployments: Deployments) -> Judgement | None:
        """Return the pass that all of ``deployments`` share; None if that cannot be known so.

        In a fleet nearly all do, and then the first and the last time are enough to see it.
        """
        if not all(map(self._is_dated, deployments.examples())):
            return None
        times = [time for time in deployments.deployed if time is not None]
        if len(times) < len(deployments):
            return None
        span = self._span(min(times))
        is_one = span is not None and span == self._span(max(times))
        return self.of(deployments[0]) if is_one else None

    def _span(self, time: datetime) -> int | None:
        """Return the number of the span that holds ``time``; None if it is a bound itself."""
        place = bisect_left(self._bounds, time)
        is_bound = place < len(self._bounds) and self._bounds[place] == time
        return None if is_bound else place


def judge_in_series(
    card: Card,
    deployments: Deployments,
    passes: SharedPasses,
    judge: Callable[[Deployment], Finding],
) -> Iterator[Found]:
    """Yield what is found of each of ``deployments``: ``passes`` in series, the others one by one.

    The order is that of the deployments.
    """
    if of_all := passes.of_all(deployments):
        yield _series(card, of_all, deployments)
        return
    for shared, alike in groupby(deployments, passes.of):
        if shared is None:
            yield from map(judge, alike)
        else:
            yield _series(card, shared, Deployments(alike))


def _series(card: Card, shared: Judgement, deployments: Deployments) -> PassSeries:
    verdict, evidence = shared
    before, _, after = verdict.message.partition(TIME)
    subject = Subject("database-region", "", *deployments[0].scope)
    pattern = verdict.on_subject(card, subject, evidence)._replace(message="")
    return PassSeries(
        pattern=with_databases(pattern, card, 1, planned=0),
        before=before,
        after=after,
        ids=deployments.ids,
        names=deployments.names,
        locations=deployments.locations,
        times=[utc(time) for time in deployments.deployed if time is not None],
    )
