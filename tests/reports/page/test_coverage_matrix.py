"""Coverage on the auditor's page: the matrices, and the organizations without room for theirs."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from reports.formats import html
from reports.page.coverage_matrix import lay_out
from reports.presentation import labels
from reports.presentation.selection import PageLimits
from tests.reports.samples import (
    VIOLATIONS,
    Page,
    Report,
    audit,
    database,
    key,
    organization,
    waiver,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("partial"), VIOLATIONS, only="CMEK-08")


def _section(page: str) -> str:
    return page[page.index('<section id="coverage">') :].partition("</section>")[0]


def _cell(
    state: str,
    region: str,
    kind: str = "serverless",
    provider: str = "aws",
    **over: Any,  # noqa: ANN401 (fields of any type)
) -> Any:  # noqa: ANN401 (a part of the record)
    place = {"type": kind, "provider": provider, "region": region}
    counts = dict.fromkeys(("databases", "existing", "unprotected", "keys", "advisories"), 0)
    status = {"missing": "fail", "undetermined": "inconclusive"}.get(state, "pass")
    return {**place, "state": state, **_about(status), **counts, **over}


def _about(status: str, severity: str = "high") -> dict[str, str]:
    reported = {"finding": "f", "rule": "CMEK-01", "status": status, "severity": severity}
    return {**reported, "message": "It is so."}


def _row(
    name: str,
    *cells: dict[str, Any],
    status: str = "",
    severity: str = "high",
    whole: bool = True,
    **counts: int,
) -> Any:  # noqa: ANN401 (a part of the record)
    none = {"error": 0, "fail": 0, "inconclusive": 0, "waived": 0}
    return {
        "organization": name,
        "name": name,
        "complete": whole,
        "counts": {**none, **counts},
        "worst": _about(status, severity) if status else None,
        "cells": list(cells),
    }


def _laid_out(*rows: Any, most: int = 1_000) -> Any:  # noqa: ANN401 (a Coverage)
    return lay_out(rows, most, is_partial=False)


# --- matrices -------------------------------------------------------------------------------------


def test_every_cell_is_explicit() -> None:
    """Each combination of type, provider and region has a cell, also where nothing is."""
    row = _row("o", _cell("covered", "r1"), _cell("missing", "r2", "managed-clusters", "gcp"))
    [matrix] = _laid_out(row).shown
    [table] = matrix.tables
    assert table.regions == ["r1", "r2"]
    assert {
        (row.type, row.provider, *(cell.label.word for cell in row.cells)) for row in table.rows
    } == {
        ("Serverless", "AWS", "covered", "no database"),
        ("Managed Clusters", "AWS", "no database", "no database"),
        ("Serverless", "Google Cloud", "no database", "no database"),
        ("Managed Clusters", "Google Cloud", "no database", "key missing"),
    }


def test_wide_matrices_are_split() -> None:
    """Many regions are laid out provider by provider, and at most so many side by side."""
    cells = [_cell("covered", f"r{number}") for number in range(8)]
    [matrix] = _laid_out(_row("o", *cells, _cell("covered", "x", provider="azure"))).shown
    assert [(table.part, len(table.regions)) for table in matrix.tables] == [
        ("AWS, regions 1 to 6 of 8", 6),
        ("AWS, regions 7 to 8 of 8", 2),
        ("Azure", 1),
    ]


@pytest.mark.parametrize(
    ("state", "status", "severity", "css"),
    [
        ("covered", "pass", "high", "pass"),
        ("failing", "fail", "high", "fail"),
        ("unproven", "inconclusive", "high", "inconclusive"),
        ("unproven", "pass", "high", "inconclusive"),
        ("unproven", "fail", "critical", "fail"),
        ("waived", "waived", "high", "waived"),
        ("missing", "waived", "high", "fail"),
        ("unused", "fail", "advisory", "waived"),
        ("unused", "fail", "high", "fail"),
        ("undetermined", "fail", "high", "fail"),
        ("undetermined", "waived", "high", "inconclusive"),
        ("unsupported", "not-applicable", "high", "not-applicable"),
        ("unsupported", "waived", "high", "waived"),
        ("astra-provided", "error", "high", "error"),
    ],
)
def test_a_cell_takes_the_colour_of_its_worst_finding(
    state: str, status: str, severity: str, css: str
) -> None:
    """A cell looks as its state does, or as bad as its worst finding above an advisory."""
    [matrix] = _laid_out(_row("o", _cell(state, "r", **_about(status, severity)))).shown
    look = matrix.tables[0].rows[0].cells[0].label
    assert (look.css, look.word) == (css, labels.CELL[state].word)


def test_states_are_in_the_page(violations: Report) -> None:
    """The page shows a state by word, and links it to the worst finding, with why in words."""
    section = _section(violations.page)
    text = Page(section).text
    states = set()
    for matrix in violations.head["coverage"]:
        for cell in matrix["cells"]:
            states.add(cell["state"])
            look = labels.CELL[cell["state"]]
            link = re.escape(f'<a href="#f-{cell["finding"]}"><i aria-hidden="true">')
            assert re.search(f"{link}.</i> {re.escape(unescape(look.word))}</a>", unescape(section))
            if cell["status"] in {"fail", "inconclusive"} and cell["severity"] != "advisory":
                status = labels.STATUS[cell["status"]].word
                assert f"{cell['rule']} {status}, {cell['severity']}: {cell['message']}" in text
    assert {"missing", "unsupported", "astra-provided", "undetermined"} <= states


def test_late_databases_and_advisories_are_in_their_cell(tmp_path: Path) -> None:
    """A cell says how many existing databases run on Astra's keys, and counts advisories."""
    late = {"registered": {"at": "2026-01-10T09:00:00Z", "by": "Dana", "on": "2026-01-11"}}
    report = audit(
        tmp_path,
        [
            organization(
                "acme",
                [key("us-east-2", 1, **late), key("eu-west-1", 2)],
                [database("orders", "us-east-2")],
            )
        ],
    )
    text = Page(_section(report.page)).text
    assert "key, but a failure" in text
    assert "1 database 1 existing database on Astra’s keys" in text
    assert "unused key 1 advisory" in text


