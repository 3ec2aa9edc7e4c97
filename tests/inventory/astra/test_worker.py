"""A share of the organizations is read in one process; several processes make the whole."""

from __future__ import annotations

import gc
import json
import os
import pickle
import queue
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from inventory.astra import collector
from inventory.astra.cluster.jobs import LOST
from inventory.astra.collector import (
    Progress,
    collect,
    run_in_process,
    split_into_jobs,
)
from inventory.astra.config import Organizations
from inventory.astra.replay import replay
from inventory.astra.worker import JobResult, WorkerJob, record_unread, run_job
from inventory.errors import LeakError, ProcessError, SettingError
from inventory.evidence.reader import open_bundle
from inventory.evidence.writer import Tally
from inventory.system.executors import ExecutorSetting, end_with_parent
from tests.astra.faults import Fault
from tests.astra.fleet import healthy_fleet, large_fleet, organizations_data
from tests.astra.server import Running, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

FLEET = healthy_fleet()
POLICY = {"first_wait_seconds": 0.0, "attempts": 2, "timeout_seconds": 5.0}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serve(FLEET) as running:
        yield running


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each of two organizations be worth a process, whatever the machine has."""
    monkeypatch.setattr(collector, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def configuration(address: str, **policy: float) -> Organizations:
    return Organizations.model_validate(organizations_data(FLEET, address, **POLICY | policy))


# --- jobs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("organizations", "processors", "connections", "expected"),
    [
        (1, 8, 64, [1]),
        (63, 8, 64, [63]),
        (64, 8, 64, [32, 32]),
        (200, 2, 64, [100, 100]),
        (200, 8, 3, [67, 67, 66]),
        (200, 8, 1, [200]),
        (200, None, 64, [200]),
    ],
)
def test_shares(
    monkeypatch: pytest.MonkeyPatch,
    organizations: int,
    processors: int | None,
    connections: int,
    expected: list[int],
) -> None:
    """Organizations are divided among as many processes as are worth while; each has its turn."""
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    fleet = large_fleet(organizations, 1)
    data = organizations_data(fleet, "http://127.0.0.1:1", connections=connections)
    whole = Organizations.model_validate(data)
    jobs = split_into_jobs(whole, Path("staging"))
    assert [len(job.numbers) for job in jobs] == expected
    numbered = {
        number: organization.id
        for job in jobs
        for number, organization in zip(job.numbers, job.configuration.organizations, strict=True)
    }
    assert numbered == {number: config.id for number, config in enumerate(whole.organizations, 1)}
    assert sum(job.connections for job in jobs) <= connections
    assert all(job.connections >= 1 for job in jobs)
    assert {job.staging for job in jobs} == {"staging"}


@pytest.mark.parametrize(
    ("executor", "expected"),
    [
        (ExecutorSetting(), [128]),
        (ExecutorSetting("processes", 2), [64, 64]),
        (ExecutorSetting("processes", 9), [32, 32, 32, 32]),
    ],
)
def test_shares_for_so_many_processes(executor: ExecutorSetting, expected: list[int]) -> None:
    """There are at most as many processes as were asked for, and none that is not worth it."""
    data = organizations_data(large_fleet(128, 1), "http://127.0.0.1:1")
    jobs = split_into_jobs(Organizations.model_validate(data), Path("staging"), executor)
    assert [len(job.numbers) for job in jobs] == expected


def test_share_travels_without_tokens() -> None:
    """A share can travel to another process, and holds names of variables, not tokens."""
    (job,) = split_into_jobs(configuration("http://127.0.0.1:1"), Path("staging"))
    packed = pickle.dumps(job)
    assert pickle.loads(packed) == job
    assert b"not-a-real-token" not in packed


@pytest.mark.usefixtures("two")
def test_several_processes(server: Running, tmp_path: Path) -> None:
    """What several processes read is one bundle, in the order of the file, and replays."""
    seen: list[Progress] = []
    collected = collect(
        configuration(server.address), str(tmp_path), FLEET.environment, seen.append
    )
    organizations = list(open_bundle(collected.bundle).organizations())
    assert [organization.name for organization in organizations] == ["acme-prod", "acme-test"]
    assert [len(organization.databases or ()) for organization in organizations] == [105, 3]
    assert {gap for organization in organizations for gap in organization.gaps} == set()
    assert replay(collected.bundle).manifest.organizations == 2
    assert [progress.done for progress in seen] == [0, 1, 2]
    assert [path.as_posix() for path in tmp_path.iterdir()] == [collected.bundle]


@pytest.mark.usefixtures("two")
def test_interruption_of_several_processes(server: Running, tmp_path: Path) -> None:
    """An interruption ends all processes, and leaves nothing behind."""

    def interrupt(progress: Progress) -> None:
        if progress.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(configuration(server.address), str(tmp_path), FLEET.environment, interrupt)
    assert list(tmp_path.iterdir()) == []


# --- what a process tells -------------------------------------------------------------------------


def a_job(tmp_path: Path, address: str) -> WorkerJob:
    for name in ("parts", "exchanges"):
        (tmp_path / name).mkdir()
    (job,) = split_into_jobs(configuration(address), tmp_path)
    return job


def test_process_tells_what_is_done(server: Running, tmp_path: Path) -> None:
    """A process tells each organization that is done, and at last its tally."""
    sent: list[object] = []
    run_in_process(a_job(tmp_path, server.address), FLEET.environment, sent.append)
    *done, tally = sent
    assert {result.name for result in done if isinstance(result, JobResult)} == {
        "acme-prod",
        "acme-test",
    }
    assert isinstance(tally, Tally)
    assert tally.counts["organizations"] == 2
    assert pickle.loads(pickle.dumps(tally)).counts == tally.counts


def test_organizations_that_nobody_could_read(tmp_path: Path) -> None:
    """No request is sent for them, and each is a gap with the failure, of Astra and of clouds."""
    job = a_job(tmp_path, "http://127.0.0.1:1")
    first, second = job.configuration.organizations
    clouds = job.configuration.clouds.model_copy(update={"ask": ("aws",)})
    asking = {"clouds": clouds, "organizations": (first, second)}
    lost = job._replace(configuration=job.configuration.model_copy(update=asking))
    done: list[JobResult] = []
    tally = record_unread([lost], LOST, done.append)
    assert [result.name for result in done] == [first.name, second.name]
    assert tally.counts["organizations"] == 2
    assert tally.counts["failures"] == tally.counts["requests"] > 0
    lines = [
        json.loads(line)
        for part in sorted((tmp_path / "parts").glob("*.ndjson"))
        for line in part.read_text().splitlines()
    ]
    gaps = [line["gaps"] for line in lines if line["kind"] == "organization"]
    assert {gap["reason"] for some in gaps for gap in some} == {"process-lost"}
    assert len(gaps) == 2


class Unpacked(Exception):  # noqa: N818
    """An error that cannot travel to another process."""

    def __reduce__(self) -> Any:  # noqa: ANN401 (as the base)
        raise TypeError


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (LeakError([Path("a")]), LeakError, "a secret was written"),
        (OSError(28, "No space left on device"), OSError, "No space left on device"),
        (Unpacked("ab"), ProcessError, "a process failed: Unpacked"),
    ],
)
def test_process_tells_what_broke_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, kind: type, text: str
) -> None:
    """What breaks a process is reported as it is, or in words if it cannot travel."""

    def breaks(*_: object) -> None:
        raise error

    monkeypatch.setattr(collector, "run_job", breaks)
    sent: list[Any] = []
    (job,) = split_into_jobs(configuration("http://127.0.0.1:1"), tmp_path)
    run_in_process(job, {}, sent.append)
    (only,) = sent
    assert type(only) is kind
    assert text in str(only)


def test_interrupted_process_is_silent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that is interrupted has nothing to tell: the one that began it knows."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collector, "run_job", interrupted)
    sent: list[Any] = []
    (job,) = split_into_jobs(configuration("http://127.0.0.1:1"), tmp_path)
    run_in_process(job, {}, sent.append)
    assert sent == []


class Process:
    """A process that lives, or does not."""

    def __init__(self, *, lives: bool) -> None:
        self.lives = lives

    def is_alive(self) -> bool:
        return self.lives


class Silence:
    """A queue that is empty when asked, ``silent`` times; then it tells ``messages``."""

    def __init__(self, silent: int, *messages: object) -> None:
        self.silent = silent
        self.messages = list(messages)

    def get(self, *, timeout: float) -> object:
        if self.silent:
            self.silent -= 1
            raise queue.Empty
        return self.messages.pop(0)


def listen(messages: Silence, *processes: Process) -> tuple[Tally, list[JobResult]]:
    tally, done = Tally(), list[JobResult]()
    collector._receive(messages, list(processes), tally, done.append)  # type: ignore[arg-type]
    return tally, done


def test_processes_are_waited_for() -> None:
    """As long as all live whose tally is waited for, silence is borne."""
    tally = Tally()
    tally.counts["organizations"] = 3
    messages = Silence(3, JobResult("a", 1), tally, JobResult("b", 2), tally)
    heard, done = listen(messages, Process(lives=True), Process(lives=True))
    assert heard.counts["organizations"] == 6
    assert done == [JobResult("a", 1), JobResult("b", 2)]


def test_tally_that_comes_with_the_end() -> None:
    """What a process sent right before its end is received, even if a poll found it ended."""
    tally = Tally()
    tally.counts["organizations"] = 1
    messages = Silence(1, tally)
    assert listen(messages, Process(lives=False))[0].counts["organizations"] == 1


def test_process_that_ends_in_silence() -> None:
    """A process that ended without its tally is an error, and not waited for in vain."""
    with pytest.raises(ProcessError, match=r"^a process ended without reporting what it read$"):
        listen(Silence(99), Process(lives=True), Process(lives=False))


def test_errors_of_processes_are_raised() -> None:
    """What broke one process is raised where all are heard."""
    with pytest.raises(LeakError):
        listen(Silence(0, LeakError([Path("a")])), Process(lives=True))


@pytest.mark.usefixtures("two")
def test_process_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """If a process cannot be started, that is an error, and nothing is left behind."""

    def full(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", full)
    with pytest.raises(SettingError, match="Resource temporarily unavailable"):
        collect(configuration("http://127.0.0.1:1"), str(tmp_path), FLEET.environment)
    assert list(tmp_path.iterdir()) == []


# --- the machine around it ------------------------------------------------------------------------


def test_settings_of_the_process_are_put_back(server: Running, tmp_path: Path) -> None:
    """The collector of garbage is left as it was found, also when the reading fails."""
    before = gc.get_threshold()
    seen = []

    def note(done: JobResult) -> None:
        seen.append(gc.get_threshold()[0])
        raise OSError(done.name)

    server.faults = (Fault("401", "organization"),)
    with pytest.raises(OSError, match="acme-"):
        run_job(a_job(tmp_path, server.address), FLEET.environment, note)
    server.faults = ()
    assert seen[0] > before[0]
    assert gc.get_threshold() == before


def test_workers_are_bounded(server: Running, tmp_path: Path) -> None:
    """No more requests are in progress than there are connections, and no worker is idle."""
    (job,) = split_into_jobs(configuration(server.address, connections=1), tmp_path)
    for name in ("parts", "exchanges"):
        (tmp_path / name).mkdir()
    server.application.most_at_once.clear()
    run_job(job, FLEET.environment, lambda _: None)
    assert server.most_at_once() == 1


def test_process_ends_with_the_one_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process ends as soon as the one that started it is gone, if there was one."""
    ended: queue.Queue[int] = queue.Queue()
    end_with_parent(ended.put)
    lasting, parent = os.pipe()
    monkeypatch.setattr("multiprocessing.parent_process", lambda: SimpleNamespace(sentinel=lasting))
    end_with_parent(ended.put)
    assert ended.empty()
    os.close(parent)
    assert ended.get(timeout=10) == 1
    os.close(lasting)
