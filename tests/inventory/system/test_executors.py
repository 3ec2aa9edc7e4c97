"""Executors: where the shards of an audit run."""

from __future__ import annotations

import os
import queue
import signal
from concurrent.futures import wait
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from inventory.system.executors import (
    ExecutorSetting,
    _begin_process,
    is_worker_lost,
    open_executor,
    parse_executor,
    require_shared_folder,
    sized_for,
    tasks_at_once,
)
from tests.clusters.local import local_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["serial", "processes", "dask"])
def setting(request: pytest.FixtureRequest) -> ExecutorSetting:
    if request.param == "dask":
        return ExecutorSetting("dask", address=request.getfixturevalue("address"))
    return ExecutorSetting(request.param, 2 if request.param == "processes" else 1)


def double(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return 2 * number


def end() -> None:
    os._exit(3)


def test_results_come_back(setting: ExecutorSetting) -> None:
    """Every executor returns what a task returns, and raises what it raises."""
    with open_executor(setting) as executor:
        results = [executor.submit(double, number) for number in range(4)]
        broken = executor.submit(double, -1)
        wait([*results, broken])
        assert [result.result() for result in results] == [0, 2, 4, 6]
        error = broken.exception()
    assert isinstance(error, ValueError)
    assert not is_worker_lost(error)


def test_how_many_tasks_run_at_once(setting: ExecutorSetting) -> None:
    """Processes are as many as were asked for; a cluster has a task for each thread it has."""
    with open_executor(setting) as executor:
        assert tasks_at_once(setting, executor) == (1 if setting.kind == "serial" else 2)


def test_a_setting_has_the_size_of_its_executor(setting: ExecutorSetting, tmp_path: Path) -> None:
    """A cluster is asked how many tasks it runs at once; all else is known."""
    expected = setting._replace(jobs=2) if setting.kind == "dask" else setting
    assert sized_for(setting, tmp_path) == expected


def test_shared_folder(setting: ExecutorSetting, tmp_path: Path) -> None:
    """A folder that all workers see is accepted, and nothing is left in it."""
    with open_executor(setting) as executor:
        require_shared_folder(executor, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["processes", "dask"])
def test_lost_process_is_known(kind: str, request: pytest.FixtureRequest) -> None:
    """A process that ends in the middle of a task is not taken for a task that failed."""
    setting = ExecutorSetting("processes", 1)
    if kind == "dask":
        setting = ExecutorSetting("dask", address=request.getfixturevalue("address"))
    with open_executor(setting) as executor:
        error = executor.submit(end).exception()
    assert error is not None
    assert is_worker_lost(error)


def test_process_ends_with_the_one_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process leaves Ctrl-C to the one that started it, and ends as soon as that is gone."""
    before = signal.getsignal(signal.SIGINT)
    ended: queue.Queue[int] = queue.Queue()
    lasting, parent = os.pipe()
    try:
        _begin_process(ended.put)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        found = SimpleNamespace(sentinel=lasting)
        monkeypatch.setattr("multiprocessing.parent_process", lambda: found)
        _begin_process(ended.put)
        assert ended.empty()
        os.close(parent)
        assert ended.get(timeout=10) == 1
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(lasting)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("serial", ExecutorSetting()),
        ("processes", ExecutorSetting("processes", jobs=os.cpu_count() or 1)),
        ("dask=127.0.0.1:8786", ExecutorSetting("dask", address="127.0.0.1:8786")),
        ("dask=tls://[::1]:8786", ExecutorSetting("dask", address="tls://[::1]:8786")),
        ("dask=dask.acme.example:1", ExecutorSetting("dask", address="dask.acme.example:1")),
        ("dask", None),
        ("dask=", None),
        ("dask=inproc://1/2", None),
        ("dask=tcp://user:word@127.0.0.1:8786", None),
        ("dask=tcp://127.0.0.1", None),
        ("processes=2", None),
        ("serial=", None),
        ("threads", None),
        ("", None),
    ],
)
def test_words_for_executors(text: str, expected: ExecutorSetting | None) -> None:
    """An executor is named by its kind, a cluster with the address of its scheduler."""
    assert parse_executor(text) == expected
