"""Jobs given to the workers of a cluster, again if a worker is lost, and what becomes of them."""

from __future__ import annotations

import shutil
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.astra.cluster.attempt import Attempt, Attempted, run_attempt
from inventory.evidence.exchange import Failure
from inventory.evidence.writer import Tally, move_staged, staged_files
from inventory.system.executors import is_worker_lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from inventory.astra.worker import JobResult, WorkerJob

LOST = Failure(reason="process-lost", detail="each process that began to read it ended")
"""What is recorded of an organization that no worker has finished; no request was sent."""

MOST_ATTEMPTS = 2
"""How often an organization is given to a cluster, which itself makes several attempts each."""


class Cluster(NamedTuple):
    """Where jobs run.

    Attributes:
        executor: what runs them.
        slots: how many run at the same time.
        folder: the folder, shared with the workers, in which attempts write.
    """

    executor: Executor
    slots: int
    folder: Path


class _Given(NamedTuple):
    """A job that was given to a cluster, and how often its organizations were."""

    job: WorkerJob
    attempts: int


class ClusterJobs:
    """The jobs of one collection.

    Attributes:
        tally: the totals of what has arrived.
        lost: a job for each organization that no worker has finished.
    """

    def __init__(
        self, cluster: Cluster, staging: Path, on_done: Callable[[JobResult], None]
    ) -> None:
        """Run jobs on ``cluster``, and move what they write to ``staging``."""
        self.tally = Tally()
        self.lost: list[WorkerJob] = []
        self._cluster = cluster
        self._staging = staging
        self._on_done = on_done

    def run(self, jobs: Iterable[WorkerJob]) -> None:
        """Run all ``jobs``; raise what a job raises.

        Never more at once than there are slots: a job that waits for a worker would lose its time.
        """
        waiting = deque(_Given(job, 1) for job in jobs)
        running: dict[Future[Attempted], _Given] = {}
        while waiting or running:
            while waiting and len(running) < self._cluster.slots:
                given = waiting.popleft()
                running[self._submit(given.job)] = given
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                waiting += self._receive(future, running.pop(future))

    def _submit(self, job: WorkerJob) -> Future[Attempted]:
        attempt = Attempt(job, str(self._cluster.folder), job.until - time.time())
        try:
            return self._cluster.executor.submit(run_attempt, attempt)
        except BrokenExecutor as error:  # it is lost like a job that had begun
            lost: Future[Attempted] = Future()
            lost.set_exception(error)
            return lost

    def _receive(self, future: Future[Attempted], given: _Given) -> list[_Given]:
        """Take what a job has written; return what has to be run again."""
        error = future.exception()
        if error is None and self._adopt(future.result()):
            return []
        if error is not None and not is_worker_lost(error):
            raise error
        if given.attempts < MOST_ATTEMPTS:
            return [_Given(job, given.attempts + 1) for job in one_by_one(given.job)]
        self.lost += one_by_one(given.job)
        return []

    def _adopt(self, attempted: Attempted) -> bool:
        """Move what was written to the bundle; return whether all of it has arrived here."""
        folder = self._cluster.folder / attempted.name
        is_whole = staged_files(folder) == attempted.files
        if is_whole:
            move_staged(folder, self._staging)
        shutil.rmtree(folder, ignore_errors=True)
        if not is_whole:
            return False
        self.tally.merge(attempted.tally)
        for result in attempted.results:
            self._on_done(result)
        return True


def one_by_one(job: WorkerJob) -> list[WorkerJob]:
    """Return a job for each organization: one that ends its workers must not take others along."""
    numbered = zip(job.numbers, job.configuration.organizations, strict=True)
    return [
        job._replace(
            numbers=(number,),
            configuration=job.configuration.model_copy(update={"organizations": (config,)}),
        )
        for number, config in numbered
    ]
