"""A Dask cluster: what is refused before any task, and what becomes of tasks that are lost."""

from __future__ import annotations

import os
import shutil
import sys
import time
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dask
import pytest
from distributed import Security

from inventory.errors import SettingError
from inventory.system import dask_cluster
from inventory.system.dask_cluster import ClusterLostError, DaskExecutor, Patience, open_cluster
from tests.clusters.local import ROOT, kill, local_cluster, processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import LocalCluster

    from tests.clusters.local import Processes

SHORT = Patience(connecting=30, answering=30, starting=30, without_workers=30)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with local_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Processes]:
    """Start a scheduler of the test's own, without workers."""
    (tmp_path / "own").mkdir()
    with processes(tmp_path / "own") as running:
        yield running


def refusal(address: str, patience: Patience = SHORT) -> str:
    with pytest.raises(SettingError) as caught, open_cluster(address, patience):
        pass
    return str(caught.value)


def until(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


# --- tasks, which workers find by their names -----------------------------------------------------


def note(folder: str, seconds: float = 0) -> int:
    """Leave a file that names this process, and wait."""
    (Path(folder) / f"{os.getpid()}-{uuid4().hex}").touch()
    time.sleep(seconds)
    return os.getpid()


def pids(folder: Path) -> list[int]:
    return [int(path.name.partition("-")[0]) for path in folder.iterdir()]


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["", "nowhere", "inproc://1/2", "tcp://127.0.0.1"])
def test_no_address(address: str) -> None:
    """What is no address of a scheduler is refused, and shown."""
    found = address or "nothing"
    expected = "expected the address of a scheduler, such as tcp://127.0.0.1:8786"
    assert refusal(address) == f"the Dask cluster: found {found}, {expected}"


def test_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Dask, the error says how to install it."""

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    expected = "found no library of Dask, expected pip install 'cmek-audit[dask]'"
    assert refusal("127.0.0.1:8786") == f"the Dask cluster: {expected}"


def test_scheduler_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    """A scheduler that does not answer in time is named, without a traceback of Dask."""
    text = refusal("tcp://127.0.0.1:1", Patience(connecting=0.5))
    assert text.startswith("the Dask cluster: found tcp://127.0.0.1:1, ")
    assert text.endswith(", expected a scheduler that answers within 0.5 s")
    assert capfd.readouterr().err == ""


def test_cluster_without_workers(own: Processes) -> None:
    """A cluster without workers is refused when none has come in time."""
    text = refusal(own.address, Patience(starting=0.3))
    assert text == "the Dask cluster: found no worker within 0.3 s, expected at least one worker"


OTHER_VERSION = """
import importlib.metadata
known = importlib.metadata.version
importlib.metadata.version = lambda name: "0.0.1" if name == "cmek-audit" else known(name)
"""
NOT_INSTALLED = """
import importlib.metadata
known = importlib.metadata.version
def version(name):
    if name == "cmek-audit":
        raise importlib.metadata.PackageNotFoundError(name)
    return known(name)
