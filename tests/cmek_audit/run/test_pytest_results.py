"""pytest's own reports, made fit for an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from cmek_audit.run import pytest_results
from cmek_audit.run.audit import run_audit
from cmek_audit.run.option_values import parse_options
from cmek_audit.run.pytest_results import COLUMNS, MOST_ROWS, NO_AUDIT
from tests.builders import AS_OF, document_data, write_json
from tests.reports.recording import RUN

if TYPE_CHECKING:
    from pathlib import Path

    from reports.model.head import Head


Outcome = Literal["passed", "failed", "skipped"]


def _head(folder: Path, **over: object) -> Head:
    """Return the head of an audit of an inventory, as if all of it had been run."""
    path = write_json(folder / "inventory.json", document_data())
    options = {"inventory": (path,), "as_of": AS_OF.isoformat(), "report_dir": str(folder / "r")}
    return run_audit(parse_options(options | over), lambda _: RUN.copy()).head


def _report(outcome: Outcome = "passed", **carried: str) -> pytest.TestReport:
    report = pytest.TestReport("checks/c.py::c", ("c.py", 0, "c"), {}, outcome, None, "call")
    if carried:
        report.cmek = carried  # type: ignore[attr-defined]
    return report


def _cells() -> list[str]:
    return ["<td>outcome</td>", "<td>test</td>", "<td>duration</td>", "<td>links</td>"]


# --- the table ------------------------------------------------------------------------------------


def test_the_columns_of_the_rows_stand_below_their_headers() -> None:
    """Header and row have the same columns in the same order, and no links."""
    head, row = _cells(), _cells()
    pytest_results.header(head)
    pytest_results.row(_report("passed", **{name: f"the {name}" for name in COLUMNS}), row, 1)
    assert (head[0], head[-2:]) == (row[0], row[-2:]) == ("<td>outcome</td>", _cells()[1:3])
    assert head[1:-2] == [
        f'<th class="sortable" data-column-type="{name}">{name.capitalize()}</th>'
        for name in COLUMNS
    ]
    assert row[1:-2] == [f'<td class="col-{name}">the {name}</td>' for name in COLUMNS]


def test_what_stands_in_a_cell_is_escaped() -> None:
    """An organization whose name is markup is shown by its name, and nothing in it hides."""
    cells = _cells()
    pytest_results.row(_report(organization="<img src=x onerror=alert(1)>\u202e"), cells, 1)
    assert '<td class="col-organization">&lt;img src=x onerror=alert(1)&gt;?</td>' in cells


def test_a_row_of_another_test_has_empty_cells() -> None:
    """A test that is no check has its row, with nothing in our columns."""
    cells = _cells()
    pytest_results.row(_report(), cells, 1)
    assert cells[1:-2] == [f'<td class="col-{name}"></td>' for name in COLUMNS]


def test_rows_that_a_browser_would_choke_on_are_dropped() -> None:
    """Beyond so many rows only those are kept that tell of a failure."""
    outcomes: list[Outcome] = ["passed", "passed", "skipped", "failed"]
    kept = []
    for number, outcome in enumerate(outcomes, MOST_ROWS):
        cells = _cells()
        pytest_results.row(_report(outcome), cells, number)
        kept.append(bool(cells))
    assert kept == [True, False, False, True]


# --- what is above it -----------------------------------------------------------------------------


def _summary(head: Head | None, page: str = "r/audit.html", rows: int = MOST_ROWS) -> list[str]:
    prefix: list[str] = []
    pytest_results.summary(prefix, head, page, rows)
    return prefix


def test_the_page_of_results_shows_verdict_and_counts(tmp_path: Path) -> None:
    """Verdict, counts and grouping are above the table, with the way to the auditor's page."""
    assert _summary(_head(tmp_path)) == [
        (
            "<p><strong>Compliance is not established: 3 checks are inconclusive. "
            "Passes of CMEK-08 (1 of 1) rest on attestations alone (1 person).</strong></p>"
        ),
        "<p>10 findings, of which 3 inconclusive, 6 pass, 1 not-applicable.</p>",
        (
            "<p>The numbers and rows below count test items: one test item covers the findings of "
            "one rule about one subject.</p>"
        ),
        '<p>For auditors: <a href="audit.html">audit.html</a>.</p>',
    ]


def test_the_page_of_results_leads_to_the_page_it_is_given(tmp_path: Path) -> None:
    """The page of results is in the folder of the auditor's page, so its name is the way."""
    summary = _summary(_head(tmp_path, formats="results"), "some/where/audit.json")
    assert summary[-1] == '<p>For auditors: <a href="audit.json">audit.json</a>.</p>'


def test_the_page_of_results_says_that_rows_are_missing(tmp_path: Path) -> None:
    """If rows were dropped, the page says from which number on."""
    assert _summary(_head(tmp_path), rows=MOST_ROWS + 1)[-1] == (
        "<p>Rows beyond 2,000 are left out of this table, and of its counts.</p>"
    )


def test_the_page_of_results_says_if_there_is_no_audit() -> None:
    """Without a record the page says nothing but that."""
    assert _summary(None) == [f"<p><strong>{NO_AUDIT}</strong></p>"]
