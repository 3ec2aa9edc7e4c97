"""Organizations are read by workers of a cluster, and a lost worker loses nothing unnoticed."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Self

import pytest
from distributed import Client

from inventory.astra.cluster.jobs import Cluster, ClusterJobs, one_by_one
from inventory.astra.collector import Progress, collect
from inventory.astra.replay import replay
from inventory.errors import SettingError
from inventory.evidence.writer import make_staging
from inventory.system.executors import ExecutorSetting, SerialExecutor
from inventory.text.secrets import Token
from tests.astra.faults import FIRST, Fault
from tests.astra.server import Running
from tests.clusters.local import kill, local_cluster, processes
from tests.clusters.proxy import recording_proxy
from tests.inventory.astra.cluster.fleets import (
    FLEET,
    FULL,
    SMALL,
    configuration,
    content,
    job_of,
    read,
    reasons,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from inventory.astra.worker import JobResult


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a cluster whose workers have all tokens, and that tries each task twice."""
    with local_cluster(
        tmp_path_factory.mktemp("cluster"),
        env=FLEET.environment,
        scheduler_kwargs={"allowed_failures": 1},
    ) as cluster:
        yield cluster.scheduler_address


def on(address: str) -> ExecutorSetting:
    return ExecutorSetting("dask", address=address)


class Killer(threading.Thread):
    """Kills workers that run a job, by their process ids: so many, or all that begin one."""

    def __init__(self, address: str, server: Running, most: int = 1_000) -> None:
        super().__init__(daemon=True)
        self.killed = 0
        self._address = address
        self._server = server
        self._most = most
        self._ended = threading.Event()

    def run(self) -> None:
        with Client(  # type: ignore[no-untyped-call]
            self._address, set_as_default=False
        ) as client:
            while self.killed < self._most and not self._ended.wait(0.05):
                if self._server.requests:
                    self._kill_busy(client)

    def _kill_busy(self, client: Any) -> None:  # noqa: ANN401 (Dask's)
        busy = [name for name, tasks in client.processing().items() if tasks]
        for pid in client.run(os.getpid, workers=busy[:1], on_error="ignore").values():
            kill(pid)
            self.killed += 1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


# --- the whole ------------------------------------------------------------------------------------


def test_cluster_reads_what_one_process_reads(
    server: Running, address: str, tmp_path: Path
) -> None:
    """Workers read the same as one process does, with their own tokens, and a replay agrees."""
    seen: list[Progress] = []
    alone = collect(configuration(server.address), str(tmp_path / "a"), FLEET.environment)
    sent = len(server.requests)
    together = collect(
        configuration(server.address), str(tmp_path / "b"), {}, seen.append, executor=on(address)
    )
    assert content(together.bundle) == content(alone.bundle)
    assert replay(together.bundle).manifest.requests == sent
    assert [path.as_posix() for path in (tmp_path / "b").iterdir()] == [together.bundle]
    assert together.tokens == ()
    assert [progress.done for progress in seen] == [0, 1, 2]
    assert seen[-1].requests == sent


def test_token_that_no_worker_has(address: str, server: Running, tmp_path: Path) -> None:
    """An organization whose token the workers lack is a gap, and the others are read."""
    data = configuration(server.address)
    first, second = data.organizations
    unknown = first.model_copy(update={"token": "ASTRA_TOKEN_NOWHERE"})
    changed = data.model_copy(update={"organizations": (unknown, second)})
    collected = collect(changed, str(tmp_path), FLEET.environment, executor=on(address))
    assert reasons(collected.bundle) == {FULL.name: {"no-token"}, SMALL.name: set()}
    assert replay(collected.bundle).manifest.failures == 0