importlib.metadata.version = version
"""
OTHER_PYTHON = """
import distributed.versions
known_packages = distributed.versions.get_package_info
distributed.versions.get_package_info = lambda packages: {
    **known_packages(packages), "python": "3.10.1.final.0",
}
"""


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (NOT_INSTALLED, "cmek-audit missing"),
        pytest.param(OTHER_VERSION, "cmek-audit 0.0.1", marks=pytest.mark.slow),
        pytest.param(OTHER_PYTHON, "python 3.10", marks=pytest.mark.slow),
    ],
)
def test_worker_of_another_version(own: Processes, code: str, found: str) -> None:
    """A worker with another version, or without the suite, is named with what it has."""
    own.start_worker(code)
    text = refusal(own.address)
    assert text.startswith("the Dask cluster: found tcp://127.0.0.1:")
    assert f"{found}" in text.partition(", expected on every machine python 3.")[0]


@pytest.mark.slow
def test_worker_with_several_threads(tmp_path: Path) -> None:
    """A worker with several threads is refused: they share what each task needs alone."""
    with local_cluster(tmp_path, n_workers=1, threads_per_worker=2) as cluster:
        text = refusal(cluster.scheduler_address)
    expected = "one thread a worker (--nthreads 1), and as many workers as processors"
    assert text.endswith(f": 2 threads, expected {expected}")


@pytest.mark.slow
def test_worker_with_other_code(own: Processes, tmp_path: Path) -> None:
    """A worker of the same version, but with other code, is refused: it could judge otherwise."""
    for part in ("cmek_audit", "inventory", "checks", "reports"):
        shutil.copytree(ROOT / part, tmp_path / "copy" / part)
    with (tmp_path / "copy/checks/reasons.yaml").open("a") as file:
        file.write("# changed\n")
    own.start_worker(PYTHONPATH=str(tmp_path / "copy"))
    expected = "the same code on every worker: install it again, and restart the worker"
    text = refusal(own.address)
    assert text.endswith(f": other code of cmek-audit, expected {expected}")


def test_every_refused_worker_counts() -> None:
    """An error names some of many workers, and counts the others."""
    found = {f"tcp://127.0.0.1:{number}": "something else" for number in range(1, 6)}
    with pytest.raises(SettingError) as caught:
        dask_cluster._refuse(found, "nothing of the kind")
    named = "; ".join(f"tcp://127.0.0.1:{number}: something else" for number in range(1, 4))
    assert str(caught.value) == (
        f"the Dask cluster: found {named}; 2 more, expected nothing of the kind"
    )


def test_scheduler_of_another_version() -> None:
    """A scheduler with another version of Dask is named, whatever its workers have."""
    own = {"python": "3.11", "cmek-audit": "0.1.0", "distributed": "2026.1"}
    packages = own | {"python": "3.11.7.final.0"}
    versions = {
        "workers": {"tcp://127.0.0.1:1": {"packages": packages}},
        "scheduler": {"packages": packages | {"distributed": "2025.1", "cmek-audit": None}},
    }
    assert list(dask_cluster._foreign(versions, own)) == [("the scheduler", "distributed 2025.1")]


def test_worker_that_does_not_answer() -> None:
    """A worker that hangs does not hold up an audit without end."""
    with pytest.raises(SettingError, match=r"found no answer within 0\.05 s, expected workers"):
        dask_cluster._ask(lambda: time.sleep(0.5), Patience(answering=0.05))


def test_suite_inside_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker finds the suite inside an installed package, also when it joins later."""

    class Base:
        pass

    monkeypatch.setattr("sys.path", sys.path[1:])
    dask_cluster._suite_plugin(Base).setup(None)
    assert sys.path[0] == str(ROOT)


@pytest.mark.slow
def test_encrypted_connections(tmp_path: Path) -> None:
    """With an address of TLS, Dask's own settings give the certificates; without them it ends."""
    security = Security.temporary()  # type: ignore[no-untyped-call]
    settings = {
        "distributed.comm.tls.ca-file": security.tls_ca_file,
        "distributed.comm.tls.client.cert": security.tls_client_cert,
        "distributed.comm.tls.client.key": security.tls_client_key,
    }
    with local_cluster(tmp_path, n_workers=1, security=security) as cluster:
        address = cluster.scheduler_address
        assert address.startswith("tls://")
        assert refusal(address).startswith(f"the Dask cluster: found {address}, ")
        with dask.config.set(settings), open_cluster(address, SHORT) as executor:
            assert executor.submit(abs, -3).result(timeout=30) == 3


