"""The findings as a table in Parquet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_type_hints

import duckdb
import pytest

from inventory.errors import InventoryError
from reports.formats.parquet import COLUMNS, export
from reports.model.finding_record import FindingRecord, SubjectRecord
from tests.builders import write_text
from tests.reports.live import report_on

ROOT = Path(__file__).parents[3]


def rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a table; what a row lacks is left out."""
    with duckdb.connect() as connection:
        table = connection.execute("SELECT * FROM read_parquet(?)", [str(file)])
        names = [column[0] for column in table.description]
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in table.fetchall()
        ]


def flat(finding: dict[str, Any]) -> dict[str, Any]:
    """Return a finding as a row."""
    subject = {f"subject_{name}": value for name, value in finding.pop("subject").items()}
    return finding | subject | {"evidence": finding["evidence"]}


def test_every_finding_is_a_row(tmp_path: Path) -> None:
    """Each line of the record is a row of the table, with the same values, in the same order."""
    report = report_on(tmp_path, str(ROOT / "inventory/examples/acme.yaml"))
    export(report.head, report.folder, tmp_path / "t.parquet")
    made = [row | {"evidence": json.loads(row["evidence"])} for row in rows(tmp_path / "t.parquet")]
    expected = [flat(json.loads(line)) for line in report.lines]
    assert made == expected
    assert len(made) > 100


def test_every_field_has_its_column() -> None:
    """The table has a column for each field of a finding and of its subject."""
    own = set(get_type_hints(FindingRecord)) - {"subject"}
    subject = {f"subject_{name}" for name in get_type_hints(SubjectRecord)}
    assert set(COLUMNS) == own | subject


def test_lines_that_are_no_findings_are_refused(tmp_path: Path) -> None:
    """What DuckDB cannot read as findings is an error, and not a table without them."""
    write_text(tmp_path / "findings.ndjson", "{\n")
    head: Any = {}
    with pytest.raises(InventoryError, match="DuckDB cannot read or write"):
        export(head, tmp_path, tmp_path / "t.parquet")
