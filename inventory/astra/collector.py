"""A live audit's first half: organizations are read from Astra, and recorded as evidence.

Many organizations are shared among processes, as understanding and recording the answers takes
more time than fetching them. Each process writes its own, and this one puts them together.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.astra.config import token_of
from inventory.astra.worker import JobResult, WorkerJob, run_job
from inventory.errors import ProcessError
from inventory.evidence.folder import free_place, locked_folder, prepare, previous_of
from inventory.evidence.writer import BundleWriter, Tally, WrittenBundle
from inventory.system.signals import termination_interrupts
from inventory.text.secrets import TokenVariables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.context import SpawnProcess

    from inventory.astra.config import Organizations
    from inventory.text.secrets import Token

WORTH_A_PROCESS = 32
"""How many organizations make it worth while to start one more process."""

_POLL_SECONDS = 0.5


class Progress(NamedTuple):
    """How far the collecting is.

    Attributes:
        done: how many organizations are done.
        total: how many there are.
        requests: how many requests were made for those that are done.
        name: the name of the one that was done last.
        note: a sentence to be shown beside, such as what was removed.
    """

    done: int
    total: int
    requests: int = 0
    name: str = ""
    note: str = ""


class Collected(NamedTuple):
    """What was collected: the path of the bundle, and the tokens that must never be written."""

    bundle: str
    tokens: tuple[Token, ...]


def collect(
    wanted: Organizations,
    folder: str,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Collected:
    """Read all organizations of ``wanted``, and record them as a bundle in ``folder``.

    Tokens come from ``environment``, by default the process's own. What could not be read stands
    in the bundle as gaps. What collections that were killed left in the folder is removed.

    Raises SettingError if the folder, the proxy or the certificates cannot be used, or another
    process collects into the folder, InventoryError if it holds anything strange, EvidenceError if
    its bundles are damaged or no chain, LeakError if a secret would be written, and ProcessError if
    a process breaks; nothing is left behind then, nor if interrupted or told to end.
    """
    started = datetime.now(UTC)
    # under the same name, so that nothing on the stack shows any more what the variables hold
    environment = TokenVariables({each.token for each in wanted.organizations}, environment)
    held = [token_of(organization, environment) for organization in wanted.organizations]
    tokens = tuple(token for token in held if token is not None)

    def say(note: str) -> None:
        tell(Progress(0, len(wanted.organizations), note=note))

    with termination_interrupts(), locked_folder(Path(folder)) as own:
        chain = prepare(own, say)
        bundle = free_place(own, started, chain)
        made = WrittenBundle(_tool(), wanted.address, started, previous_of(chain))
        dump = wanted.model_dump_json(by_alias=True, exclude_defaults=True, indent=1)
        writer = BundleWriter(bundle, made, f"{dump}\n".encode())
        try:
            shares, count = split_into_jobs(wanted, writer.staging), _counting(wanted, tell)
            _read_all(shares, environment, writer.tally, count)
            writer.finish(datetime.now(UTC), tokens)
        finally:
            writer.discard()
    return Collected(bundle.as_posix(), tokens)


def _tool() -> str:
    try:
        return f"cmek-audit {version('cmek-audit')}"
    except PackageNotFoundError:
        return "cmek-audit, not installed"


def _counting(
    wanted: Organizations, tell: Callable[[Progress], None]
) -> Callable[[JobResult], None]:
    """Return what makes of each organization that is done how far the whole is."""
    counts = {"done": 0, "requests": 0}
    total = len(wanted.organizations)
    tell(Progress(0, total))

    def count(done: JobResult) -> None:
        counts["done"] += 1
        counts["requests"] += done.requests
        tell(Progress(counts["done"], total, counts["requests"], done.name))

    return count


# --- shares ---------------------------------------------------------------------------------------


def split_into_jobs(wanted: Organizations, staging: Path) -> list[WorkerJob]:
    """Divide ``wanted`` among as many processes as are worth while, every so-many-eth to each."""
    manners, every = wanted.manners, list(enumerate(wanted.organizations, 1))
    count = max(1, min(os.cpu_count() or 1, len(every) // WORTH_A_PROCESS, manners.connections))
    until = time.time() + manners.deadline_seconds
    shares = []
    for first in range(count):
        own = every[first::count]
        some = wanted.model_copy(update={"organizations": tuple(each for _, each in own)})
        connections = manners.connections // count
        numbers = tuple(number for number, _ in own)
        shares.append(WorkerJob(some, numbers, str(staging), connections, until))
    return shares


def _read_all(
    shares: list[WorkerJob],
    tokens: Mapping[str, str],
    tally: Tally,
    tell: Callable[[JobResult], None],
) -> None:
    if len(shares) == 1:
        tally.join(run_job(shares[0], tokens, tell))
        return
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    processes: list[SpawnProcess] = []
    try:
        with ThreadPoolExecutor(1, initializer=_hear_no_interruption) as starter:
            for share in shares:
                arguments = (share, tokens, told.put)
                process = context.Process(target=run_in_processes, args=arguments, daemon=True)
                processes.append(process)
                starter.submit(process.start).result()
        _listen(told, processes, tally, tell)
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()


def _hear_no_interruption() -> None:
    """Let processes that this thread starts be deaf to Ctrl-C: the one that started them hears it.

    No interruption comes between the start of a process and its being known, either, as only the
    main thread is interrupted.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def end_with_parent(end: Callable[[int], object] = os._exit) -> None:
    """End this process as soon as the one that started it does.

    That one ends its processes, unless it is killed: they would go on asking Astra, and writing
    into a folder that the next collection removes.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        arguments = (parent.sentinel, end)
        threading.Thread(target=_await_end, args=arguments, daemon=True).start()


def _await_end(sentinel: int, end: Callable[[int], object]) -> None:
    connection.wait([sentinel])
    end(1)


def run_in_processes(
    share: WorkerJob, tokens: Mapping[str, str], put: Callable[[object], None]
) -> None:
    """Read ``share`` in this process, and put what is done, the tally or the error."""
    end_with_parent()
    try:
        put(run_job(share, tokens, put))
    except KeyboardInterrupt:
        pass
    except Exception as error:  # noqa: BLE001 (it is raised where somebody hears it)
        put(_portable(error))


def _portable(error: Exception) -> Exception:
    """Return ``error`` if it can travel between processes, else one that tells what it was."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (our own, a moment old)
    except Exception:  # noqa: BLE001 (whatever cannot be pickled fails in its own way)
        return ProcessError(f"a process broke: {type(error).__name__}")
    return error


def _listen(
    told: Any,  # noqa: ANN401 (a queue between processes)
    processes: list[SpawnProcess],
    tally: Tally,
    tell: Callable[[JobResult], None],
) -> None:
    """Hear what the processes tell until each has told its tally; raise what broke one."""
    waiting, lost = len(processes), False
    while waiting:
        try:
            message = told.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            if lost:  # for the second time: what it told before its end has been heard by now
                raise ProcessError("a process ended without having told what it read") from None
            lost = sum(process.is_alive() for process in processes) < waiting
            continue
        if isinstance(message, Exception):
            raise message
        if isinstance(message, Tally):
            tally.join(message)
            waiting -= 1
        else:
            tell(message)
