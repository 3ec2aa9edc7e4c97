"""The page of results as a browser shows it, as far as its style reaches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.reports.browser import NEEDS_BROWSER, open_page, start_browser, violations_of
from tests.reports.samples import HOSTILE, save_inventory
from tests.wiring.runs import audit, mixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_BROWSER

WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SIZES = [WIDE, PHONE]
BEYOND_STYLE = {"html-has-lang", "label", "landmark-one-main", "list", "region"}
"""What axe finds in the elements of pytest-html itself; no style changes them."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the page of results of each grouping, and one whose names are hostile."""
    made = {}
    for name in ("subject", "organization", "rule", "hostile"):
        folder = tmp_path_factory.mktemp(name)
        hostile = str(save_inventory(folder / "hostile.json", HOSTILE))
        inventory, grouping = (hostile, "organization") if name == "hostile" else (mixed(), name)
        option = f"--cmek-group={grouping}"
        found = audit(folder, inventory, option, formats="html,results")
        assert found.code == 1, found.out
        made[name] = found.folder / "results.html"
    return made


@pytest.fixture(scope="module")
def browser(pages: dict[str, Path]) -> Iterator[Browser]:
    """Start a browser once the pages are there."""
    assert pages
    with start_browser() as launched:
        yield launched


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["wide", "phone"])
@pytest.mark.parametrize("name", ["subject", "organization", "rule", "hostile"])
def test_the_page_of_results_is_readable(
    browser: Browser, pages: dict[str, Path], name: str, size: dict[str, int], scheme: str
) -> None:
    """Whatever style can do is done: contrast in both schemes, and nothing wider than its window.

    All rows are open, and a phone shows the page at its own width.
    """
    is_phone = size is PHONE
    context: dict[str, Any] = {"viewport": size, "color_scheme": scheme, "is_mobile": is_phone}
    with open_page(browser, pages[name], **context) as opened:
        opened.page.click("#show_all_details")
        assert {found.partition(":")[0] for found in violations_of(opened.page)} <= BEYOND_STYLE
        width = opened.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width == [size["width"], size["width"]]
        assert _cut(opened.page) == []
        assert opened.said == []


def _cut(page: Page) -> list[str]:
    """Return the text of each element that is wider than the box that clips it."""
    clipped = """() => [...document.querySelectorAll('td, .log, p')]
        .filter((box) => box.offsetParent && box.scrollWidth > box.clientWidth + 1)
        .map((box) => box.textContent)"""
    found: list[str] = page.evaluate(clipped)
    return found


def test_the_verdict_is_seen_first(browser: Browser, pages: dict[str, Path]) -> None:
    """Title and verdict are above the table, and the environment of the run is below it."""
    with open_page(browser, pages["subject"], viewport=WIDE) as opened:
        ids = ("#title", "body > .summary", "#results-table", "#environment-header", "#environment")
        top = "(box) => box.getBoundingClientRect().top"
        tops = [opened.page.locator(place).evaluate(top) for place in ids]
        assert tops == sorted(tops)
        assert tops[2] < WIDE["height"]
        assert opened.page.title().startswith("Not compliant. ")


def test_the_links_of_a_row_open_the_page_for_auditors(
    browser: Browser, pages: dict[str, Path]
) -> None:
    """The link of a row that has one open finding shows that finding."""
    with open_page(browser, pages["subject"], viewport=WIDE) as opened:
        link = opened.page.locator('td.col-links a[href*="#f-"]').first
        target = (link.get_attribute("href") or "").partition("#")[2]
        link.click()
        opened.page.wait_for_url("**/audit.html#*")
        assert opened.page.locator(f"#{target}").get_attribute("open") is not None


def test_hostile_names_run_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    """Names in the cells, links and facts of a row run no script, and ask for nothing."""
    with open_page(browser, pages["hostile"]) as opened:
        opened.page.click("#show_all_details")
        opened.page.wait_for_timeout(200)
        assert opened.page.evaluate("window.__pwned === undefined")
        assert {request for request in opened.requests if not request.startswith("data:")} == {
            pages["hostile"].as_uri()
        }
        assert (
            opened.page.locator(
                ".collapsible img, .collapsible script, .log img, .log script"
            ).count()
            == 0
        )
