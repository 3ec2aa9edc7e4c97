"""Executors: where the shards of an audit run."""

from __future__ import annotations

import os

import pytest

from inventory.system.executors import ExecutorSetting, is_worker_lost, open_executor

SETTINGS = (ExecutorSetting(), ExecutorSetting("processes", 2))


def double(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return 2 * number


def end() -> None:
    os._exit(3)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.kind)
def test_results_come_back(setting: ExecutorSetting) -> None:
    """Every executor returns what a task returns, and raises what it raises."""
    with open_executor(setting) as executor:
        results = [executor.submit(double, number) for number in range(4)]
        broken = executor.submit(double, -1)
        assert [result.result() for result in results] == [0, 2, 4, 6]
        error = broken.exception()
    assert isinstance(error, ValueError)
    assert not is_worker_lost(error)


def test_lost_process_is_known() -> None:
    """A process that ends in the middle of a task is not taken for a task that failed."""
    with open_executor(ExecutorSetting("processes", 1)) as executor:
        error = executor.submit(end).exception()
    assert error is not None
    assert is_worker_lost(error)
