"""The buttons of the findings as a browser runs them: copy, open all and close all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.reports.browser import NEEDS_BROWSER, open_page, start_browser
from tests.reports.samples import HOSTILE, VIOLATIONS, WAIVERS, Report, audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = NEEDS_BROWSER

NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
CLIPBOARD = """window.copied = []; Object.defineProperty(navigator, "clipboard", {
    value: { writeText: async (text) => window.copied.push(text) },
})"""


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("hostile") / "a\u202eb"
    folder.mkdir()
    return audit(folder, HOSTILE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as launched:
        yield launched


def test_everything_is_copied_as_the_record_has_it(browser: Browser, violations: Report) -> None:
    """The place of evidence, the subject, the cause and the id are each copied whole."""
    finding = next(
        finding
        for finding in map(json.loads, violations.lines)
        if finding["status"] == "fail" and finding["evidence"]
    )
    with open_page(browser, violations.folder / "audit.html") as opened:
        page = opened.page
        page.evaluate(CLIPBOARD)
        row = page.locator(f"#f-{finding['id']}")
        row.locator("summary").click()
        row.locator(".copy").first.wait_for()
        for button in row.locator(".copy").all():
            button.click()
        copied = page.evaluate("window.copied")
        page.locator(".said", has_text=f"Copied: {finding['id']}").wait_for()
        assert opened.said == []
    assert copied == [
        *(f"{file}:{line}" for file, line in finding["evidence"]),
        finding["subject"]["path"],
        finding["cause"],
        finding["id"],
    ]


def test_without_a_clipboard_the_text_is_selected(browser: Browser, violations: Report) -> None:
    """Where the browser gives no clipboard, the text is selected and the page says what to do."""
    with open_page(browser, violations.folder / "audit.html") as opened:
        page = opened.page
        page.evaluate(NO_CLIPBOARD)
        row = page.locator("details.f").first
        row.locator("summary").click()
        row.locator(".copy").last.click()
        page.locator(".said", has_text="Selected. Press Ctrl+C or ⌘C to copy.").wait_for()
        identity = (row.get_attribute("id") or "").removeprefix("f-")
        assert page.evaluate("String(getSelection())") == identity


def test_what_is_not_whole_is_not_copied(browser: Browser, hostile: Report) -> None:
    """A text that is cut, or that has its characters named, has no copy button."""
    with open_page(browser, hostile.folder / "audit.html") as opened:
        page = opened.page
        page.click("#filter [name=open]")
        page.locator(".copy").first.wait_for()
        changed = ".f .at code:has(.cut, .code-point)"
        assert page.locator(changed).count() > 0
        assert page.locator(f"{changed} + .copy").count() == 0
        assert page.evaluate("window.__pwned === undefined")


def test_open_all_and_close_all(browser: Browser, violations: Report) -> None:
    """All findings that the filter shows are opened and closed, and no others."""
    with open_page(browser, violations.folder / "audit.html", "#findings?rule=CMEK-01") as opened:
        page = opened.page
        page.click("#filter [name=open]")
        opened_rows = page.locator("#findings details[open][data-s]")
        shown = page.locator("#findings details[data-s]:not([hidden])")
        assert opened_rows.count() == shown.count() > 0
        assert page.locator("#findings details.fold[open]").count() > 0
        page.click("#filter [name=close]")
        assert page.locator("#findings details[open]").count() == 0