def test_a_waived_failure_is_no_green(tmp_path: Path) -> None:
    """A cell whose only failure is waived says so, and never that the key is in order."""
    late = {"registered": {"at": "2026-01-10T09:00:00Z", "by": "Dana", "on": "2026-01-11"}}
    rows = [organization("acme", [key("us-east-2", 1, **late)], [database("o", "us-east-2")])]
    accepted = waiver("W-1", "CMEK-05", "acme/database/db-o/us-east-2", "older-than-key")
    report = audit(tmp_path, rows, [accepted])
    [cell] = report.head["coverage"][0]["cells"]
    assert (cell["state"], cell["status"], cell["unprotected"]) == ("waived", "waived", 1)
    assert '<td class="waived">' in _section(report.page)


def test_doubt_claims_nothing(partial: Report) -> None:
    """Where not all was read and judged, an empty cell is not known rather than empty."""
    row = _row("o", _cell("unproven", "r1"), whole=False)
    [matrix] = _laid_out(row).shown
    words = [row.cells[0].label.word for row in matrix.tables[0].rows]
    assert (matrix.is_doubtful, words) == (True, ["key, not proven", "not known"])
    assert "No key scope is known." in Page(partial.page).text
    [calm] = lay_out([_row("o")], 100, is_partial=True).shown
    assert calm.is_doubtful


def test_every_organization_of_a_record_that_is_too_old_is_in_doubt(tmp_path: Path) -> None:
    """Nothing is green, and nothing said to be empty, in what nobody recorded lately."""
    rows = [organization("acme", [key("us-east-2", 1)], [database("orders", "us-east-2")])]
    report = audit(tmp_path, rows, captured_at="2026-01-01T00:00:00Z")
    [row] = report.head["coverage"]
    assert (row["complete"], [cell["state"] for cell in row["cells"]]) == (False, ["unproven"])
    assert "no key is shown as covered" in Page(_section(report.page)).text


# --- many organizations ---------------------------------------------------------------------------


def test_the_worst_organization_comes_first() -> None:
    """Failures come before what could not be judged, worse and more of them before others."""
    rows = [
        _row("calm"),
        _row("advised", status="fail", severity="advisory", fail=9),
        _row("waiving", status="waived", waived=1),
        _row("unsure", status="inconclusive", severity="critical", inconclusive=9),
        _row("failing", status="fail", fail=1),
        _row("failing-twice", status="fail", fail=2),
        _row("unsure-as-well", status="fail", fail=1, inconclusive=1),
        _row("critical", status="fail", severity="critical", fail=1),
        _row("broken", status="error", severity="medium", error=1),
    ]
    assert [matrix.name for matrix in _laid_out(*rows).shown] == [
        "broken",
        "critical",
        "failing-twice",
        "unsure-as-well",
        "failing",
        "unsure",
        "waiving",
        "advised",
        "calm",
    ]


def test_where_there_is_no_room_failures_are_listed_and_the_rest_is_counted() -> None:
    """Beyond the limit of cells every organization that fails still has its line."""
    rows = [
        _row("calm", _cell("covered", "r")),
        _row("unsure", _cell("undetermined", "r"), status="inconclusive", inconclusive=1),
        *(_row(f"f{n}", _cell("missing", "r"), status="fail", fail=9 - n) for n in range(4)),
    ]
    laid_out = _laid_out(*rows, most=4)
    assert [matrix.name for matrix in laid_out.shown] == ["f0", "f1"]
    assert [row["name"] for row in laid_out.failing] == ["f2", "f3"]
    assert (laid_out.left_out, laid_out.left_cells) == (2, {"covered": 1, "not known": 1})


def _many(count: int, failing: int) -> list[dict[str, Any]]:
    """Return organizations of which the last are those that fail, ever worse."""
    rows = []
    for number in range(count):
        keys = [key("us-east-2", number), key("eu-west-1", 1_000 + number)]
        late = number - (count - failing) + 1
        databases = [database(f"{number}-o{at}", "us-east-2") for at in range(3)]
        databases += [database(f"{number}-l{at}", "us-west-2") for at in range(max(0, late))][:5]
        rows.append(organization(f"org-{number:03}", keys, databases))
    return rows


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("fleet"), _many(500, 178))


@pytest.mark.slow
@pytest.mark.parametrize("cells", [4_000, 600, 0])
def test_no_failing_organization_is_missing(fleet: Report, cells: int) -> None:
    """Of 500 organizations the 178 that fail are all named, the worst first, whatever the room."""
    page = html.render(fleet.head, fleet.lines, PageLimits(cells=cells))
    section = Page(_section(page)).text
    listed = re.findall(
        r'<h3>(org-\d+)</h3>|<th scope="row">(org-\d+) <code class="path">', _section(page)
    )
    named = [first or second for first, second in listed]
    rows = {row["name"]: row for row in fleet.head["coverage"]}
    failing = [name for name in named if rows[name]["worst"]["severity"] != "advisory"]
    fails = [rows[name]["counts"]["fail"] for name in failing]
    assert named[:178] == failing
    assert set(failing) == {f"org-{number:03}" for number in range(322, 500)}
    assert (fails, len(set(fails)) > 2) == (sorted(fails, reverse=True), True)
    left = 500 - len(named)
    assert (
        f"{left} more organizations without a failure are listed in audit.json" in section
    ) is bool(left)
