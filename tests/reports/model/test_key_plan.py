"""The numbers of the key plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.model.key_plan import NUMBERS
from tests.reports.recording import record

if TYPE_CHECKING:
    from pathlib import Path


def test_the_numbers_come_first(tmp_path: Path) -> None:
    """A key plan begins with its numbers, in the order of their type."""
    plan = record(tmp_path).head["key_plan"]
    assert tuple(plan) == (*NUMBERS, "organizations", "lists", "steps")
