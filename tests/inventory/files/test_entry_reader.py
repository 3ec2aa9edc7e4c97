"""Organizations read from lines of JSON, wherever the lines come from."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from inventory.errors import InventoryError
from inventory.files import entry_reader
from inventory.files.ndjson import NdjsonReader
from inventory.opening import read_file
from tests.builders import (
    database_data,
    ndjson_lines,
    ndjson_text,
    organization_data,
    write_ndjson,
    write_text,
)


def test_more_problems_than_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of boundlessly many problems some are kept and all are counted."""
    monkeypatch.setattr(entry_reader, "MOST_KEPT", 3)
    file = write_text(tmp_path / "a.ndjson", ndjson_text(ndjson_lines()) + "x\n" * 9)
    with pytest.raises(InventoryError) as caught:
        read_file(file)
    assert (len(caught.value.problems), caught.value.total) == (3, 9)


def databases_of(path: Path, databases: list[Any]) -> list[tuple[str | None, str, int]]:
    """Return id, file and line of each database that is read from a file of these."""
    organization = organization_data(keys=[], databases=databases)
    file = write_ndjson(path, ndjson_lines(organization))
    (read,) = NdjsonReader(file).organizations()
    assert read.databases is not None
    return [(database.id, database.file, database.line) for database in read.databases]


def test_plain_and_unusual_lines_keep_their_order(tmp_path: Path) -> None:
    """Databases come in the order of their lines, whichever way each line was read."""
    unusual: dict[int, dict[str, Any]] = {
        3: {"encryption": "customer-managed"},
        5: {"name": "K\u00fcche"},
        8: {"type": "managed-clusters", "tier": "A5"},
    }
    databases = [database_data(id=f"d{number}", **unusual.get(number, {})) for number in range(12)]
    path = tmp_path / "a.ndjson"
    expected = [(f"d{number}", str(path), 3 + number) for number in range(12)]
    assert databases_of(path, databases) == expected


def test_the_collector_runs_again_between_organizations(tmp_path: Path) -> None:
    """Python's collector is paused while an organization is read, and not while it is judged."""
    file = write_ndjson(tmp_path / "a.ndjson", ndjson_lines())
    assert [gc.isenabled() for _ in NdjsonReader(file).organizations()] == [True]


def test_a_duplicate_among_plain_lines_is_located(tmp_path: Path) -> None:
    """The second of two databases with one id is reported at its line, with the first one's."""
    databases = [database_data(id=identity) for identity in ("d0", "d1", "d2", "d1")]
    with pytest.raises(InventoryError) as caught:
        databases_of(tmp_path / "a.ndjson", databases)
    (problem,) = caught.value.problems
    found, expected = "a duplicate database 'd1'", "each database once, first on line 4"
    assert (problem.line, problem.found, problem.expected) == (6, found, expected)
