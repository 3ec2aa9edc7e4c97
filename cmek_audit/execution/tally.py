"""What takes the findings of an audit, or of a shard of it, and adds them up."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

from checks.engine.grouping import Grouping
from checks.engine.pass_series import PassSeries, one_by_one
from checks.engine.waivers import WaiverBook
from inventory.system.garbage_collection import collector_paused
from reports.comparison.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from checks.engine.catalogue import Rule
    from checks.engine.context import Context
    from checks.engine.finding import Finding
    from checks.engine.grouping import GroupingSetting, Mode
    from checks.engine.outcome import FindingGroup, Gate
    from checks.engine.pass_series import Found
    from checks.engine.waivers import Waiver
    from inventory.model.organization import Organization
    from reports.comparison.baseline import Baseline

GroupId = tuple[str, str]
"""What identifies a group of findings: the rule's id, and the group's key."""


class FindingSink(Protocol):
    """What takes the findings while they come: each organization, and then its findings."""

    def add_organization(self, organization: Organization) -> None:
        """Take note of an organization of which findings will come."""

    def add(self, finding: Finding) -> None:
        """Take a finding."""

    def add_series(self, series: PassSeries) -> None:
        """Take passes that differ in little; as ``add`` with each."""


class Selection(NamedTuple):
    """The part of an audit that a run came to; all other findings are left out.

    Attributes:
        groups: the groups that are kept.
        grouping: what each of them is of.
        left_out: what is missing of the whole, in words.
    """

    groups: AbstractSet[GroupId]
    grouping: Mode
    left_out: str


class Terms(NamedTuple):
    """By what the organizations of an audit are judged, in whatever process.

    Attributes:
        context: what the rules know beside an organization.
        gate: which open findings stop.
        grouping: which findings each pytest item answers for.
        waivers: every waiver; none if the audit leaves them out.
        baseline: the earlier audit with which this one is compared; None if none was given.
        rules_hash: the hash of what judges: a process that has another must not take part.
        selection: the part of the audit that counts; None if all of it does.
    """

    context: Context
    gate: Gate
    grouping: GroupingSetting
    waivers: tuple[Waiver, ...]
    baseline: Baseline | None
    rules_hash: str
    selection: Selection | None = None


class FindingTally:
    """Applies waivers, selection and baseline to findings, groups them, and hands them on.

    Attributes:
        terms: by what they are judged.
        rules: the rules.
        grouping: the groups of findings.
        waivers: what became of each waiver.
        changes: what changed since the baseline; None without one.
    """

    def __init__(
        self, terms: Terms, rules: Sequence[Rule], sink: FindingSink | None = None
    ) -> None:
        """Start with no finding; ``sink`` gets those that count."""
        mode = terms.selection.grouping if terms.selection else terms.grouping
        self.terms = terms
        self.rules = rules
        self.grouping = Grouping([rule.card for rule in rules], terms.gate, mode)
        self.waivers = WaiverBook(terms.waivers, terms.context.as_of)
        self.changes = Changes(terms.baseline, terms.context.as_of) if terms.baseline else None
        self._has_waivers = bool(terms.waivers)
        self._selection = terms.selection
        self._sink = sink

    def add_organization(self, organization: Organization) -> None:
        """Announce an organization to all who take its findings."""
        self.grouping.name(organization.id, organization.name)
        for listener in (self._sink, self.changes):
            if listener is not None:
                listener.add_organization(organization)

    def take(self, found: Iterator[Found]) -> None:
        """Judge, as what is ``found`` is taken piece by piece, and hand each to who adds it up."""
        takers = [taker for taker in (self.grouping, self._sink) if taker is not None]
        with collector_paused():
            for entry in self._applied(found):
                for taker in takers:
                    if isinstance(entry, PassSeries):
                        taker.add_series(entry)
                    else:
                        taker.add(entry)

    def _applied(self, found: Iterator[Found]) -> Iterator[Found]:
        """Apply waivers, selection and baseline; a series that none of them concerns stays one."""
        # The stages are left out where they have nothing to do: there can be millions of findings.
        if not (self._has_waivers or self._selection or self.changes):
            return found
        return chain.from_iterable(map(self._apply, found))

    def _apply(self, entry: Found) -> Iterator[Found]:
        if isinstance(entry, PassSeries) and not self._is_concerned(entry):
            yield entry
            return
        for finding in map(self.waivers.apply, one_by_one((entry,))):
            if self._selection is None or self._is_selected(finding, self._selection):
                yield self.changes.classify(finding) if self.changes else finding

    def _is_concerned(self, series: PassSeries) -> bool:
        """Say whether a selection, a waiver or the baseline may treat its passes differently."""
        if self._selection is not None or self.waivers.concerns(series):
            return True
        return self.changes is not None and self.changes.concerns(series)

    def _is_selected(self, finding: Finding, selection: Selection) -> bool:
        return (finding.rule, self.grouping.key(finding)) in selection.groups

    def merge(self, grouping: Grouping, waivers: WaiverBook, changes: Changes | None) -> None:
        """Add what another tally of the same terms holds, of organizations after these."""
        self.grouping.merge(grouping)
        self.waivers.merge(waivers)
        if self.changes and changes:
            self.changes.merge(changes)


def group_id(group: FindingGroup) -> GroupId:
    """Return what identifies ``group``, in this process and in any other."""
    return group.card.id, group.key
