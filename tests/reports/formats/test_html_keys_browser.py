"""The keys on the auditor's page, as a browser shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reports.browser import NEEDS_BROWSER, OPEN_ALL, open_page, start_browser, violations_of
from tests.reports.formats.test_html_keys import ORGANIZATIONS
from tests.reports.samples import HOSTILE, audit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = NEEDS_BROWSER

BOXES = """(selector) => [...document.querySelectorAll(selector)].map((mark) => {
  const { left, right } = mark.getBoundingClientRect();
  return [left, right];
})"""
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Audit each inventory, and return its page."""
    pages = {}
    for name, organizations in (("keys", ORGANIZATIONS), ("hostile", HOSTILE)):
        pages[name] = audit(tmp_path_factory.mktemp(name), organizations).folder / "audit.html"
    return pages


@pytest.fixture(scope="module")
def browser(reports: dict[str, Path]) -> Iterator[Browser]:
    """Start a browser once the reports are there: none can be recorded inside playwright's loop."""
    assert reports
    with start_browser() as launched:
        yield launched


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("name", ["keys", "hostile"])
def test_the_keys_are_accessible(
    browser: Browser, reports: dict[str, Path], name: str, viewport: dict[str, int], scheme: str
) -> None:
    """The section has no violation that axe knows, on any screen, all of it open."""
    with open_page(browser, reports[name], color_scheme=scheme, viewport=viewport) as opened:
        opened.page.evaluate(OPEN_ALL)
        assert violations_of(opened.page, "#keys") == []


@pytest.mark.parametrize("name", ["keys", "hostile"])
def test_a_phone_shows_them_without_a_horizontal_scroll(
    browser: Browser, reports: dict[str, Path], name: str
) -> None:
    """On a phone the page is as wide as the screen, and no mark leaves it."""
    with open_page(browser, reports[name], viewport=PHONE) as opened:
        opened.page.evaluate(OPEN_ALL)
        assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
        boxes = opened.page.evaluate(BOXES, "#keys .lanes svg.life path")
        assert boxes
        assert all(left >= 0 and right <= 390 for left, right in boxes)


def test_paper_has_the_words_of_a_life(browser: Browser, reports: dict[str, Path]) -> None:
    """On paper the words are there, the lines are those of the timeline, and nothing is folded."""
    with open_page(browser, reports["keys"]) as opened:
        opened.page.emulate_media(media="print")
        section = opened.page.locator("#keys")
        for place, text in (
            (".beyond", "2026-12-04"),
            (".life-words", "created 2025-01-05"),
            (".inside", "999988887777"),
        ):
            assert section.locator(place).get_by_text(text).first.is_visible()
        assert not section.locator(".line").first.is_visible()
        assert not section.get_by_text("What its cloud shows is not recorded.").first.is_visible()
