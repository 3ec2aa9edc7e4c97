"""Shards are run, and run again when their process is lost, on any executor."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cmek_audit.execution.runner import MOST_ATTEMPTS, ShardRuns
from cmek_audit.execution.worker import ShardTask, StoredTerms
from inventory.inventory_parts import InventoryPart
from inventory.system.executors import ExecutorSetting

TWO = ExecutorSetting("processes", 2)


def _tasks(folder: Path, count: int) -> list[ShardTask]:
    terms = StoredTerms("", "")
    numbers = range(1, count + 1)
    return [ShardTask(number, InventoryPart(), terms, str(folder), "") for number in numbers]


def note(task: ShardTask) -> bool:
    """Note that the shard was run; say that its file is to be read as one if it is the third."""
    with (Path(task.folder) / str(task.number)).open("a") as file:
        file.write("x")
    return task.number != 3


def die_always(task: ShardTask) -> bool:
    """Note that the shard was run, and end the process if it is the second."""
    note(task)
    if task.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return True


def fail(task: ShardTask) -> bool:
    """Fail at the second shard."""
    if task.number == 2:
        raise MemoryError
    return True


def _states(folder: Path, work: Any, setting: ExecutorSetting) -> dict[int, str]:  # noqa: ANN401
    outcomes = ShardRuns(_tasks(folder, 5), setting, work).outcomes()
    return {outcome.task.number: outcome.state for outcome in outcomes}


@pytest.mark.parametrize("setting", [ExecutorSetting(), TWO], ids=lambda setting: setting.kind)
def test_each_shard_is_run_once(tmp_path: Path, setting: ExecutorSetting) -> None:
    """Every shard has one outcome, and is run once where nothing is lost."""
    assert _states(tmp_path, note, setting) == {
        1: "judged",
        2: "judged",
        3: "unreadable",
        4: "judged",
        5: "judged",
    }
    assert {file.read_text() for file in tmp_path.iterdir()} == {"x"}


def test_a_shard_is_lost_after_its_last_attempt(tmp_path: Path) -> None:
    """One shard that ends its process is given up; all others are judged, whatever they shared."""
    states = _states(tmp_path, die_always, TWO)
    assert states == {number: "lost" if number == 2 else "judged" for number in range(1, 6)}
    assert (tmp_path / "2").read_text() == "x" * MOST_ATTEMPTS


@pytest.mark.parametrize("setting", [ExecutorSetting(), TWO], ids=lambda setting: setting.kind)
def test_what_a_shard_raises_is_raised(tmp_path: Path, setting: ExecutorSetting) -> None:
    """A shard that fails, and is not lost, ends the audit."""
    with pytest.raises(MemoryError):
        _states(tmp_path, fail, setting)


def test_nothing_to_run_is_nothing_run(tmp_path: Path) -> None:
    """Without shards no executor is opened."""
    assert list(ShardRuns(_tasks(tmp_path, 0), TWO).outcomes()) == []
