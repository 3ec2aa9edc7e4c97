"""Kept shards belong to one audit, and nothing else is ever taken for one of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cmek_audit.execution.kept_shards import (
    MOST_AGE,
    PLAN,
    KeptShards,
    ShardPlan,
    fingerprint,
)
from cmek_audit.execution.shard_files import UNFINISHED, shard_folder
from cmek_audit.run.preparation import prepare
from inventory import inventory_parts
from inventory.errors import SettingError, ShardError
from tests.builders import an_organization, uuid
from tests.cmek_audit.execution.audits import SERIAL, options_of, save_fleet, sharded

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
AUDIT = "0" * 64
CHANGED = "found other content than was written, expected an unchanged file"


def _plan(shards: int = 3, **over: object) -> ShardPlan:
    data = {"audit": AUDIT, "as_of": NOW, "divided_for": 1, "shards": shards, "shares": 0}
    return ShardPlan.model_validate(data | {"options": {}} | over)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptShards:
    """Return a folder of three finished shards, and their plan."""
    monkeypatch.setattr(inventory_parts, "LEAST_BYTES", 1)
    kept = KeptShards(str(tmp_path / "shards"))
    fleet = [an_organization(id=uuid(number)) for number in range(1, 7)]
    prepared = prepare(options_of(tmp_path, save_fleet(tmp_path, fleet)))
    kept.begin(_plan())
    assert len(list(sharded(kept.folder, prepared, 1).judge(SERIAL))) == 3
    return kept


# --- the plan -------------------------------------------------------------------------------------


def test_the_first_plan_wins(tmp_path: Path) -> None:
    """Of two runs that begin at the same time, both get the plan of the first."""
    kept = KeptShards(str(tmp_path / "a" / "b"))
    assert kept.plan() is None
    assert kept.begin(_plan(1)) == _plan(1)
    assert kept.begin(_plan(2)) == _plan(1)
    assert [entry.name for entry in kept.folder.iterdir()] == [PLAN]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"cmek-shards": 2}'])
def test_a_strange_plan_is_refused(tmp_path: Path, text: str) -> None:
    """A plan of another version, or of something else, is not overwritten, but refused."""
    (tmp_path / PLAN).write_text(text)
    with pytest.raises(ShardError, match=f"{PLAN}: found another content"):
        KeptShards(str(tmp_path)).plan()


def test_an_unreadable_plan_is_refused(tmp_path: Path) -> None:
    """A plan that the system does not show is not taken for none."""
    (tmp_path / PLAN).mkdir()
    with pytest.raises(ShardError, match=f"{PLAN}: found Is a directory"):
        KeptShards(str(tmp_path)).plan()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A file in place of the folder is an unusable option."""
    (tmp_path / "a").write_text("")
    with pytest.raises(SettingError, match="--cmek-shard-dir: found"):
        KeptShards(str(tmp_path / "a")).begin(_plan())


@pytest.mark.parametrize(
    ("age", "is_taken"),
    [
        (timedelta(0), True),
        (MOST_AGE, True),
        (MOST_AGE + timedelta(seconds=1), False),
        (timedelta(seconds=-1), False),
    ],
)
def test_an_old_time_is_not_taken(tmp_path: Path, age: timedelta, *, is_taken: bool) -> None:
    """An audit goes on as of the time of its first run for one day, and not from the future."""
    kept = KeptShards(str(tmp_path))
    assert kept.as_of(NOW) is None
    kept.begin(_plan())
    assert kept.as_of(NOW + age) == (NOW if is_taken else None)


@pytest.mark.parametrize(("shards", "shares"), [(1, 3), (5, 2), (8, 8), (7, 3), (4, 0)])
def test_every_shard_is_of_one_share(shards: int, shares: int) -> None:
    """Shares follow each other, and none is left out that could have a shard."""
    found = [_plan(shards, shares=shares).share_of(number) for number in range(1, shards + 1)]
    assert found == sorted(found)
    assert found[0] == 1
    assert found[-1] <= max(1, shares)
    assert shards < shares or set(found) == set(range(1, max(1, shares) + 1))


def test_a_fingerprint_covers_every_fact() -> None:
    """Audits that differ in anything have different fingerprints, and equal ones the same."""
    facts: list[list[object]] = [[1], [1, 2], ["1"], [NOW], [(1, (2,))], [(1, 2)]]
    assert len({fingerprint(each) for each in facts}) == len(facts)
    assert fingerprint([NOW, (1,)]) == fingerprint([NOW, [1]])


# --- the shards -----------------------------------------------------------------------------------


def test_finished_shards_are_taken(kept: KeptShards) -> None:
    """Every shard that is whole is taken, and only those that are asked for."""
    assert kept.finished(_plan(), range(1, 4)) == {1, 2, 3}
    assert kept.finished(_plan(), [2]) == {2}
    assert kept.require_all(_plan()) == {1, 2, 3}


def test_a_damaged_shard_is_judged_again(kept: KeptShards) -> None:
    """What was changed is removed; the others stay."""
    (shard_folder(kept.folder, 2) / "findings.ndjson").write_text("")
    assert kept.finished(_plan(), range(1, 4)) == {1, 3}
    assert not shard_folder(kept.folder, 2).exists()


def test_every_shard_that_cannot_be_merged_is_named(kept: KeptShards) -> None:
    """Missing, changed, foreign and surplus shards are named together, with their shares."""
    shard_folder(kept.folder, 1).rename(kept.folder / "shard-0009")
    (shard_folder(kept.folder, 2) / "findings.ndjson").write_text("")
    with pytest.raises(ShardError) as caught:
        kept.require_all(_plan(shares=3))
    lines = str(caught.value).replace(f"{kept.folder}/", "").splitlines()
    assert lines == [
        "3 shards cannot be used, so nothing was merged:",
        "  shard-0001: found no finished shard, expected one (of 1/3)",
        f"  shard-0002/findings.ndjson: {CHANGED} (of 2/3)",
        "  shard-0009: found a shard too many, expected 3",
    ]


def test_a_foreign_shard_is_named(kept: KeptShards) -> None:
    """A shard of other inputs in the same folder is not merged."""
    with pytest.raises(ShardError, match="shard-0003: found a shard of another audit"):
        kept.require_all(_plan(audit="1" * 64))


def test_starting_over_leaves_what_is_not_a_shard(kept: KeptShards) -> None:
    """Files of others stay, and so does what a link leads to."""
    (kept.folder / "notes.txt").write_text("")
    (kept.folder / f"{UNFINISHED}old").mkdir()
    (kept.folder / "shard-link").symlink_to(os.curdir)
    kept.start_over()
    assert {entry.name for entry in kept.folder.iterdir()} == {
        "notes.txt",
        "shard-link",
        "terms.pickle",
    }


def test_one_run_at_a_time_has_the_folder(tmp_path: Path) -> None:
    """Two whole audits cannot share a folder at the same time."""
    kept = KeptShards(str(tmp_path / "a"))
    with (
        kept.locked(),
        pytest.raises(SettingError, match="which another run is writing to"),
        kept.locked(),
    ):
        pass
