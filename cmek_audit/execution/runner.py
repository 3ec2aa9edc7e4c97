"""Runs shards on an executor, and runs again what was lost with a process."""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from typing import TYPE_CHECKING, Literal, NamedTuple

from cmek_audit.execution.worker import judge_shard
from inventory.system.executors import is_worker_lost, open_executor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

    from cmek_audit.execution.worker import ShardTask
    from inventory.system.executors import ExecutorSetting

MOST_ATTEMPTS = 3
"""How often a shard is run whose process is lost each time."""

_AHEAD = 2
"""How many shards wait or run for each process: so that none waits while this process adds up."""


class Outcome(NamedTuple):
    """How a shard ended.

    Attributes:
        task: the shard.
        state: ``judged``; ``unreadable`` if its file has to be read as one; or ``lost``.
    """

    task: ShardTask
    state: Literal["judged", "unreadable", "lost"]


class ShardRuns:
    """The shards of an audit while they are run."""

    def __init__(
        self,
        tasks: Iterable[ShardTask],
        setting: ExecutorSetting,
        work: Callable[[ShardTask], bool] = judge_shard,
    ) -> None:
        """Run ``work`` for each of the ``tasks`` on the executor of ``setting``."""
        self._waiting = deque(tasks)
        self._setting = setting
        self._work = work
        self._losses: Counter[int] = Counter()

    def outcomes(self) -> Iterator[Outcome]:
        """Yield how each shard ended, in the order in which they end.

        Raises whatever a shard raised, unless its process was lost.
        """
        while self._waiting:
            with open_executor(self._setting) as executor:
                yield from self._run(executor)

    def _run(self, executor: Executor) -> Iterator[Outcome]:
        """Run what waits until nothing does, or until the executor is broken."""
        running: dict[Future[bool], ShardTask] = {}
        is_fresh = True
        while self._waiting or running:
            is_broken = not self._submit(executor, running)
            is_fresh &= not running
            ended = wait(running, return_when=FIRST_COMPLETED).done if running else ()
            for future in sorted(ended, key=lambda future: running[future].number):
                task, error = running.pop(future), future.exception()
                if error is None:
                    yield Outcome(task, "judged" if future.result() else "unreadable")
                elif is_worker_lost(error):
                    is_broken |= isinstance(error, BrokenExecutor)
                    yield from self._lose(task)
                else:
                    raise error
            if is_broken and not running:
                if is_fresh:  # it took nothing at all, and the next one may not either
                    yield from self._lose(self._waiting.popleft())
                return

    def _submit(self, executor: Executor, running: dict[Future[bool], ShardTask]) -> bool:
        """Submit what may run now; say whether the executor took it.

        A shard that was lost runs alone: if it is the one that ends processes, no other is lost.
        """
        while self._waiting and self._may_begin(self._waiting[0], running):
            task = self._waiting.popleft()
            try:
                running[executor.submit(self._work, task)] = task
            except BrokenExecutor:
                self._waiting.appendleft(task)
                return False
        return True

    def _may_begin(self, task: ShardTask, running: dict[Future[bool], ShardTask]) -> bool:
        is_suspect = any(self._losses[one.number] for one in (task, *running.values()))
        return not running or not (is_suspect or len(running) >= _AHEAD * self._setting.jobs)

    def _lose(self, task: ShardTask) -> Iterator[Outcome]:
        """Run a lost shard again, unless it was lost too often."""
        self._losses[task.number] += 1
        if self._losses[task.number] < MOST_ATTEMPTS:
            self._waiting.appendleft(task)
        else:
            yield Outcome(task, "lost")
