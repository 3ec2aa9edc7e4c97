"""Where the shards of an audit run: in this process, in several, or on a Dask cluster.

Each is an ``Executor`` of the standard library, so that whoever submits work knows nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from inventory.system.dask_cluster import ADDRESS, DaskExecutor, WorkerLostError, open_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class ExecutorSetting(NamedTuple):
    """Which executor an audit uses.

    Attributes:
        kind: ``serial`` for this process, ``processes`` for several, ``dask`` for a cluster.
        jobs: how many shards run at the same time; of a cluster, what it has.
        address: the address of the cluster's scheduler; else empty.
    """

    kind: Literal["serial", "processes", "dask"] = "serial"
    jobs: int = 1
    address: str = ""


class SerialExecutor(Executor):
    """Runs each task at once, in the thread that submits it."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 (as the base)
        """Run the task, and return its result as a future that is done.

        An interruption is raised here, as it would be without an executor.
        """
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (whoever asks for the result gets it)
            future.set_exception(error)
        return future


def parse_executor(text: str) -> ExecutorSetting | None:
    """Return the setting that ``serial``, ``processes`` or ``dask=ADDRESS`` means; else None."""
    kind, separator, address = text.partition("=")
    if kind == "dask" and ADDRESS.fullmatch(address):
        return ExecutorSetting("dask", address=address)
    if separator:
        return None
    if kind == "processes":
        return ExecutorSetting("processes", jobs=os.cpu_count() or 1)
    return ExecutorSetting() if kind == "serial" else None


@contextmanager
def open_executor(setting: ExecutorSetting) -> Iterator[Executor]:
    """Open the executor that ``setting`` names; at the end, what is not begun is not run.

    Raises SettingError if a cluster cannot be used.
    """
    if setting.kind == "dask":
        with open_cluster(setting.address) as cluster:
            yield cluster
        return
    executor: Executor = (
        _processes(setting.jobs) if setting.kind == "processes" else SerialExecutor()
    )
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def is_worker_lost(error: BaseException) -> bool:
    """Say whether ``error`` means that a worker ended, and not that its task failed.

    A cluster has then run the task again, as often as its scheduler allows. A BrokenExecutor says
    that the executor runs nothing any more, too.
    """
    return isinstance(error, BrokenExecutor | WorkerLostError)


def tasks_at_once(setting: ExecutorSetting, executor: Executor) -> int:
    """Return how many tasks ``executor``, opened by ``setting``, runs at the same time."""
    return executor.slots if isinstance(executor, DaskExecutor) else setting.jobs


def sized_for(setting: ExecutorSetting, folder: Path) -> ExecutorSetting:
    """Return ``setting`` with the number of tasks that run at once.

    Raises SettingError if a cluster cannot be used, or does not share ``folder``, as the function
    below.
    """
    if setting.kind != "dask":
        return setting
    with open_executor(setting) as executor:
        require_shared_folder(executor, folder)
        return setting._replace(jobs=tasks_at_once(setting, executor))


def require_shared_folder(executor: Executor, folder: Path) -> None:
    """Raise SettingError unless every worker of ``executor`` reads and writes ``folder``.

    Processes of this machine do. ``folder`` exists, and its path is absolute.
    """
    if isinstance(executor, DaskExecutor):
        executor.require_shared(folder)


def _processes(jobs: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a fork would copy locks that other threads of pytest may hold.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, context, initializer=_begin_process)


def _begin_process(end: Callable[[int], object] = os._exit) -> None:
    """Leave Ctrl-C to the process that started this one, and end when that one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(end)


def end_with_parent(end: Callable[[int], object] = os._exit) -> None:
    """End this process as soon as the one that started it ends.

    That one ends its processes itself, unless it is killed. Then they would go on sending requests
    and writing, into folders that the next run removes.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        arguments = (parent.sentinel, end)
        threading.Thread(target=_end_after, args=arguments, daemon=True).start()


def _end_after(sentinel: int, end: Callable[[int], object]) -> None:
    connection.wait([sentinel])
    end(1)
