"""The first half of a live audit: reads organizations from Astra, and records them as evidence.

Many organizations are split among processes, as parsing and recording the answers takes more time
than fetching them: processes of this machine, or workers of a cluster. Each writes its own
organizations, and this process combines them.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.astra.cluster.jobs import LOST, Cluster, ClusterJobs
from inventory.astra.config import token_of
from inventory.astra.worker import JobResult, WorkerJob, record_unread, run_job
from inventory.errors import ProcessError
from inventory.evidence.folder import free_bundle_path, locked_folder, prepare_folder, previous_of
from inventory.evidence.writer import BundleInfo, BundleWriter, Tally
from inventory.past.summaries import require_continued
from inventory.system.executors import (
    ExecutorSetting,
    end_with_parent,
    open_executor,
    require_shared_folder,
    tasks_at_once,
)
from inventory.system.signals import termination_interrupts
from inventory.system.token_files import read_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.context import SpawnProcess

    from inventory.astra.config import Organizations
    from inventory.text.secrets import Secret

WORTH_A_PROCESS = 32
"""How many organizations are worth the start of one more process."""

_POLL_SECONDS = 0.5


class Progress(NamedTuple):
    """How far the collection is.

    Attributes:
        done: how many organizations are done.
        total: how many there are.
        requests: how many requests those that are done took.
        name: the name of the one that was done last.
        note: a sentence to show, such as what was removed.
    """

    done: int
    total: int
    requests: int = 0
    name: str = ""
    note: str = ""


class Collected(NamedTuple):
    """What was collected: the path of the bundle, and the tokens that must never be written."""

    bundle: str
    tokens: tuple[Secret, ...]


def collect(
    configuration: Organizations,
    folder: str,
    environment: Mapping[str, str] | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    executor: ExecutorSetting | None = None,
) -> Collected:
    """Read all organizations of ``configuration``, and record them as a bundle in ``folder``.

    Tokens come from ``environment``, by default the process's own. What could not be read becomes
    gaps in the bundle. What killed collections left in the folder is removed.

    ``executor`` says where organizations are read; None for as many processes as are worth their
    start. Workers of a cluster have their own tokens, and search what they write for them.

    Raises SettingError if the folder, the proxy or the certificates cannot be used, or another
    process collects into the folder, InventoryError if it holds an unknown file, EvidenceError if
    its bundles are damaged or not one chain, LeakError if a secret would be written, and
    ProcessError if a process fails. Then, and after an interruption or a termination, nothing is
    left behind.
    """
    started = datetime.now(UTC)
    every = configuration.organizations
    # Under the same name, so that nothing on the stack shows what the variables hold.
    environment = read_tokens({organization.token for organization in every}, environment)
    tokens = [token_of(organization, environment) for organization in every]
    secrets: tuple[Secret, ...] = tuple(token for token in tokens if token is not None)

    def notify(note: str) -> None:
        on_progress(Progress(0, len(every), note=note))

    with termination_interrupts(), locked_folder(Path(folder)) as locked:
        chain = prepare_folder(locked, notify)
        bundle = free_bundle_path(locked, started, chain, require_continued(locked, chain))
        info = BundleInfo(
            tool=_tool_version(),
            address=configuration.asked_address,
            started=started,
            previous=previous_of(chain),
            cloud_addresses=configuration.clouds.addresses,
        )
        dump = configuration.model_dump_json(by_alias=True, exclude_defaults=True, indent=1)
        writer = BundleWriter(bundle, info, f"{dump}\n".encode())
        try:
            counter = _progress_counter(len(every), on_progress)
            if executor and executor.kind == "dask":
                run_on_cluster(configuration, executor, writer, counter)
            else:
                jobs = split_into_jobs(configuration, writer.staging, executor)
                secrets += _run_jobs(jobs, environment, writer.tally, counter)
            writer.finish(datetime.now(UTC), secrets)
        finally:
            writer.discard()
    return Collected(bundle.as_posix(), secrets)


def _tool_version() -> str:
    try:
        return f"cmek-audit {version('cmek-audit')}"
    except PackageNotFoundError:
        return "cmek-audit, not installed"


def _progress_counter(
    total: int, on_progress: Callable[[Progress], None]
) -> Callable[[JobResult], None]:
    """Return a function that adds up results, and reports the progress after each of them."""
    counts = {"done": 0, "requests": 0}
    on_progress(Progress(0, total))

    def count(result: JobResult) -> None:
        counts["done"] += 1
        counts["requests"] += result.requests
        on_progress(Progress(counts["done"], total, counts["requests"], result.name))

    return count


# --- jobs -----------------------------------------------------------------------------------------


def split_into_jobs(
    configuration: Organizations, staging: Path, executor: ExecutorSetting | None = None
) -> list[WorkerJob]:
    """Divide ``configuration`` among as many processes as are worth their start.

    ``executor`` says how many there may be at most; None for as many as there are processors.
    """
    most = executor.jobs if executor else os.cpu_count() or 1
    number, connections = len(configuration.organizations), configuration.requests.connections
    count = max(1, min(most, number // WORTH_A_PROCESS, connections))
    return _split(configuration, staging, count, connections // count)


def _split(
    configuration: Organizations, staging: Path, count: int, connections: int
) -> list[WorkerJob]:
    """Divide ``configuration`` into ``count`` jobs, each with so many ``connections``.

    Each gets every so-many-eth organization, as neighbours in the file are often alike in size.
    """
    every = list(enumerate(configuration.organizations, 1))
    until = time.time() + configuration.requests.deadline_seconds
    jobs = []
    for first in range(count):
        numbered = every[first::count]
        organizations = tuple(organization for _, organization in numbered)
        job = WorkerJob(
            configuration=configuration.model_copy(update={"organizations": organizations}),
            numbers=tuple(number for number, _ in numbered),
            staging=str(staging),
            connections=connections,
            until=until,
        )
        jobs.append(job)
    return jobs


def run_on_cluster(
    configuration: Organizations,
    setting: ExecutorSetting,
    writer: BundleWriter,
    on_done: Callable[[JobResult], None],
) -> None:
    """Let the workers of a cluster read all organizations, and move what they write to ``writer``.

    An organization that no worker finishes is recorded as lost. Raises SettingError if the cluster
    cannot be used, or does not share the folder of the bundle.
    """
    # Beside the bundle: a worker that is given up but still runs must not write into it.
    folder = writer.staging.with_name(f"{writer.staging.name}-jobs").absolute()
    folder.mkdir()
    try:
        with open_executor(setting) as executor:
            require_shared_folder(executor, folder)
            connections = configuration.requests.connections
            slots = min(tasks_at_once(setting, executor), connections)
            number = len(configuration.organizations)
            count = min(number, max(slots, -(-number // WORTH_A_PROCESS)))
            jobs = ClusterJobs(Cluster(executor, slots, folder), writer.staging, on_done)
            jobs.run(_split(configuration, writer.staging, count, connections // slots))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    writer.tally.merge(jobs.tally)
    writer.tally.merge(record_unread(jobs.lost, LOST, on_done))


def _run_jobs(
    jobs: list[WorkerJob],
    tokens: Mapping[str, str],
    tally: Tally,
    on_done: Callable[[JobResult], None],
) -> tuple[Secret, ...]:
    """Run each job in a process of its own, or a single one in this process.

    Returns the credentials of clouds that this process has found. No other process passes on its
    own: it has searched what it wrote for them itself.
    """
    if len(jobs) == 1:
        found = FoundSecrets()
        tally.merge(run_job(jobs[0], tokens, on_done, found.add))
        return found.all()
    # Spawned, not forked: a fork would copy locks that other threads of pytest may hold.
    context = multiprocessing.get_context("spawn")
    messages: Any = context.Queue()
    processes: list[SpawnProcess] = []
    try:
        with ThreadPoolExecutor(1, initializer=_block_interrupts) as starter:
            for job in jobs:
                arguments = (job, tokens, messages.put)
                process = context.Process(target=run_in_process, args=arguments, daemon=True)
                processes.append(process)
                starter.submit(process.start).result()
        _receive(messages, processes, tally, on_done)
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()
    return ()


class FoundSecrets:
    """Credentials that were found while organizations were read, each once; threads share it."""

    def __init__(self) -> None:
        """Start with none."""
        self._found: dict[frozenset[str], Secret] = {}

    def add(self, tokens: tuple[Secret, ...]) -> None:
        """Add ``tokens``, which may be known from another organization."""
        for token in tokens:
            self._found.setdefault(frozenset(token.needles()), token)

    def all(self) -> tuple[Secret, ...]:
        """Return all of them."""
        return tuple(self._found.values())


def _block_interrupts() -> None:
    """Make the processes that this thread starts ignore Ctrl-C, which this process handles.

    Only the main thread is interrupted, so no interruption can come between the start of a process
    and its entry in the list of processes to end.
    """
    if hasattr(
        signal, "pthread_sigmask"
    ):  # not on Windows, where only main threads are interrupted
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def run_in_process(
    job: WorkerJob, tokens: Mapping[str, str], put: Callable[[object], None]
) -> None:
    """Run ``job`` in this process; put each result, then the tally or the error."""
    end_with_parent()
    try:
        put(run_job(job, tokens, put))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # noqa: BLE001 (the main process raises it)
        put(_picklable(error))


def _picklable(error: Exception) -> Exception:
    """Return ``error`` if it can be sent between processes, else one that names its type."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (our own, a moment old)
    except Exception:  # noqa: BLE001 (whatever cannot be pickled fails in its own way)
        return ProcessError(f"a process failed: {type(error).__name__}")
    return error


def _receive(
    messages: Any,  # noqa: ANN401 (a queue between processes)
    processes: list[SpawnProcess],
    tally: Tally,
    on_done: Callable[[JobResult], None],
) -> None:
    """Receive messages until each process has sent its tally; raise the first error sent."""
    waiting, is_lost = len(processes), False
    while waiting:
        try:
            message = messages.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            if (
                is_lost
            ):  # since the last poll: what it sent before its end would have arrived by now
                raise ProcessError("a process ended without reporting what it read") from None
            is_lost = sum(process.is_alive() for process in processes) < waiting
            continue
        if isinstance(message, Exception):
            raise message
        if isinstance(message, Tally):
            tally.merge(message)
            waiting -= 1
        else:
            on_done(message)
