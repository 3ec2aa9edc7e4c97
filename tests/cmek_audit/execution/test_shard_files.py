"""A shard on disk is whole, unchanged and of this audit, or it is refused by name."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from cmek_audit.execution.result import load_result
from cmek_audit.execution.shard_files import (
    MANIFEST,
    RESULT,
    check_shard,
    discard_shard,
    finish_shard,
    new_shard,
    read_shard,
    shard_folder,
)
from cmek_audit.run.preparation import prepare
from inventory.errors import ShardError
from reports.record.layout import FINDINGS, POPULATION
from tests.builders import an_organization
from tests.cmek_audit.execution.audits import SERIAL, options_of, save_fleet, sharded

if TYPE_CHECKING:
    from pathlib import Path

AUDIT, OTHER = "0" * 64, "1" * 64
DAMAGED = "damaged"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one finished shard."""
    folder = tmp_path / "shards"
    folder.mkdir()
    prepared = prepare(options_of(tmp_path, save_fleet(tmp_path, [an_organization()])))
    assert list(sharded(folder, prepared, 1).judge(SERIAL)) == [1]
    return folder


def test_a_whole_shard_is_accepted(folder: Path) -> None:
    """A shard as it was written can be read, and its folder holds nothing else."""
    check_shard(folder, AUDIT, 1)
    names = {entry.name for entry in shard_folder(folder, 1).iterdir()}
    assert names == {MANIFEST, RESULT, FINDINGS, POPULATION}


@pytest.mark.parametrize("name", [RESULT, FINDINGS, POPULATION])
def test_a_changed_file_is_named(folder: Path, name: str) -> None:
    """A byte more in any file of a shard is found."""
    file = shard_folder(folder, 1) / name
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(ShardError, match=f"shard-0001/{name}: found other content"):
        check_shard(folder, AUDIT, 1)


@pytest.mark.parametrize("name", [RESULT, FINDINGS, POPULATION])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """A shard that lacks a file is refused."""
    (shard_folder(folder, 1) / name).unlink()
    with pytest.raises(ShardError, match=f"shard-0001/{name}: found No such file"):
        check_shard(folder, AUDIT, 1)


def test_a_shard_of_another_audit_is_refused(folder: Path) -> None:
    """What was judged by other inputs is no part of this audit; nor is another shard of it."""
    with pytest.raises(ShardError, match="shard-0001: found a shard of another audit"):
        read_shard(folder, OTHER, 1)
    shard_folder(folder, 1).rename(shard_folder(folder, 2))
    with pytest.raises(ShardError, match="shard-0002: found a shard of another audit"):
        read_shard(folder, AUDIT, 2)
    with pytest.raises(ShardError, match="shard-0001: found no finished shard"):
        read_shard(folder, AUDIT, 1)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cmek-shard": 2}'])
def test_a_strange_manifest_is_refused(folder: Path, text: str) -> None:
    """A manifest must be one that this version writes."""
    (shard_folder(folder, 1) / MANIFEST).write_text(text)
    with pytest.raises(ShardError, match=f"{MANIFEST}: found another content"):
        read_shard(folder, AUDIT, 1)


def test_a_forged_result_is_refused_though_its_hash_fits(folder: Path) -> None:
    """Whoever can change the manifest, too, still gets nothing called."""
    place = shard_folder(folder, 1)
    forged = b"cos\nsystem\n(S'true'\ntR."
    (place / RESULT).write_bytes(forged)
    manifest = json.loads((place / MANIFEST).read_text())
    manifest["files"][RESULT] = hashlib.sha256(forged).hexdigest()
    (place / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ShardError, match=r"found os\.system, expected what this version"):
        read_shard(folder, AUDIT, 1)


def test_an_unfinished_shard_is_removed(tmp_path: Path) -> None:
    """A shard that breaks off leaves nothing."""
    with pytest.raises(OSError, match="full"), new_shard(tmp_path) as unfinished:  # noqa: PT012
        (unfinished / FINDINGS).write_text("")
        raise OSError("full")
    assert list(tmp_path.iterdir()) == []


def _finish_again(folder: Path) -> None:
    result = read_shard(folder, AUDIT, 1)
    with new_shard(folder) as unfinished:
        for name in (FINDINGS, POPULATION):
            shutil.copy(shard_folder(folder, 1) / name, unfinished / name)
        if (shard_folder(folder, 1) / DAMAGED).exists():
            (shard_folder(folder, 1) / FINDINGS).write_text("{}")
        finish_shard(unfinished, AUDIT, 1, result)


def test_a_shard_that_is_judged_twice_stays_where_it_is(folder: Path) -> None:
    """Of two processes that judge a shard the first one's is kept: it may be read already."""
    before = shard_folder(folder, 1).stat().st_ino
    _finish_again(folder)
    assert shard_folder(folder, 1).stat().st_ino == before
    assert {entry.name for entry in folder.iterdir()} == {"shard-0001", "terms.pickle"}
    discard_shard(folder, 1)
    assert not shard_folder(folder, 1).exists()


def test_a_damaged_shard_is_replaced(folder: Path) -> None:
    """A shard that is not as it was written makes room for one that is."""
    (shard_folder(folder, 1) / DAMAGED).touch()
    _finish_again(folder)
    check_shard(folder, AUDIT, 1)
    assert not (shard_folder(folder, 1) / DAMAGED).exists()


def test_of_two_that_end_at_once_one_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that finds the place taken at the last moment leaves it as it is."""
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    (shard_folder(folder, 1) / MANIFEST).write_text("{}")
    with pytest.raises(ShardError):
        check_shard(folder, AUDIT, 1)
    (folder / "new").mkdir()
    for name in (FINDINGS, POPULATION):
        shutil.copy(shard_folder(folder, 1) / name, folder / "new" / name)
    finish_shard(
        folder / "new", AUDIT, 1, load_result((shard_folder(folder, 1) / RESULT).read_bytes())
    )
    assert (shard_folder(folder, 1) / MANIFEST).read_text() == "{}"


def test_a_disk_that_refuses_is_an_error(folder: Path) -> None:
    """Only a place that is taken is no error."""
    discarded = read_shard(folder, AUDIT, 1)
    (folder / "new").mkdir()
    discard_shard(folder, 1)
    shard_folder(folder, 1).write_text("a file")
    with pytest.raises(NotADirectoryError):
        finish_shard(folder / "new", AUDIT, 1, discarded)
