"""A Dask cluster as an executor: connected to, checked before any task, and watched.

Dask itself is imported only when a cluster is used.
"""

from __future__ import annotations

import importlib
import logging
import re
import secrets
import threading
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    InvalidStateError,
    ThreadPoolExecutor,
)
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from inventory.errors import SettingError
from inventory.system.dask_worker import (
    Origin,
    SharedFolder,
    answer_in_folder,
    run_checked,
)
from inventory.system.suite_files import suite_hash
from inventory.text.display import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

ADDRESS = re.compile(r"(?:(?:tcp|tls)://)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
"""The address of a scheduler, such as ``tcp://127.0.0.1:8786``."""

_PACKAGE = "cmek-audit"
_SAME = ("python", _PACKAGE, "distributed")
_LOST = "the connection to the scheduler, or the last of the workers, was lost"
_MOST_NAMED = 3
_LONGEST = 200


class WorkerLostError(Exception):
    """Each worker that began a task has ended: it is not the task that failed."""


class ClusterLostError(BrokenExecutor):
    """A cluster does not run tasks any more: its scheduler is lost, or all of its workers are."""


class Patience(NamedTuple):
    """How long a cluster is waited for, in seconds.

    Attributes:
        connecting: until its scheduler answers.
        answering: until all workers answer a question.
        starting: until its first worker is there.
        without_workers: until it is given up, if it has no worker any more.
    """

    connecting: float = 15
    answering: float = 60
    starting: float = 60
    without_workers: float = 60


class DaskExecutor(Executor):
    """Runs tasks on the workers of a Dask cluster.

    A task whose worker ends is run again by the cluster, as often as its scheduler allows. So one
    task can run several times, even at the same time, and only one of its results is returned.

    Attributes:
        slots: how many tasks the cluster runs at the same time: each worker one.
    """

    def __init__(self, client: Any, patience: Patience) -> None:  # noqa: ANN401 (has no types)
        """Run tasks by ``client``, whose cluster has been checked."""
        self._client = client
        self._origin = Origin(suite_hash(), str(Path.cwd()))
        self._patience = patience
        # Not pure: Dask would run equal tasks once only.
        self._executor = client.get_executor(pure=False, retries=0)
        # Only here does a task know Dask's future of it: as long as anything holds that, a cluster
        # that loses a worker runs tasks again that have been finished for long.
        self._pending: dict[Future[Any], Future[Any]] = {}
        self._closed, self._lost = threading.Event(), threading.Event()
        self.slots = max(1, len(_ask(client.nthreads, patience)))
        threading.Thread(target=self._watch, name="dask-watch", daemon=True).start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401 (as the base)
        """Run a function that workers can import.

        The result is a WorkerLostError if each worker that runs it ends, and a ClusterLostError if
        the cluster ends; that is raised here, too, if it has ended before.
        """
        if kwargs:
            raise TypeError("a task on Dask takes no named arguments")
        outer: Future[T] = Future()
        if not self._is_connected():
            raise ClusterLostError(_LOST)
        inner = self._executor.submit(run_checked, self._origin, fn, *args)
        self._pending[outer] = inner
        outer.add_done_callback(self._forget)
        inner.add_done_callback(lambda done: self._pass_on(done, outer))
        return outer

    def _is_connected(self) -> bool:
        """Say whether the scheduler has been there all the time.

        Another one in its place, to which Dask connects by itself, has not checked its workers.
        """
        if self._client.status != "running":
            self._lost.set()
        return not self._lost.is_set()

    def _pass_on(self, inner: Future[T], outer: Future[T]) -> None:
        """Give ``outer`` what became of ``inner``, unless it was cancelled or given up."""
        with suppress(InvalidStateError):
            try:
                outer.set_result(inner.result())
            except CancelledError:
                outer.set_exception(ClusterLostError(_LOST))
                self._lost.set()  # not reached if whoever waits has cancelled the task
            except Exception as error:  # noqa: BLE001 (whoever asks for the result gets it)
                outer.set_exception(_as_lost(error))

    def _forget(self, outer: Future[Any]) -> None:
        """Forget a task that is done; one that was cancelled here is cancelled in the cluster."""
        inner = self._pending.pop(outer)
        if outer.cancelled():
            outer.set_running_or_notify_cancel()  # else whoever waits for it would not wake up
        if not inner.done() and self._is_connected():
            inner.cancel()

    def require_shared(self, folder: Path) -> None:
        """Raise SettingError unless every worker reads and writes the same ``folder``."""
        shared = SharedFolder(str(folder), f".{secrets.token_hex(16)}", secrets.token_hex(16))
        probe = folder / shared.name
        probe.write_text(shared.content, encoding="ascii", newline="\n")
        try:
            answers = _run_on_all(self._client, self._patience, answer_in_folder, shared)
            expected = f"each worker to read and write the folder {folder}"
            _refuse(_failures(answers), expected)
            _refuse(_unseen(answers, folder, shared.content), expected)
        finally:
            for path in folder.glob(f"{shared.name}*"):
                path.unlink(missing_ok=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (as the base)
        """Begin nothing more. What runs on a worker cannot be stopped: its result is not used."""
        if wait and not cancel_futures:
            for future in list(self._pending):
                future.exception()
        self._closed.set()
        for future in list(self._pending):
            future.cancel()

    def _watch(self) -> None:
        """Give up if the cluster has no worker for too long: Dask would wait without end."""
        empty, pause = 0.0, self._patience.without_workers / 10
        while not self._closed.wait(pause):
            empty = 0.0 if self._has_workers() else empty + pause
            if empty >= self._patience.without_workers:
                self._lost.set()
                self._give_up(f"the cluster has no worker for {self._patience.without_workers:g} s")

    def _has_workers(self) -> bool:
        try:
            return bool(_ask(self._client.nthreads, self._patience))
        except Exception:  # noqa: BLE001 (whatever a lost scheduler raises)
            return False

    def _give_up(self, why: str) -> None:
        for future in list(self._pending):
            with suppress(InvalidStateError):  # it may be done at this moment
                future.set_exception(ClusterLostError(why))


def _as_lost(error: BaseException) -> BaseException:
    """Return a WorkerLostError if ``error`` says that workers ended; else ``error``."""
    distributed = importlib.import_module("distributed")
    comm = importlib.import_module("distributed.comm")
    lost = (
        distributed.scheduler.KilledWorker,
        distributed.scheduler.NoValidWorkerError,
        comm.CommClosedError,
    )
    return WorkerLostError(_short(error)) if isinstance(error, lost) else error


# --- opening --------------------------------------------------------------------------------------


@contextmanager
def open_cluster(address: str, patience: Patience | None = None) -> Iterator[DaskExecutor]:
    """Connect to the cluster whose scheduler has ``address``, and check its workers.

    Raises SettingError if Dask is not installed, the scheduler does not answer, there are no
    workers, or one of them has another version of Python, of Dask or of this suite.
    """
    patience = patience or Patience()
    with _silent_client():
        client = _connect(address, patience)
        try:
            _check_workers(client, patience)
            executor = DaskExecutor(client, patience)
            try:
                yield executor
            finally:
                executor.shutdown(cancel_futures=True)
        finally:
            client.close(timeout=patience.connecting)


@contextmanager
def _silent_client() -> Iterator[None]:
    """Keep Dask from printing tracebacks of lost connections: errors here say what happened."""
    logger = logging.getLogger("distributed.client")
    is_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = is_disabled


def _connect(address: str, patience: Patience) -> Any:  # noqa: ANN401 (has no types)
    if not ADDRESS.fullmatch(address):
        found = printable(address, _LONGEST) or "nothing"
        raise _error(found, "the address of a scheduler, such as tcp://127.0.0.1:8786")
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise _error("no library of Dask", "pip install 'cmek-audit[dask]'") from None
    try:
        return distributed.Client(
            address, timeout=patience.connecting, name=_PACKAGE, set_as_default=False
        )
    except Exception as error:  # noqa: BLE001 (of the network, of TLS, of another protocol)
        expected = f"a scheduler that answers within {patience.connecting:g} s"
        raise _error(f"{address}, {_short(error)}", expected) from None


def _check_workers(client: Any, patience: Patience) -> None:  # noqa: ANN401 (has no types)
    distributed = importlib.import_module("distributed")
    try:
        client.wait_for_workers(1, timeout=patience.starting)
    except (TimeoutError, distributed.TimeoutError):
        raise _error(f"no worker within {patience.starting:g} s", "at least one worker") from None
    # Threads of one worker would share its working folder, and one processor.
    threads = _ask(client.nthreads, patience).items()
    several = {name: f"{number} threads" for name, number in threads if number != 1}
    _refuse(several, "one thread a worker (--nthreads 1), and as many workers as processors")
    versions = _ask(lambda: client.get_versions(packages=[_PACKAGE]), patience)
    own = _packages(versions["client"])
    _refuse(dict(_foreign(versions, own)), f"on every machine {_listed(own)}")
    client.register_plugin(_suite_plugin(distributed.WorkerPlugin))
    hashes = _run_on_all(client, patience, suite_hash)
    _refuse(_failures(hashes), "workers on which cmek-audit can be imported")
    other = {
        name: "other code of cmek-audit" for name, one in hashes.items() if one != suite_hash()
    }
    _refuse(other, "the same code on every worker: install it again, and restart the worker")


def _foreign(versions: Mapping[str, Any], own: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each worker, and the scheduler, that has other versions."""
    for name, answer in versions["workers"].items():
        found = _packages(answer)
        if found != own:
            yield name, _listed(found)
    scheduler = _packages(versions["scheduler"])
    if scheduler["distributed"] != own["distributed"]:
        yield "the scheduler", f"distributed {scheduler['distributed']}"


def _packages(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions that must be the same: of Python without its last number."""
    found = {name: str(answer["packages"].get(name) or "missing") for name in _SAME}
    return found | {"python": ".".join(found["python"].split(".")[:2])}


def _listed(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def _suite_plugin(base: type) -> Any:  # noqa: ANN401 (has no types)
    """Return what lets a worker import the suite, also one that joins later or is restarted.

    An installed package carries the suite inside it. The class is local, so that it is sent as it
    is: a worker could not import it yet.
    """

    class SuitePlugin(base):  # type: ignore[misc]
        name = "cmek-audit"

        def setup(self, worker: object) -> None:  # noqa: ARG002 (as the base)
            from importlib import import_module  # noqa: PLC0415 (sent with the function)

            import_module("cmek_audit.install_location").enable()

    return SuitePlugin()


# --- questions to all workers ---------------------------------------------------------------------


def _ask(question: Callable[[], T], patience: Patience) -> T:
    """Return the answer; raise SettingError if it does not come in time.

    Asked in a thread: Dask waits without end for a worker that hangs.
    """
    pool = ThreadPoolExecutor(1, "dask-question")
    try:
        return pool.submit(question).result(timeout=patience.answering)
    except TimeoutError:
        raise _error(f"no answer within {patience.answering:g} s", "workers that answer") from None
    finally:
        pool.shutdown(wait=False)


def _run_on_all(
    client: Any,  # noqa: ANN401 (has no types)
    patience: Patience,
    function: Callable[..., T],
    *args: object,
) -> dict[str, T | BaseException]:
    """Return what ``function`` returns on each worker, or raises there."""
    answers: dict[str, T | BaseException] = _ask(
        lambda: client.run(function, *args, on_error="return"), patience
    )
    return answers


def _failures(answers: Mapping[str, object]) -> dict[str, str]:
    return {
        name: _short(answer)
        for name, answer in answers.items()
        if isinstance(answer, BaseException)
    }


def _unseen(answers: Mapping[str, object], folder: Path, content: str) -> dict[str, str]:
    """Return the workers whose files do not arrive here."""
    return {
        name: "a file that does not arrive here"
        for name, answer in answers.items()
        if not _holds(folder / str(answer), content)
    }


def _holds(path: Path, content: str) -> bool:
    try:
        return path.read_text(encoding="ascii") == content
    except (OSError, ValueError):
        return False


def _refuse(found: Mapping[str, str], expected: str) -> None:
    """Raise SettingError if anything was found; it names some of the workers."""
    if found:
        named = [f"{name}: {what}" for name, what in sorted(found.items())]
        more = [f"{len(named) - _MOST_NAMED} more"] if len(named) > _MOST_NAMED else []
        raise _error("; ".join([*named[:_MOST_NAMED], *more]), expected)


def _short(error: object) -> str:
    text = " ".join(str(error).split())
    return printable(f"{type(error).__name__}: {text}" if text else type(error).__name__, _LONGEST)


def _error(found: str, expected: str) -> SettingError:
    return SettingError(f"the Dask cluster: found {found}, expected {expected}")
