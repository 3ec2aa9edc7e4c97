"""The second step of an audit: every organization is judged, and the findings are added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.evaluation import evaluate
from cmek_audit.execution.sharded import NotDivisibleError, ShardedAudit, ShardPlace
from cmek_audit.execution.tally import GroupId, Selection, Tally, Terms, group_id
from inventory.system.executors import sized_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from checks.engine.grouping import Mode
    from checks.engine.outcome import FindingGroup
    from checks.engine.waivers import State, Waiver
    from cmek_audit.execution.tally import FindingSink
    from cmek_audit.run.preparation import AuditSetup, Prepared
    from inventory.model.sources import Source
    from reports.model.changes import ChangesSummary
    from reports.record.recorder import Recorder


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
    rules = setup.criteria.rules
    tally = Tally(terms_of(setup, selection), rules, sink)
    organizations = prepared.inventory.organizations()
    tally.take(evaluate(organizations, rules, setup.context, tally.add_organization))
    return sum_up(prepared, tally, selection)


def judge_in_shards(
    prepared: Prepared, recorder: Recorder, scratch: Path, selection: Selection | None = None
) -> Judged:
    """Judge as ``judge`` does, in shards; ``scratch`` is an empty folder for them.

    Raises NotDivisibleError if the inventory has to be read as one; what the recorder has got until
    then is worth nothing.
    """
    setup, inventory = prepared.setup, prepared.inventory
    setting = sized_for(setup.options.judging_executor, scratch.resolve())
    split = inventory.split(setting.jobs)
    if split is None:
        raise NotDivisibleError
    terms = terms_of(setup, selection)
    shards = ShardedAudit(split, terms, ShardPlace(scratch), scratch)
    tally = Tally(terms, setup.criteria.rules, recorder)
    shards.put_together(shards.judge(setting), inventory, recorder, tally)
    return sum_up(prepared, tally, selection)


def terms_of(setup: AuditSetup, selection: Selection | None = None) -> Terms:
    """Return by what the organizations of an audit are judged."""
    criteria = setup.criteria
    return Terms(
        context=setup.context,
        gate=setup.gate,
        grouping=setup.options.group,
        waivers=criteria.waivers,
        baseline=criteria.baseline,
        rules_hash=criteria.rules_hash,
        selection=selection,
    )


def sum_up(prepared: Prepared, tally: Tally, selection: Selection | None = None) -> Judged:
    """Return what all findings came to, once the ``tally`` has taken them."""
    setup = prepared.setup
    changes, left_out = tally.changes, selection.left_out if selection else ""
    return Judged(
        setup=setup,
        sources=(*prepared.inventory.sources, *setup.context.history.sources),
        grouping=tally.grouping.mode,
        groups=tally.grouping.groups(),
        waivers=tally.waivers.states(),
        changes=changes.summary(setup.criteria.rules_hash, left_out) if changes else None,
        left_out=left_out,
    )
