"""What a comparison needs of the head of an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from reports.comparison.compared_head import ComparedHead
from tests.reports.comparing import every_change
from tests.reports.recording import record

if TYPE_CHECKING:
    from pathlib import Path


def test_a_head_with_changes_is_read(tmp_path: Path) -> None:
    """What the baseline carries over is read as it was written."""
    changes = every_change()
    head = ComparedHead.model_validate(record(tmp_path).head | {"changes": changes})
    assert head.changes is not None
    assert head.changes.closed == tuple(changes["closed"])
    assert head.changes.closed_left_out == changes["closed_left_out"]


def test_a_finding_has_an_id(tmp_path: Path) -> None:
    """An id that no finding can have is refused: it would hide that one is reopened."""
    changes = every_change() | {"closed": ["0123"]}
    with pytest.raises(ValidationError, match=r"changes\.closed\.0"):
        ComparedHead.model_validate(record(tmp_path).head | {"changes": changes})
