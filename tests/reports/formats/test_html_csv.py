"""The table of findings that the page offers for download, as a browser makes it."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.reports.browser import NEEDS_BROWSER, open_page, start_browser
from tests.reports.samples import HOSTILE, VIOLATIONS, WAIVERS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_BROWSER

COLUMNS = [
    "status",
    "severity",
    "rule",
    "rule title",
    "organization",
    "subject",
    "type",
    "provider",
    "region",
    "database",
    "key",
    "message",
    "action",
    "cause",
    "reason",
    "first seen",
    "id",
    "evidence",
]


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("hostile"), HOSTILE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as launched:
        yield launched


def download(page: Page) -> tuple[str, str]:
    """Return the name and the text of the file that the page offers."""
    with page.expect_download() as started:
        page.click("#filter [name=csv]")
    data = started.value.path().read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return started.value.suggested_filename, data.decode("utf-8-sig")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def place(location: list[Any]) -> str:
    file, line, *address = location
    return f"{file}:{line} ({address[0]})" if address else f"{file}:{line}"


def expected(report: Report) -> dict[str, dict[str, str]]:
    """Return the rows of the record, by their ids, but for the words for the subject."""
    titles = {rule["id"]: rule["title"] for rule in report.head["criteria"]["rules"]}
    names = {entry["id"]: entry["name"] for entry in report.head["population"]["organizations"]}
    names[""] = "across organizations"
    rows = {}
    for finding in map(json.loads, report.lines):
        subject = finding["subject"]
        values = [
            *(finding[name] for name in ("status", "severity", "rule")),
            titles[finding["rule"]],
            names[subject["organization"]],
            *(subject.get(name, "") for name in ("type", "provider", "region", "database", "key")),
            *(finding.get(name, "") for name in ("message", "action", "cause", "reason", "since")),
            finding["id"],
            "; ".join(map(place, finding["evidence"])),
        ]
        columns = [name for name in COLUMNS if name != "subject"]
        rows[finding["id"]] = dict(zip(columns, values, strict=True))
    return rows


def test_the_table_is_the_record(browser: Browser, violations: Report) -> None:
    """The table holds every finding of the record, with its values as the record has them."""
    with open_page(browser, violations.folder / "audit.html") as opened:
        name, text = download(opened.page)
        assert opened.said == []
    assert name == f"findings-{violations.head['report'][:12]}.csv"
    assert text.startswith(f"{','.join(COLUMNS)}\r\n")
    rows = rows_of(text)
    assert all(row["subject"] for row in rows)
    without_words = [
        {column: value for column, value in row.items() if column != "subject"} for row in rows
    ]
    assert {row["id"]: row for row in without_words} == expected(violations)
    assert len(rows) == len(violations.lines)


def test_only_what_is_shown_is_in_the_table(browser: Browser, violations: Report) -> None:
    """What the filter hides is not in the table, and the page says how many findings are."""
    anchor = "#findings?rule=CMEK-05&status=fail"
    with open_page(browser, violations.folder / "audit.html", anchor) as opened:
        name, text = download(opened.page)
        said = opened.page.inner_text("#findings .said")
    rows = rows_of(text)
    assert said == f"{len(rows)} findings are in {name}."
    assert {row["id"] for row in rows} == {
        identity
        for identity, row in expected(violations).items()
        if (row["rule"], row["status"]) == ("CMEK-05", "fail")
    }


def test_opening_findings_changes_nothing(browser: Browser, violations: Report) -> None:
    """The table is the same with every finding open, when copy buttons are beside its values."""
    with open_page(browser, violations.folder / "audit.html") as opened:
        _, before = download(opened.page)
        opened.page.click("#filter [name=open]")
        opened.page.locator(".copy").first.wait_for()
        _, after = download(opened.page)
    assert after == before


def test_no_cell_is_a_formula(browser: Browser, hostile: Report) -> None:
    """Whatever names hold, no cell begins as a formula does, and every row has all columns."""
    with open_page(browser, hostile.folder / "audit.html") as opened:
        _, text = download(opened.page)
    rows = rows_of(text)
    assert len(rows) == len(hostile.lines)
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r")]
    assert '\'=HYPERLINK("http://evil.example/")' in {row["organization"] for row in rows}
