"""What a process does with a shard, and when it must not take part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmek_audit.execution.shard_files import read_shard
from cmek_audit.execution.worker import ShardTask, give_up_shard, judge_shard, store_terms
from cmek_audit.run.judging import terms_of
from cmek_audit.run.preparation import prepare
from inventory.errors import ShardError
from inventory.inventory_parts import InventoryPart
from tests.builders import an_organization, write_text
from tests.cmek_audit.execution.audits import options_of, save_fleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from cmek_audit.run.preparation import Prepared

AUDIT = "0" * 64


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return prepare(options_of(tmp_path, save_fleet(tmp_path, [an_organization()])))


def _task(folder: Path, prepared: Prepared, rules_hash: str = "") -> ShardTask:
    split = prepared.inventory.split(1)
    assert split is not None
    stored = terms_of(prepared.setup)
    stored = stored._replace(rules_hash=rules_hash or stored.rules_hash)
    return ShardTask(1, split.parts[0], store_terms(stored, folder), str(folder), AUDIT)


def test_a_shard_is_written(tmp_path: Path, prepared: Prepared) -> None:
    """A judged shard is in its folder, with all it came to."""
    assert judge_shard(_task(tmp_path, prepared))
    assert read_shard(tmp_path, AUDIT, 1).aggregates.counts.total() > 0


def test_a_shard_that_is_given_up_passes_nothing(tmp_path: Path, prepared: Prepared) -> None:
    """What nobody could judge is written as inconclusive, and says how often it was tried."""
    assert give_up_shard(_task(tmp_path, prepared), 3)
    counts = read_shard(tmp_path, AUDIT, 1).aggregates.counts
    assert counts["inconclusive"] > 0
    assert counts["pass"] == counts["fail"] == 0
    text = (tmp_path / "shard-0001" / "findings.ndjson").read_text()
    assert "the process that judged it was lost 3 times" in text


@pytest.mark.parametrize("work", [judge_shard, lambda task: give_up_shard(task, 3)])
def test_a_shard_with_a_mistake_is_not_written(
    tmp_path: Path, prepared: Prepared, work: Callable[[ShardTask], bool]
) -> None:
    """A mistake in a file is left to whoever reads all of it."""
    task = _task(tmp_path, prepared)
    write_text(tmp_path / "fleet.ndjson", '{"kind":"inventory","cmek-inventory":1}\n{\n')
    assert not work(task)
    assert not (tmp_path / "shard-0001").exists()


def test_a_process_with_other_rules_takes_no_part(tmp_path: Path, prepared: Prepared) -> None:
    """Another version of the suite, on another machine, judges nothing."""
    task = _task(tmp_path, prepared, rules_hash="1" * 64)
    with pytest.raises(ShardError, match="other rules than the audit has"):
        judge_shard(task)


def test_changed_terms_are_refused(tmp_path: Path, prepared: Prepared) -> None:
    """Terms that are not as this audit wrote them are never loaded."""
    task = _task(tmp_path, prepared)
    Path(task.terms.path).write_bytes(b"")
    with pytest.raises(ShardError, match="found other content"):
        judge_shard(task)


def test_a_full_disk_leaves_no_shard(tmp_path: Path, prepared: Prepared) -> None:
    """A shard that cannot be written ends as an error of the disk."""
    task = _task(tmp_path, prepared)._replace(folder=str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        judge_shard(task)


def test_a_part_without_organizations_is_a_shard(tmp_path: Path, prepared: Prepared) -> None:
    """A shard may hold nothing."""
    assert judge_shard(_task(tmp_path, prepared)._replace(part=InventoryPart()))
    assert read_shard(tmp_path, AUDIT, 1).findings["count"] == 0
