"""The work paper of a sample: its lines in CSV, whatever the names in it hold."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from reports.presentation.sample import Conclusion
from reports.record.reader import read_record
from reports.tables.sample_paper import CONCLUSION, concluded, one_conclusion, paper_of
from tests.reports.samples import HOSTILE, VIOLATIONS, audit

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


@pytest.mark.parametrize("inventory", [VIOLATIONS, HOSTILE], ids=["violations", "hostile"])
def test_the_paper_is_a_table_between_facts_and_conclusion(
    tmp_path: Path, inventory: list[dict[str, Any]]
) -> None:
    """Facts come first, then a row for each member of the sample, then what people fill in."""
    record = read_record(audit(tmp_path, inventory).folder)
    lines = paper_of(record.head, record.lines(), record.population_lines())
    rows = [*csv.reader(io.StringIO("\n".join(lines)))]
    table = rows[rows.index([]) + 1 : len(rows) - len(CONCLUSION) - 1]
    assert table[0][:2] == ["draw", "number"]
    assert [row[0] for row in table[1:]] == [str(draw + 1) for draw in range(len(table) - 1)]
    assert {len(row) for row in table} == {18}
    assert [row[0] for row in rows[-len(CONCLUSION) :]] == [*CONCLUSION]


def test_no_cell_of_the_paper_begins_a_formula(tmp_path: Path) -> None:
    """Names that a spreadsheet would calculate have an apostrophe before them."""
    record = read_record(audit(tmp_path, HOSTILE).folder)
    lines = paper_of(record.head, record.lines(), record.population_lines())
    cells = [cell for row in csv.reader(io.StringIO("\n".join(lines))) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert [cell for cell in cells if cell.startswith("'=")]


def test_a_conclusion_names_its_findings_and_counts_the_others() -> None:
    """What is not listed is counted, and a member without findings says so."""
    some = Conclusion("CMEK-01", "fail", ("a", "b"), 1_002)
    assert one_conclusion(some) == "CMEK-01 fail (a, b and 1,000 more)"
    assert concluded([some._replace(total=2)]) == "CMEK-01 fail (a, b)"
    assert concluded([]) == "nothing: no finding is about it"
