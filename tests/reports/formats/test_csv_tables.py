"""The tables as CSV: read back they are the tables, and no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.finding import Finding
from inventory.text.deceptive_text import deceptive_positions
from reports.formats.csv_tables import render_files
from reports.tables.cells import FindingCell, defused
from reports.tables.tables import TABLES
from tests.hypothesis_profile import examples
from tests.reports.recording import findings, record
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, WAIVERS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.tables.cells import Cell

NAMES = ["audit.csv", "findings.csv", "keys.csv", "databases.csv", "scopes.csv"]


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _texts(
    head: Any,  # noqa: ANN401 (a head)
    lines: Iterable[bytes],
    population: Iterable[bytes],
) -> dict[str, str]:
    files = render_files(head, lines, population=population)
    return {name: "".join(parts) for name, parts in files}


def _read(text: str) -> list[list[str]]:
    """Return the rows of a file, which must begin with the mark of UTF-8."""
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))


def _expected(
    head: Any,  # noqa: ANN401 (a head)
    lines: Sequence[bytes],
    population: Sequence[bytes],
) -> dict[str, list[list[str]]]:
    """Return the rows of each table, as texts."""
    return {
        f"{table.name}.csv": [
            table.header,
            *(list(map(_text, row)) for row in table.rows(head, lines, population)),
        ]
        for table in TABLES
    }


def _text(cell: Cell) -> str:
    value = cell.id if isinstance(cell, FindingCell) else cell
    return defused(value) if isinstance(value, str) else "" if value is None else str(value)


@pytest.mark.parametrize("data", [COMPLIANT, VIOLATIONS, HOSTILE], ids=["good", "bad", "hostile"])
def test_files_read_back_are_the_tables(tmp_path: Path, data: list[dict[str, Any]]) -> None:
    """What a reader of CSV gets is every row of every table, with its header, and nothing else."""
    report = audit(tmp_path, data)
    texts = _texts(report.head, report.lines, report.population)
    read = {name: _read(text) for name, text in texts.items()}
    assert list(read) == NAMES
    assert read == _expected(report.head, report.lines, report.population)
    assert len(read["findings.csv"]) == report.head["findings"]["count"] + 1
    for rows in read.values():
        assert {len(row) for row in rows} == {len(rows[0])}


@examples(30)
@given(st.lists(findings(), max_size=4))
def test_any_findings_read_back(given: list[Finding]) -> None:
    """Whatever findings hold, the file has a row for each, and no cell that hides or runs."""
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given)
    parts = (made.findings.splitlines(keepends=True), made.population.splitlines(keepends=True))
    texts = _texts(made.head, *parts)
    read = {name: _read(text) for name, text in texts.items()}
    assert read == _expected(made.head, *parts)
    for cell in (cell for rows in read.values() for row in rows for cell in row):
        assert not deceptive_positions(cell)
        assert not re.search(r"(^|;) *[=+\-@\uff1d\uff0b\uff0d\uff20]", cell)


def test_lines_end_as_the_standard_says(violations: Report) -> None:
    """Each line ends with carriage return and line feed, and none is inside a cell."""
    texts = _texts(violations.head, violations.lines, violations.population)
    for text in texts.values():
        rows = _read(text)
        assert text.count("\r\n") == text.count("\n") == text.count("\r") == len(rows)


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two audits of the same inventory write equal tables."""
    (tmp_path / "a").mkdir()
    one = audit(tmp_path / "a", VIOLATIONS, WAIVERS)
    head = one.head | {"run": one.head["run"] | {"started": "2027-01-01T00:00:00Z"}}
    again = _texts(head, one.lines, one.population)
    assert again == _texts(one.head, one.lines, one.population)


def test_a_table_is_written_while_it_is_read(violations: Report) -> None:
    """The first rows are there before the last finding is read: no table is in memory whole."""
    read = 0

    def lines() -> Iterable[bytes]:
        nonlocal read
        for line in violations.lines * 10:
            read += 1
            yield line

    files = render_files(violations.head, lines(), population=violations.population)
    [parts] = [parts for name, parts in files if name == "findings.csv"]
    assert [next(parts)[0], next(parts)[:6]] == ["\ufeff", "status"]
    assert 0 < read < len(violations.lines) * 5
