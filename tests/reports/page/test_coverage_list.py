"""Coverage on the auditor's page: a row for each organization, and its key scopes."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from reports.formats import html
from reports.page.bars import Piece
from reports.page.coverage_list import lay_out_coverage, protection_bar
from reports.presentation import labels
from reports.presentation.selection import PageLimits
from tests.reports.coverage_rows import a_cell, a_protection, a_row, about
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
    return page[page.index('<section id="coverage">') :].partition('id="key-plan"')[0]


def _laid_out(*rows: Any, cells: int = 1_000, whole: int = 50) -> Any:  # noqa: ANN401 (a list)
    return lay_out_coverage(rows, most_cells=cells, most_whole=whole, is_partial=False)


# --- bars ---------------------------------------------------------------------------------------


def test_the_bar_shows_what_is_waived_apart() -> None:
    """A database whose failure is waived is neither protected nor plainly unprotected."""
    numbers: Any = a_protection(protected=1, unprotected=2, waived=1, unproven=1, astra_provided=1)
    assert [piece.css for piece in protection_bar(numbers)] == [
        "pass",
        "fail",
        "waived",
        "inconclusive",
        "not-applicable",
    ]
    assert protection_bar(a_protection(unprotected=3, waived=3)) == [Piece("waived", 0, 1_000)]  # type: ignore[arg-type]


# --- key scopes -----------------------------------------------------------------------------------


def test_key_scopes_in_use_are_shown_by_provider() -> None:
    """Each provider has a block with the key scopes in use, the worst first, and their states."""
    cells = [
        a_cell("covered", "r1"),
        a_cell("covered", "r3"),
        a_cell("missing", "r2"),
        a_cell("missing", "r2", "managed-clusters", "gcp"),
    ]
    [shown] = _laid_out(a_row("o", *cells)).shown
    assert [
        (
            block.provider,
            [(cell.region, cell.type, cell.label.word) for cell in block.cells],
            [(label.word, number) for label, number in block.states],
        )
        for block in shown.blocks
    ] == [
        (
            "AWS",
            [
                ("r2", "Serverless", "key missing"),
                ("r1", "Serverless", "covered"),
                ("r3", "Serverless", "covered"),
            ],
            [("key missing", 1), ("covered", 2)],
        ),
        ("Google Cloud", [("r2", "Managed Clusters", "key missing")], [("key missing", 1)]),
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
    [shown] = _laid_out(a_row("o", a_cell(state, "r", **about(status, severity)))).shown
    label = shown.blocks[0].cells[0].label
    assert (label.css, label.word) == (css, labels.CELL[state].word)


def test_states_are_in_the_page(violations: Report) -> None:
    """The page shows a state by word, and links it to the worst finding, with why in words."""
    section = _section(violations.page)
    states = set()
    for row in violations.head["coverage"]:
        for cell in row["cells"]:
            states.add(cell["state"])
            label = labels.CELL[cell["state"]]
            assert re.search(f"</i> {re.escape(label.word)}</p>", unescape(section))
            if cell["status"] in {"fail", "inconclusive"} and cell["severity"] != "advisory":
                status = labels.STATUS[cell["status"]].word
                why = f"{cell['rule']} {status}, {cell['severity']}: {cell['message']}"
                assert f'<a href="#f-{cell["finding"]}">{why}</a>' in unescape(section)
    assert {"missing", "unsupported", "astra-provided", "undetermined"} <= states


def test_late_databases_and_advisories_are_in_theira_cell(tmp_path: Path) -> None:
    """A cell says how many existing databases run on Astra's keys, and counts advisories."""
    late = {"registered": {"at": "2026-01-10T09:00:00Z", "by": "Dana", "on": "2026-01-11"}}
    keys = [key("us-east-2", 1, **late), key("eu-west-1", 2)]
    report = audit(tmp_path, [organization("acme", keys, [database("orders", "us-east-2")])])
    text = Page(_section(report.page)).text
    assert "key, but a failure" in text
    assert "1 database, 1 existing database on Astra’s keys" in text
    assert "0 databases, 1 key, 1 advisory" in text