def test_job_that_fails(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a job raises is raised here: it would fail again on another worker."""
    (tmp_path / "token").write_text(FULL.token, encoding="utf-8")
    (tmp_path / "token").chmod(0o644)
    monkeypatch.setenv(f"{FULL.variable}_FILE", str(tmp_path / "token"))
    jobs = ClusterJobs(Cluster(SerialExecutor(), 1, tmp_path), tmp_path, lambda _: None)
    with pytest.raises(SettingError, match="found a file with the permissions 0644, expected"):
        jobs.run([job_of(server.address, tmp_path)])
    assert server.requests == []


# --- lost workers ---------------------------------------------------------------------------------


def test_worker_killed_while_it_reads(server: Running, address: str, tmp_path: Path) -> None:
    """A job whose worker is killed begins again, and no half of the first attempt is kept."""
    server.faults = tuple(Fault("stall-headers", "databases", FIRST) for _ in range(2))
    with Killer(address, server, most=1) as killer:
        collected = collect(
            configuration(server.address, timeout_seconds=3), str(tmp_path), executor=on(address)
        )
    assert killer.killed == 1
    assert reasons(collected.bundle) == {FULL.name: set(), SMALL.name: set()}
    manifest = replay(collected.bundle).manifest
    assert manifest.organizations == 2
    assert [path.as_posix() for path in tmp_path.iterdir()] == [collected.bundle]


@pytest.mark.slow
def test_organizations_that_no_worker_finishes(
    server: Running, address: str, tmp_path: Path
) -> None:
    """If each worker that reads an organization ends, it is a gap, and a replay agrees."""
    server.faults = (Fault("stall-headers", "organization"),)
    clouds = {"ask": ("aws",)}
    data = configuration(server.address)
    first, second = data.organizations
    key = "arn:aws:kms:us-east-2:111122223333:key/1a2b3c4d-0001-4000-8000-000000000001"
    asking = data.model_copy(
        update={
            "clouds": data.clouds.model_copy(update=clouds),
            "organizations": (first, second.model_copy(update={"cloud_keys": (key,)})),
        }
    )
    with Killer(address, server) as killer:
        collected = collect(asking, str(tmp_path), executor=on(address))
    assert killer.killed > 2
    assert reasons(collected.bundle) == {FULL.name: {"process-lost"}, SMALL.name: {"process-lost"}}
    (cloud_key,) = read(collected.bundle)[1].cloud_keys or ()
    assert {gap.reason for gap in cloud_key.facts.unread} == {"process-lost"}
    manifest = replay(collected.bundle).manifest
    assert manifest.failures == manifest.requests > 0
    assert [path.as_posix() for path in tmp_path.iterdir()] == [collected.bundle]


@pytest.mark.slow
def test_scheduler_that_is_lost(server: Running, tmp_path: Path) -> None:
    """If the scheduler ends, what was not finished is a gap of each organization."""
    server.faults = (Fault("stall-headers", "organization"),)
    (tmp_path / "cluster").mkdir()
    with processes(tmp_path / "cluster") as cluster:
        cluster.start_worker(**FLEET.environment)

        def end() -> None:
            while not server.requests:
                time.sleep(0.05)
            cluster.running[0].kill()

        ender = threading.Thread(target=end)
        ender.start()
        collected = collect(
            configuration(server.address), str(tmp_path / "evidence"), executor=on(cluster.address)
        )
        ender.join()
    assert reasons(collected.bundle) == {FULL.name: {"process-lost"}, SMALL.name: {"process-lost"}}
    assert replay(collected.bundle).manifest.organizations == 2


def test_cluster_that_cannot_be_used(tmp_path: Path) -> None:
    """Without a cluster nothing is collected, and nothing is left behind."""
    with pytest.raises(SettingError, match="the Dask cluster: found nowhere, expected"):
        collect(configuration("http://127.0.0.1:1"), str(tmp_path), executor=on("nowhere"))
    assert list(tmp_path.iterdir()) == []


class Forgetful(SerialExecutor):
    """An executor on storage that loses a file of the first attempts."""

    def __init__(self, folder: Path, times: int) -> None:
        self.folder = folder
        self.times = times

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        if self.times:
            self.times -= 1
            next(self.folder.rglob("*.ndjson")).unlink()
        return future


def test_executor_that_takes_nothing(tmp_path: Path) -> None:
    """If an executor is broken before it begins, all organizations are lost, one by one."""
    pool = ProcessPoolExecutor(1, get_context("spawn"))
    assert isinstance(pool.submit(os._exit, 3).exception(), BrokenExecutor)
    jobs = ClusterJobs(Cluster(pool, 1, tmp_path), tmp_path, lambda _: None)
    jobs.run([job_of("http://127.0.0.1:1", tmp_path)])
    assert [job.numbers for job in jobs.lost] == [(1,), (2,)]
    assert jobs.tally.counts == {}


@pytest.mark.parametrize(("times", "lost"), [(0, []), (1, []), (2, [1]), (3, [1, 2])])
def test_file_that_does_not_arrive(
    server: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    lost: list[int],
) -> None:
    """What has not arrived as it was written is read again, and lost in the end, never half."""
    for name, token in FLEET.environment.items():
        monkeypatch.setenv(name, token)
    folder, staging = tmp_path / "jobs", tmp_path / "staging"
    folder.mkdir()
    make_staging(staging)
    done: list[JobResult] = []
    jobs = ClusterJobs(Cluster(Forgetful(folder, times), 1, folder), staging, done.append)
    jobs.run([job_of(server.address, staging)])
    assert [job.numbers for job in jobs.lost] == [(number,) for number in lost]
    assert jobs.tally.counts["organizations"] == len(done) == 2 - len(lost)
    read_parts = {path.stem for path in (staging / "parts").glob("*.ndjson")}
    assert read_parts == {f"{number:09}" for number in {1, 2} - set(lost)}


def test_one_by_one(tmp_path: Path) -> None:
    """A job is divided into one for each organization, with its number in the whole file."""
    job = job_of("http://127.0.0.1:1", tmp_path)
    found = [(one.numbers, one.configuration.organizations) for one in one_by_one(job)]
    first, second = job.configuration.organizations
    assert found == [((1,), (first,)), ((2,), (second,))]


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_no_token_in_any_message(server: Running, tmp_path: Path) -> None:
    """A token of a worker is in no message between processes, no log and no file."""
    (tmp_path / "cluster").mkdir()
    with processes(tmp_path / "cluster", DASK_LOGGING__DISTRIBUTED="debug") as cluster:
        with recording_proxy(cluster.address) as proxy:
            cluster.address = proxy.address
            cluster.start_worker(**FLEET.environment)
            server.faults = (Fault("echo-token-401", "serverless-keys"),)
            collected = collect(
                configuration(server.address), str(tmp_path / "e"), executor=on(proxy.address)
            )
        logs = cluster.logs().encode()
    assert reasons(collected.bundle)[SMALL.name] == {"refused"}
    assert b"run_attempt" in proxy.seen
    assert SMALL.variable.encode() in proxy.seen
    written = [path.read_bytes() for path in (tmp_path / "e").rglob("*") if path.is_file()]
    for text in (bytes(proxy.seen), logs, *written):
        for token in FLEET.environment.values():
            needles = [needle.encode() for needle in Token("acme", token).needles()]
            assert [text.find(needle) for needle in needles if needle] == [-1] * len(needles)
