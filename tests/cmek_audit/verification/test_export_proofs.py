"""What is exported from the record is proven by exporting it again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from cmek_audit.verification.verify_report import verify_report
from tests.reports.live import report_on
from tests.reports.samples import AS_OF

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
TABLE = "findings.parquet"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return the folder of a report with a table of its findings."""
    example = ROOT / "inventory/examples/compliant.yaml"
    return report_on(tmp_path, str(example), as_of=AS_OF, formats="json,parquet").folder


def _proven(report: Path) -> tuple[str, str]:
    (proof,) = [proof for proof in verify_report(str(report)).proofs if proof.name == TABLE]
    return proof.status, proof.reason


def test_a_table_is_proven_by_the_record(report: Path) -> None:
    """A table with the rows that the record has is proven as far as the record is."""
    assert _proven(report) == ("proven", "exported again from the record: equal")


def _rewrite(select: str) -> Callable[[Path], None]:
    def change(table: Path) -> None:
        with duckdb.connect() as connection:
            connection.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [str(table)])
            connection.execute(f"COPY ({select}) TO ? (FORMAT parquet)", [str(table)])

    return change


def _cut(table: Path) -> None:
    table.write_bytes(table.read_bytes()[:-9])


@pytest.mark.parametrize(
    "change",
    [
        _rewrite("SELECT * REPLACE ('pass' AS status) FROM t"),
        _rewrite("SELECT * FROM t LIMIT 3"),
        _rewrite("SELECT * FROM t UNION ALL SELECT * FROM t"),
        _rewrite("SELECT *, 1 AS more FROM t"),
        _cut,
    ],
    ids=["other-status", "fewer", "more", "other-columns", "cut-short"],
)
def test_another_table_differs(report: Path, change: Callable[[Path], None]) -> None:
    """A table that is not that of the record differs, whatever was changed in it."""
    change(report / TABLE)
    reason = "not the table of findings that the record is exported to"
    assert _proven(report) == ("differs", reason)


def test_the_same_rows_in_other_bytes_are_proven(report: Path) -> None:
    """Another version of DuckDB writes other bytes: the rows count."""
    before = (report / TABLE).read_bytes()
    _rewrite("SELECT * FROM t")(report / TABLE)
    assert (report / TABLE).read_bytes() != before
    assert _proven(report)[0] == "proven"


def test_without_duckdb_nothing_is_proven(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where DuckDB is missing, the table is not proven, and what to install is named."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    status, reason = _proven(report)
    assert (status, "pip install 'cmek-audit[parquet]'" in reason) == ("not-proven", True)


def test_a_table_that_is_missing(report: Path) -> None:
    """A table that was asked for and is missing is not proven."""
    (report / TABLE).unlink()
    assert _proven(report) == ("not-proven", "missing; the record says that it was asked for")
