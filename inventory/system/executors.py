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
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

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


@contextmanager
def open_executor(setting: ExecutorSetting) -> Iterator[Executor]:
    """Open the executor that ``setting`` names; at the end, what is not begun is not run."""
    executor: Executor = (
        _processes(setting.jobs) if setting.kind == "processes" else SerialExecutor()
    )
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def is_worker_lost(error: BaseException) -> bool:
    """Say whether ``error`` means that a worker ended, and not that its task failed."""
    return isinstance(error, BrokenExecutor)


def _processes(jobs: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a fork would copy locks that other threads of pytest may hold.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, context, initializer=_begin_process)


def _begin_process() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that one ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
