"""One organization at one moment; how files of one moment are merged is tested with the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inventory.errors import InventoryError
from inventory.files.yaml_json import read_recorded
from inventory.past.moments import DatabaseState, KeyState, Place
from inventory.past.snapshots import take_snapshot, time_of
from tests.builders import (
    DATABASE,
    aws_key_id,
    database_data,
    document_data,
    key_data,
    moment,
    organization_data,
    planned_data,
    write_yaml,
)
from tests.inventory.past.test_moments import SCOPE

if TYPE_CHECKING:
    from pathlib import Path


def test_moment_of_a_snapshot(tmp_path: Path) -> None:
    """A moment keeps the key ids by scope, and existing databases, relative to the organization."""
    two = [key_data(key_id=aws_key_id(number=9)), key_data()]
    shown = organization_data(keys=two, databases=[database_data(), planned_data(id="x")])
    file = write_yaml(tmp_path / "a.yaml", document_data(shown, captured_at="2026-03-01T00:00:00Z"))
    source, (organization,), *_ = read_recorded(file, "history")
    at = time_of(source, organization)
    kept = take_snapshot(at, organization).moment(organization.id)
    assert (kept.at, kept.file, kept.line) == (moment("2026-03-01"), file, organization.line)
    first = Place((organization.keys or ())[0].line - organization.line)
    assert kept.keys == KeyState(
        {SCOPE: ((aws_key_id(), aws_key_id(number=9)), first)}, Place(0), frozenset()
    )
    database = (organization.databases or ())[0]
    place = Place(database.line - organization.line)
    assert kept.databases == (DatabaseState(DATABASE, database.name, False, None, place),)


def test_no_time(tmp_path: Path) -> None:
    """A record without a time cannot be ordered."""
    file = write_yaml(tmp_path / "a.yaml", document_data(captured_at=None))
    source, (organization,), *_ = read_recorded(file, "history")
    with pytest.raises(InventoryError, match="earlier records are ordered by it"):
        time_of(source, organization)
