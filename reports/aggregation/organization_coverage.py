"""What is known of the keys of one organization, by its findings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import NOT_COMPLYING, OPEN
from reports.aggregation.coverage_states import COMPLETE, ORDER, PROOFS
from reports.aggregation.id_set import IdSet
from reports.aggregation.protection import OrganizationProtection, place_of
from reports.aggregation.scope_coverage import BASIS, ScopeCoverage, is_unprotected
from reports.aggregation.worst_finding import Worst

if TYPE_CHECKING:
    from checks.engine.card import Severity
    from checks.engine.finding import Finding, Status
    from checks.engine.pass_series import PassSeries
    from inventory.model.vocabulary import DatabaseType, Provider
    from reports.aggregation.worst_finding import ShownFinding

    Place = tuple[DatabaseType, Provider, str]

_DOUBTING = frozenset({*PROOFS, COMPLETE})


class Shared(NamedTuple):
    """One key that is registered for several key scopes, of which only one can call it its own."""

    key: str
    locations: list[Place]


class OrganizationCoverage:
    """What the findings of one organization come to.

    Attributes:
        scopes: its key scopes of which anything is said.
        counts: how many of its findings are open or waived, by status.
        unread: the rules on keys that could not judge all there is.
        unprotected: the existing databases that no customer key encrypts in some region.
        open: how many of its findings are open, by severity.
        protection: how well its databases are protected.
    """

    __slots__ = (
        "_doubt",
        "_worst",
        "counts",
        "open",
        "protection",
        "scopes",
        "unprotected",
        "unread",
    )

    def __init__(self) -> None:
        """Start with no finding."""
        self.scopes: dict[Place, ScopeCoverage] = {}
        self.unprotected = IdSet()
        self.counts: Counter[Status] = Counter()
        self.open: Counter[Severity] = Counter()
        self.protection = OrganizationProtection()
        self._worst = Worst()
        self._doubt = Worst()
        self.unread: frozenset[str] = frozenset()

    @property
    def worst(self) -> ShownFinding | None:
        """Return the worst that is open or waived."""
        return self._worst.finding

    @property
    def doubt(self) -> ShownFinding | None:
        """Return the worst of those that leave open whether all was read and judged."""
        return self._doubt.finding

    def add(self, finding: Finding) -> None:
        """Take a finding about the organization or about anything in it."""
        subject = finding.subject
        self.protection.add(finding)
        if finding.status in NOT_COMPLYING:
            self.counts[finding.status] += 1
            self.open[finding.severity] += finding.status in OPEN
            self._worst.add(finding)
            if is_unprotected(finding):
                self.unprotected.add(subject.database)
        if subject.region:
            self._scope(finding).add(finding)
        elif finding.status in NOT_COMPLYING:
            self._take_doubt(finding)

    def add_series(self, series: PassSeries) -> None:
        """Take the passes of ``series``; as ``add`` with each."""
        pattern = series.pattern
        if pattern.rule != ORDER:
            for finding in series.findings():
                self.add(finding)
            return
        self.protection.add_series(series)
        self._scope(pattern).add(pattern)

    def _scope(self, finding: Finding) -> ScopeCoverage:
        place = place_of(finding)
        if place not in self.scopes:
            self.scopes[place] = ScopeCoverage()
        return self.scopes[place]

    def _take_doubt(self, finding: Finding) -> None:
        if finding.rule in BASIS:
            self.unread |= {finding.rule}
        is_whole = finding.subject.kind == "organization" or finding.rule == COMPLETE
        if is_whole and finding.severity != "advisory" and finding.rule in _DOUBTING:
            self._doubt.add(finding)

    def fold(self) -> None:
        """Count the databases by their protection, once all findings located here have come."""
        lacking, shared = self.shared()
        self.protection.fold(lacking, {place for key in shared for place in key.locations})
        self.unprotected.pack()

    def shared(self) -> tuple[set[Place], list[Shared]]:
        """Return the scopes whose only key is another's, and the keys of which that is not known.

        A key counts for one scope: for the one whose provider and region its id names. Where it
        names several of them, or none, one of these lacks a key of its own: which is unknown.
        """
        holders: dict[str, list[Place]] = {}
        for place in sorted(self.scopes):
            scope = self.scopes[place]
            for key in scope.keys if scope.state == "covered" else ():
                holders.setdefault(key, []).append(place)
        served = {places[0] for places in holders.values() if len(places) == 1}
        missing: set[Place] = set()
        shared: list[Shared] = []
        for key, places in sorted(holders.items()):
            rivals = [place for place in places if place not in served]
            fitting = [place for place in rivals if key in self.scopes[place].fitting]
            group = fitting or rivals
            missing.update(rivals if len(rivals) > 1 else ())
            missing.difference_update(group)
            served.update(rivals)
            if len(group) > 1:
                shared.append(Shared(key, group))
        return missing, shared
