"""The second step of an audit: every organization is judged, and the findings are added up."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import utc
from checks.engine.evaluation import evaluate_in_series
from cmek_audit.execution.kept_shards import KeptShards, ShardPlan, fingerprint
from cmek_audit.execution.sharded import NotDivisibleError, ShardedAudit, ShardPlace
from cmek_audit.execution.tally import FindingTally, GroupId, Selection, Terms, group_id
from cmek_audit.run.preparation import prepare, repeating_options
from cmek_audit.run.provenance import version_of
from inventory.errors import ShardError
from inventory.past.chains import condense
from inventory.system.executors import sized_for
from inventory.system.suite_files import suite_hash
from inventory.text.display import pluralize
from reports.record.writer import TOOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from checks.engine.grouping import Mode
    from checks.engine.outcome import FindingGroup
    from checks.engine.waivers import State, Waiver
    from cmek_audit.execution.tally import FindingSink
    from cmek_audit.run.option_values import Options, Share
    from cmek_audit.run.preparation import AuditSetup, Prepared
    from inventory.astra.collector import Progress
    from inventory.inventory_parts import SplitInventory
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
        notes: what is to be said about shards of earlier runs.
    """

    setup: AuditSetup
    sources: tuple[Source, ...]
    grouping: Mode
    groups: Mapping[str, Sequence[FindingGroup]]
    waivers: Sequence[tuple[Waiver, State]]
    changes: ChangesSummary | None
    left_out: str = ""
    notes: tuple[str, ...] = ()

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
    tally = FindingTally(terms_of(setup, selection), rules, sink)
    organizations = prepared.inventory.organizations()
    tally.take(evaluate_in_series(organizations, rules, setup.context, tally.add_organization))
    return sum_up(prepared, tally, selection)


def judge_in_shards(
    prepared: Prepared, recorder: Recorder, scratch: Path, selection: Selection | None = None
) -> Judged:
    """Judge as ``judge`` does, in shards; ``scratch`` is an empty folder for them.

    Raises NotDivisibleError if the inventory has to be read as one; what the recorder has got until
    then is worth nothing.
    """
    setup = prepared.setup
    options = setup.options
    # The part of an audit that pytest came to is judged by itself: no other run can use it.
    kept = KeptShards(options.shard_dir) if options.shard_dir and selection is None else None
    terms = terms_of(setup, selection)
    tally = FindingTally(terms, setup.criteria.rules, recorder)
    with kept.locked() if kept else nullcontext():
        setting = sized_for(options.judged_on, scratch.resolve())
        division = divide(prepared, kept, scratch, setting.jobs)
        shards = ShardedAudit(division.split, terms, division.place, scratch)
        numbers = shards.judge(setting)
        shards.put_together(numbers, prepared.inventory, recorder, tally)
    return sum_up(prepared, tally, selection)._replace(notes=division.notes)


def prepare_to_go_on(
    options: Options, on_progress: Callable[[Progress], None] = lambda _: None
) -> Prepared:
    """Prepare as ``prepare`` does; if the audit goes on from kept shards, as of their time.

    So it does if no time is given, and if nothing but that differs.
    """
    if options.shard_dir is None or options.as_of:
        return prepare(options, on_progress)
    kept = KeptShards(options.shard_dir)
    if (as_of := kept.as_of(datetime.now(UTC))) is None:
        return prepare(options, on_progress)
    earlier = prepare(options.model_copy(update={"as_of": as_of}), on_progress)
    known = kept.plan()
    split = earlier.inventory.split(known.divided_for) if known else None
    if known and split and _plan(earlier, split, known.divided_for).audit == known.audit:
        return earlier
    return prepare(options, on_progress)


def judge_share(prepared: Prepared, share: Share, scratch: Path) -> str:
    """Judge a share of the shards, and keep them; return what was done, and what comes next.

    Raises ShardError if the folder holds shards of another audit, or if the inventory cannot be
    divided.
    """
    setup = prepared.setup
    kept = KeptShards(str(setup.options.shard_dir))
    try:
        setting = sized_for(setup.options.judged_on, scratch.resolve())
        division = divide(prepared, kept, scratch, setting.jobs)
        shards = ShardedAudit(division.split, terms_of(setup), division.place, scratch)
        judged = list(shards.judge(setting, division.wanted))
    except NotDivisibleError:
        found = "an inventory that has to be read as one"
        expected = "one that can be divided; an audit without --cmek-shard shows what is wrong"
        raise ShardError(f"--cmek-shard: found {found}, expected {expected}") from None
    count = pluralize(len(judged), "shard")
    return (
        f"NO VERDICT: share {share} ({count}) was judged and is kept in {kept.folder}. When all "
        f"shares are there: cmek-audit merge {kept.folder}"
    )


