"""``cmek-audit merge``: what it refuses before anything is read; audits are merged elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmek_audit.execution.kept_shards import PLAN, KeptShards
from tests.cmek_audit.execution.test_kept_shards import _plan
from tests.cmek_audit.helpers import command

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    """Where no run has judged anything, there is nothing to merge."""
    result = command("merge", tmp_path)
    assert result.exit_code == 4
    assert f"{tmp_path}: found no shards, expected those of an audit" in result.output


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is not there is an unusable argument."""
    assert command("merge", tmp_path / "a").exit_code == 4


@pytest.mark.parametrize("name", ["live", "clouds", "report_dir", "jobs", "sign_key", "strange"])
def test_a_plan_cannot_ask_for_more_than_files(tmp_path: Path, name: str) -> None:
    """Whoever writes the plan of shards gets no server asked, and no file written elsewhere."""
    KeptShards(str(tmp_path)).begin(_plan(options={name: "a"}))
    result = command("merge", tmp_path)
    assert result.exit_code == 4
    assert f"found '{name}' in the plan of the shards" in result.output


def test_a_broken_plan_is_refused(tmp_path: Path) -> None:
    """A plan that cannot be read is named."""
    (tmp_path / PLAN).write_text("{")
    result = command("merge", tmp_path)
    assert result.exit_code == 4
    assert PLAN in result.output
