"""What an audit adds to pytest's own reports, ``results.html`` and ``junit.xml``."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from inventory.text.display import printable
from reports.comparison.changes import summarize_changes
from reports.presentation.banners import banners
from reports.presentation.messages import counts_of, describe_items
from reports.presentation.source_notes import first_notes
from reports.record.layout import without_run

if TYPE_CHECKING:
    import pytest

    from reports.model.head import Head

TITLE = "Customer keys in Astra: results of the run"
NO_AUDIT = "NO AUDIT: the run did not finish, and no report was written."
MOST_ROWS = 2_000
ROWS_LEFT_OUT = f"<p>Rows beyond {MOST_ROWS:,} are left out of this table, and of its counts.</p>"
COLUMNS = ("rule", "organization", "type", "provider", "region", "severity", "status")


def header(cells: list[str]) -> None:
    """Insert our columns after the outcome; drop the column of links, which is always empty."""
    inserted = [
        f'<th class="sortable" data-column-type="{name}">{name.capitalize()}</th>'
        for name in COLUMNS
    ]
    cells[:] = [cells[0], *inserted, *cells[1:-1]]


def row(report: pytest.TestReport, cells: list[str], number: int) -> None:
    """Insert our columns, or drop the row if the table grows past what a browser can open.

    ``number`` counts the rows that the table was offered, from 1 on.

    A report of setup or teardown that went well is no row of its own, and is not dropped here.
    """
    carried = getattr(report, "cmek", None) or {}
    if number > MOST_ROWS and not report.failed:
        del cells[:]
        return
    texts = {name: escape(printable(carried.get(name, ""))) for name in COLUMNS}
    inserted = [f'<td class="col-{name}">{text}</td>' for name, text in texts.items()]
    cells[:] = [cells[0], *inserted, *cells[1:-1]]


def summary(prefix: list[str], head: Head | None, page: str, rows: int) -> None:
    """Say the verdict, the true counts of findings, and where the auditor's ``page`` is.

    ``rows`` is how many rows the table was offered.
    """
    if head is None:
        prefix.append(f"<p><strong>{escape(NO_AUDIT)}</strong></p>")
        return
    prefix += statements(head)
    name = page.rpartition("/")[2]
    prefix.append(f'<p>For auditors: <a href="{name}">{name}</a>.</p>')
    if rows > MOST_ROWS:
        prefix.append(ROWS_LEFT_OUT)


def statements(head: Head) -> list[str]:
    """Return what the page of results shows of the record: verdict, banners, notes and counts."""
    items = describe_items(head["settings"]["grouping"])
    return [
        f"<p><strong>{escape(head['verdict']['text'])}</strong></p>",
        *(f"<p><strong>{escape(text)}</strong></p>" for text in _banners(head)),
        *(f"<p>Note on {escape(printable(str(note)))}</p>" for note in first_notes(head)[0]),
        f"<p>{escape(counts_of(head))}.</p>",
        f"<p>The numbers and rows below count test items: {items}.</p>",
    ]


def mark_junit(config: pytest.Config, head: Head | None) -> None:
    """Write verdict and banners, or that there is no audit, into the JUnit suite's properties."""
    values = [("verdict", NO_AUDIT)] if head is None else properties(head)
    for plugin in config.pluginmanager.get_plugins():
        if hasattr(plugin, "add_global_property"):
            for name, value in values:
                plugin.add_global_property(name, value)


def properties(head: Head) -> list[tuple[str, str]]:
    """Return the properties of the JUnit suite, from the record."""
    return [
        ("verdict", head["verdict"]["text"]),
        ("report", head["report"]),
        ("findings", counts_of(head)),
        *(("banner", text) for text in _banners(head)),
        *(("note", printable(str(note))) for note in first_notes(head)[0]),
        *([("changes", summarize_changes(head["changes"]))] if head["changes"] else []),
    ]


def _banners(head: Head) -> list[str]:
    """Return the banners that are known while pytest writes: how the run ends is not."""
    return banners(without_run(head))
