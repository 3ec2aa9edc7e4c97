"""The table of key scopes: as the coverage has them, and never better than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from checks.engine.finding import Status
from reports.aggregation.coverage_states import STATES
from reports.model.key_plan import CoverageCell
from reports.presentation.labels import CELL
from reports.tables.cells import FindingCell, joined
from reports.tables.scopes import SCOPES
from tests.reports.coverage_rows import a_cell, a_row
from tests.reports.samples import VIOLATIONS, audit
from tests.reports.tables.reading import rows_of


def _head(*rows: Any, left_out: str = "") -> Any:  # noqa: ANN401 (a part of the record)
    return {"coverage": list(rows), "settings": {"left_out": left_out}}


def test_every_field_has_its_column() -> None:
    """The table has a column for each field of a key scope, and of the finding it rests on."""
    own = {"organization", "organization_id", "state_meaning", "complete"}
    assert set(SCOPES.header) == set(get_type_hints(CoverageCell)) | own


def test_every_key_scope_is_a_row(tmp_path: Path) -> None:
    """Each cell of the coverage is a row with the same values, in the same order."""
    report = audit(tmp_path, VIOLATIONS)
    rows = [row for row in rows_of(SCOPES, report.head) if "region" in row]
    cells = [
        {"organization_id": organization["organization"], **cell}
        for organization in report.head["coverage"]
        for cell in organization["cells"]
    ]
    assert len(rows) == len(cells) > 3
    for cell, row in zip(cells, rows, strict=True):
        expected = cell | {"planned_keys": joined(cell["planned_keys"])}
        shown = {name: value for name, value in expected.items() if value != ""}
        assert {name: row[name] for name in shown} == shown


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_shown_with_its_meaning(state: str) -> None:
    """A key scope is shown in the state that the record has, and in no better one."""
    [row] = rows_of(SCOPES, _head(a_row("acme", a_cell(state, "us-east-1"))))
    assert (row["state"], row["state_meaning"]) == (state, CELL[state].meaning)


def test_a_state_that_is_not_known_has_no_meaning() -> None:
    """A record of another suite has its rows all the same."""
    [row] = rows_of(SCOPES, _head(a_row("acme", a_cell("odd", "us-east-1"))))
    assert (row["state"], "state_meaning" in row) == ("odd", False)


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_of_the_worst_finding_is_shown(status: Status) -> None:
    """The worst finding is shown as it is, and its id leads to it."""
    cell = a_cell("failing", "us-east-1", status=status)
    [row] = SCOPES.rows(_head(a_row("acme", cell)), (), ())
    assert row[-1] == FindingCell("f", "acme", status)
    assert status in row


@pytest.mark.parametrize(
    ("whole", "left_out", "state", "complete"),
    [
        (True, "", "none", "yes"),
        (False, "", "undetermined", "no"),
        (True, "1 of 2", "undetermined", "no"),
    ],
    ids=["whole", "unread", "partial"],
)
def test_an_organization_without_key_scopes_is_a_row(
    whole: bool,  # noqa: FBT001 (a parameter)
    left_out: str,
    state: str,
    complete: str,
) -> None:
    """No database reads as such only if all was read and judged; else nothing is known."""
    organization = a_row("acme", whole=whole, worst=("inconclusive", "high"))
    [row] = rows_of(SCOPES, _head(organization, left_out=left_out))
    assert (row["state"], row["complete"], row["status"]) == (state, complete, "inconclusive")


def test_an_organization_that_was_not_read_in_full_has_a_row_more() -> None:
    """There may be more key scopes than the rows show: a row of the organization says so."""
    cell = a_cell("covered", "us-east-1")
    whole, unread = a_row("acme", cell), a_row("other", cell, whole=False)
    rows = rows_of(SCOPES, _head(whole, unread))
    shown = [(row["organization"], row.get("region"), row["state"]) for row in rows]
    assert shown == [
        ("acme", "us-east-1", "covered"),
        ("other", "us-east-1", "covered"),
        ("other", None, "undetermined"),
    ]


def test_an_organization_without_open_findings_has_none_in_its_row() -> None:
    """Without anything open or waived, the columns of the worst finding are empty."""
    [row] = rows_of(SCOPES, _head(a_row("acme")))
    assert not {"finding", "status", "severity", "rule", "message"} & set(row)
