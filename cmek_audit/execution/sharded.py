"""An audit in shards: the inventory is divided, each shard judged, and all of them put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.evaluation import judge_across
from cmek_audit.execution.runner import MOST_ATTEMPTS, ShardRuns
from cmek_audit.execution.shard_files import discard_shard, read_shard, shard_folder
from cmek_audit.execution.worker import ShardTask, give_up_shard, judge_shard, store_terms
from inventory.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from checks.engine.context import Summary
    from cmek_audit.execution.tally import FindingTally, Terms
    from inventory.files.entry_reader import PartRead
    from inventory.inventory import Inventory
    from inventory.inventory_parts import SplitInventory
    from inventory.system.executors import ExecutorSetting
    from reports.record.recorder import Recorder


class NotDivisibleError(Exception):
    """The inventory has to be read as one: only then its problems are reported as they should."""


class ShardPlace(NamedTuple):
    """Where the shards of an audit are.

    Attributes:
        folder: the folder in which each shard has one.
        audit: the hash of all that the audit is made of; of shards that are not kept, any.
        finished: the numbers of the shards that are there already, and were checked.
        is_kept: whether the shards stay there once they are put together.
    """

    folder: Path
    audit: str = "0" * 64
    finished: Collection[int] = ()
    is_kept: bool = False


class ShardedAudit:
    """The shards of one audit."""

    def __init__(
        self, split: SplitInventory, terms: Terms, place: ShardPlace, scratch: Path
    ) -> None:
        """Judge ``split`` by ``terms``; ``scratch`` is a folder of this audit alone."""
        self._split = split
        self._place = place
        self._names: set[str] = set()
        stored = store_terms(terms, scratch)
        folder = str(place.folder.resolve())
        self._tasks = [
            ShardTask(number, part, stored, folder, place.audit, is_kept=place.is_kept)
            for number, part in enumerate(split.parts, 1)
        ]

    def judge(
        self,
        setting: ExecutorSetting,
        wanted: Callable[[int], bool] = lambda _: True,
        work: Callable[[ShardTask], bool] = judge_shard,
    ) -> Iterator[int]:
        """Judge the ``wanted`` shards that are not finished, and yield the number of each.

        Those that are finished come first. ``work`` is what judges a shard. Raises
        NotDivisibleError if a part cannot be read.
        """
        some = [task for task in self._tasks if wanted(task.number)]
        finished = self._place.finished
        yield from (task.number for task in some if task.number in finished)
        runs = ShardRuns((task for task in some if task.number not in finished), setting, work)
        for task, state in runs.outcomes():
            is_judged = state == "judged" or (
                state == "lost" and give_up_shard(task, MOST_ATTEMPTS)
            )
            if not is_judged:
                raise NotDivisibleError
            yield task.number

    def put_together(
        self,
        numbers: Iterable[int],
        inventory: Inventory,
        recorder: Recorder,
        tally: FindingTally,
    ) -> None:
        """Add the shards up in their order, as their ``numbers`` come, and judge across them."""
        ready: set[int] = set()
        summaries: list[Summary] = []
        read: list[PartRead] = []
        following = 1
        for number in numbers:
            ready.add(number)
            while following in ready:
                self._add(following, recorder, tally, summaries, read)
                following += 1
        self._finish(inventory, read)
        tally.take(judge_across(summaries, tally.rules, tally.terms.context))

    def _add(
        self,
        number: int,
        recorder: Recorder,
        tally: FindingTally,
        summaries: list[Summary],
        read: list[PartRead],
    ) -> None:
        folder = self._place.folder
        result = read_shard(folder, self._place.audit, number)
        # An organization in two shards would be counted wrongly before the inventory refuses it.
        if not self._names.isdisjoint(result.population.names):
            raise NotDivisibleError
        self._names.update(result.population.names)
        added = result.aggregates, result.population
        lines = result.findings, result.population_lines
        recorder.merge(added, lines, shard_folder(folder, number))
        tally.merge(result.grouping, result.waivers, result.changes)
        summaries += result.summaries
        if result.read is not None:
            read.append(result.read)
        if not self._place.is_kept:
            discard_shard(folder, number)

    def _finish(self, inventory: Inventory, read: Sequence[PartRead]) -> None:
        """Let the inventory take what was read of its file."""
        try:
            inventory.take(self._split, read)
        except InventoryError:
            raise NotDivisibleError from None
