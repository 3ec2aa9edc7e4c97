"""A shard on disk is whole, unchanged and of this audit, or it is refused by name."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

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


def test_a_shard_that_is_judged_again_replaces_its_equal(folder: Path) -> None:
    """Two processes that judge the same shard leave one."""
    result = read_shard(folder, AUDIT, 1)
    with new_shard(folder) as unfinished:
        for name in (FINDINGS, POPULATION):
            (shard_folder(folder, 1) / name).rename(unfinished / name)
        finish_shard(unfinished, AUDIT, 1, result)
    check_shard(folder, AUDIT, 1)
    discard_shard(folder, 1)
    assert not shard_folder(folder, 1).exists()