def test_a_waived_failure_is_no_green(tmp_path: Path) -> None:
    """A cell whose only failure is waived says so, and never that the key is in order."""
    late = {"registered": {"at": "2026-01-10T09:00:00Z", "by": "Dana", "on": "2026-01-11"}}
    rows = [organization("acme", [key("us-east-2", 1, **late)], [database("o", "us-east-2")])]
    accepted = waiver("W-1", "CMEK-05", "acme/database/db-o/us-east-2", "older-than-key")
    report = audit(tmp_path, rows, [accepted])
    [cell] = report.head["coverage"][0]["cells"]
    assert (cell["state"], cell["status"], cell["unprotected"]) == ("waived", "waived", 1)
    section = _section(report.page)
    assert '<li class="cell waived">' in section
    assert '<b class="badge pass">' not in section


def test_doubt_claims_nothing(partial: Report) -> None:
    """Where not all was read and judged, nothing is said to be empty."""
    assert "No key scope is known." in Page(partial.page).text
    [shown] = lay_out_coverage(
        [a_row("o", protected=1)], most_cells=1, most_whole=0, is_partial=True
    ).shown
    assert (shown.label.word, shown.is_complete) == ("not proven", False)


def test_every_organization_of_a_record_that_is_too_old_is_in_doubt(tmp_path: Path) -> None:
    """Nothing is green, and nothing said to be empty, in what nobody recorded lately."""
    rows = [organization("acme", [key("us-east-2", 1)], [database("orders", "us-east-2")])]
    report = audit(tmp_path, rows, captured_at="2026-01-01T00:00:00Z")
    [row] = report.head["coverage"]
    assert (row["complete"], [cell["state"] for cell in row["cells"]]) == (False, ["unproven"])
    assert "no key is shown as covered" in Page(_section(report.page)).text


# --- many organizations ---------------------------------------------------------------------------


def test_without_room_for_key_scopes_a_row_stays() -> None:
    """Beyond the limit of cells an organization keeps its row, with its worst finding."""
    rows = [a_row(f"f{n}", a_cell("missing", "r"), worst=("fail", "high")) for n in range(4)]
    shown = _laid_out(*rows, cells=2).shown
    assert [(view.name, len(view.blocks), view.cells) for view in shown] == [
        ("f0", 1, 1),
        ("f1", 1, 1),
        ("f2", 0, 1),
        ("f3", 0, 1),
    ]


def test_organizations_in_order_are_folded_and_named() -> None:
    """Above so many organizations, those in order fold into one row that names them."""
    rows = [
        a_row("failing", worst=("fail", "high")),
        a_row("b", protected=1),
        a_row("a", protected=1),
        a_row("empty"),
    ]
    coverage = _laid_out(*rows, whole=3)
    assert [view.name for view in coverage.shown] == ["failing"]
    assert [(group.label.word, group.organizations) for group in coverage.folded] == [
        ("protected", [("a", "a"), ("b", "b")]),
        ("no database", [("empty", "empty")]),
    ]
    assert len(_laid_out(*rows, whole=4).shown) == len(rows)


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
@pytest.mark.parametrize("fleet_size", [100, 1_000])
def test_no_failing_organization_is_missing(fleet: Report, cells: int, fleet_size: int) -> None:
    """Of 500 organizations the 178 that fail are all named, the worst first, whatever the room."""
    page = html.render(fleet.head, fleet.lines, PageLimits(cells=cells, fleet=fleet_size))
    named = re.findall(r'<strong class="who">(?:<a [^>]*>)?(org-\d+)', _section(page))
    rows = {row["name"]: row for row in fleet.head["coverage"]}
    unprotected = [rows[name]["protection"]["unprotected"] for name in named]
    assert set(named) == {f"org-{number:03}" for number in range(322, 500)}
    assert len(named) == 178
    assert min(unprotected) > 0
    folded = re.findall(r"<li>(?:<a [^>]*>)?(org-\d+)", _section(page))
    assert sorted([*named, *folded]) == sorted(rows)
