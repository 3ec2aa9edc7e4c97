"""The second step of an audit: every organization is judged, and the findings are added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from checks.engine.evaluation import evaluate_in_series
from checks.engine.grouping import Grouping
from checks.engine.pass_series import PassSeries, one_by_one
from checks.engine.waivers import WaiverBook
from inventory.system.garbage_collection import collector_paused
from reports.comparison.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from checks.engine.finding import Finding
    from checks.engine.grouping import Mode
    from checks.engine.outcome import FindingGroup
    from checks.engine.pass_series import Found
    from checks.engine.waivers import State, Waiver
    from cmek_audit.run.preparation import AuditSetup, Prepared
    from inventory.model.organization import Organization
    from inventory.model.sources import Source
    from reports.model.changes import ChangesSummary

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


class Judged(NamedTuple):
    """An audit that was judged; its findings are where the sink put them.

    Attributes:
        setup: how it was made.
        sources: every file of facts that was read, that of the history included.
        grouping: which findings each pytest item answers for.
        groups: the groups of findings, by rule.
        waivers: every waiver, with what became of it.
        changes: what changed since the baseline, as the record states it; None without one.
        left_out: what is missing of the whole, in words; empty if nothing is.
    """

    setup: AuditSetup
    sources: tuple[Source, ...]
    grouping: Mode
    groups: Mapping[str, Sequence[FindingGroup]]
    waivers: Sequence[tuple[Waiver, State]]
    changes: ChangesSummary | None
    left_out: str = ""

    @property
    def group_ids(self) -> frozenset[GroupId]:
        """Return the id of every group."""
        return frozenset(map(group_id, self.all_groups()))

    def all_groups(self) -> Iterator[FindingGroup]:
        """Yield the groups of every rule."""
        return (group for groups in self.groups.values() for group in groups)


def judge(
    prepared: Prepared, sink: FindingSink | None = None, selection: Selection | None = None
) -> Judged:
    """Judge every organization, and hand what is found to ``sink``.

    With a ``selection``, only its findings count. Raises InventoryError if the inventory turns out
    to be unusable; what the sink has got until then is worth nothing.
    """
    setup = prepared.setup
    criteria, as_of = setup.criteria, setup.context.as_of
    book = WaiverBook(criteria.waivers, as_of)
    changes = Changes(criteria.baseline, as_of) if criteria.baseline else None
    mode = selection.grouping if selection else setup.options.group
    grouping = Grouping([rule.card for rule in criteria.rules], setup.gate, mode)
    on_organization = _announce(grouping, sink, changes)
    organizations = prepared.inventory.organizations()
    # The stages are left out where they have nothing to do: there can be millions of findings.
    found = evaluate_in_series(organizations, criteria.rules, setup.context, on_organization)
    if criteria.waivers or selection or changes:
        includes = _includes(selection, grouping) if selection else None
        found = _sort_out(found, book, includes, changes)
    _distribute(found, grouping, sink)
    left_out = selection.left_out if selection else ""
    return Judged(
        setup=setup,
        sources=(*prepared.inventory.sources, *setup.context.history.sources),
        grouping=grouping.mode,
        groups=grouping.groups(),
        waivers=book.states(),
        changes=changes.summary(criteria.rules_hash, left_out) if changes else None,
        left_out=left_out,
    )


def group_id(group: FindingGroup) -> GroupId:
    """Return what identifies ``group``, in this process and in any other."""
    return group.card.id, group.key


def _announce(
    grouping: Grouping, sink: FindingSink | None, changes: Changes | None
) -> Callable[[Organization], None]:
    """Return what announces an organization to all who take its findings."""
    listeners = [listener.add_organization for listener in (sink, changes) if listener is not None]

    def announce(organization: Organization) -> None:
        grouping.name(organization.id, organization.name)
        for listener in listeners:
            listener(organization)

    return announce


def _includes(selection: Selection, grouping: Grouping) -> Callable[[Finding], bool]:
    """Return what says whether a finding is part of ``selection``."""
    return lambda finding: (finding.rule, grouping.key(finding)) in selection.groups


def _sort_out(
    found: Iterable[Found],
    book: WaiverBook,
    includes: Callable[[Finding], bool] | None,
    changes: Changes | None,
) -> Iterator[Found]:
    """Apply waivers, a selection and a baseline; a series that none of them concerns stays one."""
    for entry in found:
        if isinstance(entry, PassSeries) and includes is None:
            is_concerned = book.concerns(entry) or (changes and changes.concerns(entry))
            if not is_concerned:
                yield entry
                continue
        for finding in map(book.apply, one_by_one((entry,))):
            if includes is None or includes(finding):
                yield changes.classify(finding) if changes else finding


def _distribute(found: Iterator[Found], grouping: Grouping, sink: FindingSink | None) -> None:
    """Judge, as what is ``found`` is taken piece by piece, and hand each to those who add it up."""
    takers = [taker for taker in (grouping, sink) if taker is not None]
    with collector_paused():
        for entry in found:
            for taker in takers:
                if isinstance(entry, PassSeries):
                    taker.add_series(entry)
                else:
                    taker.add(entry)