# --- the shared folder ----------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_folder_that_workers_do_not_see(
    cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that leads to another folder on a worker is refused, and the worker is named."""
    monkeypatch.chdir(tmp_path)
    with (
        open_cluster(cluster.scheduler_address, SHORT) as executor,
        pytest.raises(SettingError) as caught,
    ):
        executor.require_shared(Path("/proc/self/cwd"))
    expected = "expected each worker to read and write the folder /proc/self/cwd"
    assert "FileNotFoundError" in str(caught.value)
    assert str(caught.value).endswith(expected)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_takes_nothing_back(cluster: LocalCluster, tmp_path: Path) -> None:
    """A folder whose copy a worker writes to is refused: what it writes does not arrive."""
    answers = {"tcp://127.0.0.1:1": "seen", "tcp://127.0.0.1:2": "gone", "tcp://127.0.0.1:3": "bad"}
    (tmp_path / "seen").write_text("content", encoding="ascii")
    (tmp_path / "bad").write_bytes(b"\xff")
    unseen = "a file that does not arrive here"
    assert dask_cluster._unseen(answers, tmp_path, "content") == {
        "tcp://127.0.0.1:2": unseen,
        "tcp://127.0.0.1:3": unseen,
    }


# --- tasks that are lost --------------------------------------------------------------------------


def test_worker_killed_in_mid_task(cluster: LocalCluster, tmp_path: Path) -> None:
    """A task whose worker is killed by its process id is run again by another one."""
    with open_cluster(cluster.scheduler_address, SHORT) as executor:
        result = executor.submit(note, str(tmp_path), 2)
        until(lambda: pids(tmp_path))
        (first,) = pids(tmp_path)
        kill(first)
        assert result.result(timeout=30) != first
        assert len(pids(tmp_path)) == 2


def test_finished_tasks_are_not_run_again(cluster: LocalCluster, tmp_path: Path) -> None:
    """A worker that ends takes no result with it: what is finished is run once only."""
    with open_cluster(cluster.scheduler_address, SHORT) as executor:
        done = [executor.submit(note, str(tmp_path)) for _ in range(6)]
        worker = done[0].result(timeout=30)
        assert len({result.result(timeout=30) for result in done}) <= 2
        until(lambda: not executor._pending)
        # That nothing holds the results any more reaches the scheduler a moment later.
        scheduler: Any = cluster.scheduler
        until(lambda: not scheduler.tasks)
        kill(worker)
        assert executor.submit(note, str(tmp_path)).result(timeout=30) != worker
        assert len(pids(tmp_path)) == 7


def test_task_that_is_not_wanted(cluster: LocalCluster, tmp_path: Path) -> None:
    """A task that is cancelled wakes up whoever waits for it; the others go on."""
    with open_cluster(cluster.scheduler_address, SHORT) as executor:
        running = [executor.submit(note, str(tmp_path), 1) for _ in range(2)]
        waiting = executor.submit(note, str(tmp_path))
        assert waiting.cancel()
        assert wait([waiting], timeout=20).not_done == set()
        executor.shutdown()
        assert all(result.result() for result in running)


def test_named_arguments(cluster: LocalCluster) -> None:
    """Named arguments are refused: Dask would take some of them for its own."""
    with open_cluster(cluster.scheduler_address, SHORT) as executor, pytest.raises(TypeError):
        executor.submit(note, str(ROOT), seconds=1)


def test_end_leaves_nothing_waiting(cluster: LocalCluster, tmp_path: Path) -> None:
    """When an audit ends, what runs on the cluster is cancelled, and nobody waits for it."""
    with open_cluster(cluster.scheduler_address, SHORT) as executor:
        result = executor.submit(note, str(tmp_path), 5)
        until(lambda: pids(tmp_path))
    assert result.cancelled()


def test_scheduler_killed_in_mid_task(
    own: Processes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """If the scheduler is lost, so is every task, at once; a later one is not even sent."""
    own.start_worker()
    with open_cluster(own.address, SHORT) as executor:
        (tmp_path / "notes").mkdir()
        result = executor.submit(note, str(tmp_path / "notes"), 60)
        until(lambda: pids(tmp_path / "notes"))
        own.running[0].kill()
        error = result.exception(20)
        with pytest.raises(ClusterLostError) as caught:
            executor.submit(note, str(tmp_path))
    assert isinstance(error, ClusterLostError)
    assert str(error) == str(caught.value) == dask_cluster._LOST
    assert capfd.readouterr().err == ""


def test_cluster_that_loses_all_workers(own: Processes, tmp_path: Path) -> None:
    """If all workers end and none comes back, tasks are given up."""
    worker = own.start_worker()
    with open_cluster(own.address, Patience(without_workers=2)) as executor:
        (tmp_path / "notes").mkdir()
        result = executor.submit(note, str(tmp_path / "notes"), 60)
        until(lambda: pids(tmp_path / "notes"))
        worker.kill()
        error = result.exception(20)
    assert isinstance(error, ClusterLostError)
    assert str(error) == "the cluster has no worker for 2 s"


def test_unreachable_scheduler_has_no_workers(cluster: LocalCluster) -> None:
    """A scheduler that cannot be asked counts as one without workers."""
    with open_cluster(cluster.scheduler_address, SHORT) as executor:
        assert executor._has_workers()
    assert not executor._has_workers()
    assert isinstance(executor, DaskExecutor)