class Division(NamedTuple):
    """An inventory divided into shards.

    Attributes:
        split: its parts.
        place: where the shards are.
        wanted: says of the number of a shard whether this run judges it.
        notes: what the run has to say about earlier shards.
    """

    split: SplitInventory
    place: ShardPlace
    wanted: Callable[[int], bool] = lambda _: True
    notes: tuple[str, ...] = ()


def divide(prepared: Prepared, kept: KeptShards | None, scratch: Path, jobs: int) -> Division:
    """Divide the inventory; shards are in the folder of the ``kept`` ones, or in ``scratch``.

    ``jobs`` are judged at the same time, unless other runs judge a share each.

    Raises NotDivisibleError if it has to be read as one, and ShardError if the kept ones are of
    another audit and may not be replaced.
    """
    options = prepared.setup.options
    jobs = options.shard.of if options.shard else jobs
    known = kept.plan() if kept else None
    divided_for = known.divided_for if known else max(1, jobs)
    split = prepared.inventory.split(divided_for)
    if split is None:
        raise NotDivisibleError
    if kept is None:
        return Division(split, ShardPlace(scratch))
    plan = _plan(prepared, split, divided_for)
    if options.shard:
        return _of_share(kept, _require_same(kept, plan, options.shard), split, options.shard)
    kept.remove_unfinished()
    return _going_on(kept, plan, known, split)


def _of_share(kept: KeptShards, plan: ShardPlan, split: SplitInventory, share: Share) -> Division:
    """Divide for a run that judges one share, or merges all."""
    numbers = range(1, plan.shards + 1)
    if share.merges:
        finished = kept.require_all(plan)
        return Division(split, ShardPlace(kept.folder, plan.audit, finished, is_kept=True))
    own = [number for number in numbers if plan.share_of(number) == share.number]
    place = ShardPlace(kept.folder, plan.audit, kept.finished(plan, own), is_kept=True)
    return Division(split, place, frozenset(own).__contains__)


def _require_same(kept: KeptShards, plan: ShardPlan, share: Share) -> ShardPlan:
    """Return the plan in the folder, begun if need be; raise ShardError if it is of another audit.

    No run with a share may remove what another one has judged.
    """
    if share.merges and kept.plan() is None:
        raise ShardError(f"{kept.folder}: found no shards, expected those of an audit")
    known = kept.begin(plan)
    if known.audit != plan.audit:
        expected = "those of this one, of the same files and options, or an empty folder"
        raise ShardError(f"{kept.folder}: found shards of another audit, expected {expected}")
    if not share.merges and known.shares != share.of:
        found = f"an audit in {known.shares} shares"
        raise ShardError(f"{kept.folder}: found {found}, expected one in {share.of}")
    return known


def _going_on(
    kept: KeptShards, plan: ShardPlan, known: ShardPlan | None, split: SplitInventory
) -> Division:
    """Divide for a run that judges what no earlier run has judged, or starts over."""
    notes = []
    if known is not None and known.audit != plan.audit:
        kept.start_over()
        notes.append(f"the shards in {kept.folder} were of another audit, so it starts over")
    plan = kept.begin(plan)
    finished = kept.finished(plan, range(1, plan.shards + 1))
    if finished:
        count = f"{len(finished):,} of {pluralize(plan.shards, 'shard')}"
        notes.append(f"{count} are taken from {kept.folder}, judged as of {utc(plan.as_of)}")
    place = ShardPlace(kept.folder, plan.audit, finished, is_kept=True)
    return Division(split, place, notes=tuple(notes))


def _plan(prepared: Prepared, split: SplitInventory, divided_for: int) -> ShardPlan:
    setup = prepared.setup
    context, options = setup.context, setup.options
    sources = (*prepared.inventory.sources, *context.history.sources)
    audit = fingerprint(
        [
            (version_of(TOOL), suite_hash(), setup.criteria.rules_hash),
            (context.as_of, context.max_age, context.kms, context.rotation_days),
            (setup.gate, options.group, setup.input_files),
            [(source.path, source.role, source.sha256) for source in sources],
            (split.file.sha256 if split.file else "", len(split.parts)),
        ]
    )
    return ShardPlan(
        audit=audit,
        as_of=context.as_of,
        divided_for=divided_for,
        shards=len(split.parts),
        shares=options.shard.of if options.shard else 0,
        options=repeating_options(setup),
    )


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


def sum_up(prepared: Prepared, tally: FindingTally, selection: Selection | None = None) -> Judged:
    """Return what all findings came to, once the ``tally`` has taken them."""
    setup = prepared.setup
    changes, left_out = tally.changes, selection.left_out if selection else ""
    return Judged(
        setup=setup,
        sources=(*prepared.inventory.sources, *condense(setup.context.history.sources)),
        grouping=tally.grouping.mode,
        groups=tally.grouping.groups(),
        waivers=tally.waivers.states(),
        changes=changes.summary(setup.criteria.rules_hash, left_out) if changes else None,
        left_out=left_out,
    )
