"""pytest's own reports, made fit for an audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from cmek_audit.run import pytest_results
from cmek_audit.run.audit import Audit
from cmek_audit.run.option_values import parse_options
from cmek_audit.run.pytest_results import COLUMNS, MOST_ROWS, NO_AUDIT
from tests.builders import AS_OF, document_data, write_json
from tests.reports.recording import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Audit]:
    made = _audit(tmp_path)
    yield made
    made.discard()


def _audit(folder: Path, **over: object) -> Audit:
    path = write_json(folder / "inventory.json", document_data())
    options = {"inventory": (path,), "as_of": AS_OF.isoformat(), "report_dir": str(folder / "r")}
    return Audit(parse_options(options | over))


def _written(folder: Path, **over: object) -> Audit:
    """Write the audit of an inventory as if all of it had been run, and return it."""
    audit = _audit(folder, **over)
    groups = [
        group for groups_of_rule in audit.grouping.groups().values() for group in groups_of_rule
    ]
    audit.write({(group.card.id, group.key) for group in groups}, RUN.copy)
    return audit


def _report(
    outcome: Literal["passed", "failed", "skipped"] = "passed", **carried: str
) -> pytest.TestReport:
    report = pytest.TestReport("checks/c.py::c", ("c.py", 0, "c"), {}, outcome, None, "call")
    if carried:
        report.cmek = carried  # type: ignore[attr-defined]
    return report


def _cells() -> list[str]:
    return ["<td>outcome</td>", "<td>test</td>", "<td>duration</td>", "<td>links</td>"]


# --- the table ------------------------------------------------------------------------------------


def test_the_columns_of_the_rows_stand_below_their_headers(audit: Audit) -> None:
    """Header and row have the same columns in the same order, and no links."""
    head, row = _cells(), _cells()
    pytest_results.header(head)
    pytest_results.row(_report("passed", **{name: f"the {name}" for name in COLUMNS}), row, audit)
    assert (head[0], head[-2:]) == (row[0], row[-2:]) == ("<td>outcome</td>", _cells()[1:3])
    assert head[1:-2] == [
        f'<th class="sortable" data-column-type="{name}">{name.capitalize()}</th>'
        for name in COLUMNS
    ]
    assert row[1:-2] == [f'<td class="col-{name}">the {name}</td>' for name in COLUMNS]


def test_what_stands_in_a_cell_is_escaped(audit: Audit) -> None:
    """An organization whose name is markup is shown by its name, and nothing in it hides."""
    cells = _cells()
    pytest_results.row(_report(organization="<img src=x onerror=alert(1)>\u202e"), cells, audit)
    assert '<td class="col-organization">&lt;img src=x onerror=alert(1)&gt;?</td>' in cells


def test_a_row_of_another_test_has_empty_cells(audit: Audit) -> None:
    """A test that is no check has its row, with nothing in our columns."""
    cells = _cells()
    pytest_results.row(_report(), cells, audit)
    assert cells[1:-2] == [f'<td class="col-{name}"></td>' for name in COLUMNS]


def test_rows_that_a_browser_would_choke_on_are_dropped(audit: Audit) -> None:
    """Beyond so many rows only those are kept that tell of a failure."""
    audit.rows_seen = MOST_ROWS - 1
    kept = []
    for outcome in ("passed", "passed", "skipped", "failed"):
        cells = _cells()
        pytest_results.row(_report(outcome), cells, audit)
        kept.append(bool(cells))
    assert kept == [True, False, False, True]


# --- what stands above it -------------------------------------------------------------------------


def _summary(audit: Audit) -> list[str]:
    prefix: list[str] = []
    pytest_results.summary(prefix, audit)
    return prefix


def test_the_page_of_results_tells_verdict_and_counts(tmp_path: Path) -> None:
    """Verdict, counts and grouping stand above the table, with the way to the auditor's page."""
    assert _summary(_written(tmp_path)) == [
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


def test_the_page_of_results_leads_to_what_was_written(tmp_path: Path) -> None:
    """Where no page for auditors is written, the page of results leads to the record."""
    audit = _written(tmp_path, formats="results")
    assert _summary(audit)[-1] == '<p>For auditors: <a href="audit.json">audit.json</a>.</p>'
    assert not (tmp_path / "r" / "audit.html").exists()


def test_the_page_of_results_says_that_rows_are_missing(tmp_path: Path) -> None:
    """If rows were dropped, the page says from which number on."""
    audit = _written(tmp_path)
    audit.rows_seen = MOST_ROWS + 1
    assert _summary(audit)[-1] == (
        "<p>Rows beyond 2,000 are left out of this table, and of its counts.</p>"
    )


def test_the_page_of_results_says_if_there_is_no_audit(audit: Audit) -> None:
    """Without a record the page says nothing but that."""
    assert _summary(audit) == [f"<p><strong>{NO_AUDIT}</strong></p>"]
