"""The timeline of the auditor's page, as a browser shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reports.browser import NEEDS_BROWSER, OPEN_ALL, open_page, start_browser, violations_of
from tests.reports.samples import HOSTILE, VIOLATIONS, audit, database, key, organization

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = NEEDS_BROWSER

BOXES = """(selector) => [...document.querySelectorAll(selector)].map((mark) => {
  const { left, right, width } = mark.getBoundingClientRect();
  return [left, right, width];
})"""
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def _orders(number: int) -> dict[str, object]:
    """Make a database in two regions, each added at a time of its own."""
    month = number % 12 + 1
    regions = [
        {"name": "us-east-2", "added_at": f"2025-{month:02}-01T00:00:00Z"},
        {"name": "us-west-2", "added_at": f"2025-{month:02}-10T00:00:00Z"},
    ]
    return database(f"orders-{number}", regions=regions)


MANY = [
    organization(
        "many",
        [key("us-east-2", 1), key("us-west-2", 2)],
        [_orders(number) for number in range(24)],
    )
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Audit each inventory, and return its page."""
    pages = {}
    for name, organizations in (("violations", VIOLATIONS), ("hostile", HOSTILE), ("many", MANY)):
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
@pytest.mark.parametrize("name", ["violations", "many"])
def test_the_timeline_is_accessible(
    browser: Browser, reports: dict[str, Path], name: str, viewport: dict[str, int], scheme: str
) -> None:
    """The section has no violation that axe knows, on any screen, its table open."""
    page = reports[name]
    with open_page(browser, page, color_scheme=scheme, viewport=viewport) as opened:
        opened.page.evaluate(OPEN_ALL)
        assert violations_of(opened.page, "#timeline") == []


@pytest.mark.parametrize("name", ["violations", "hostile", "many"])
def test_a_phone_shows_it_without_a_horizontal_scroll(
    browser: Browser, reports: dict[str, Path], name: str
) -> None:
    """On a phone the page is as wide as the screen, and no picture of a lane leaves it."""
    with open_page(browser, reports[name], viewport=PHONE, java_script_enabled=True) as opened:
        widths = opened.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert widths == [390, 390]
        boxes = opened.page.evaluate(BOXES, ".lanes .line svg.database circle, .lanes .line rect")
        assert boxes
        assert all(left >= 0 and right <= 390 for left, right, _ in boxes)


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_marks_keep_their_size_and_their_room(
    browser: Browser, reports: dict[str, Path], viewport: dict[str, int]
) -> None:
    """A mark is as large on a phone as on a wide screen, and covers no other one of its lane."""
    with open_page(browser, reports["many"], viewport=viewport) as opened:
        lanes = opened.page.locator("#timeline .lanes > .lane").count()
        for number in range(1, lanes + 1):
            selector = f"#timeline .lanes > .lane:nth-child({number}) .line svg.database circle"
            boxes = opened.page.evaluate(BOXES, selector)
            assert len(boxes) > 3
            assert all(width >= 15 for *_, width in boxes)
            ends = [right for _, right, _ in boxes[:-1]]
            begins = [left for left, *_ in boxes[1:]]
            assert all(end <= begin + 1 for end, begin in zip(ends, begins, strict=True))


def test_it_needs_no_script(browser: Browser, reports: dict[str, Path]) -> None:
    """Without script the lines are there, and the table opens."""
    with open_page(browser, reports["violations"], java_script_enabled=False) as opened:
        assert opened.page.locator("#timeline .line svg[role=img]").count() == 8
        opened.page.get_by_text("The same as a table").click()
        assert opened.page.locator(".timeline-table tbody tr").count() == 8
        assert opened.page.locator(".timeline-table").is_visible()


def test_hostile_names_run_nothing(browser: Browser, reports: dict[str, Path]) -> None:
    """Opening all of a page with hostile names runs no script and asks for no file."""
    with open_page(browser, reports["hostile"], viewport=PHONE) as opened:
        opened.page.evaluate(OPEN_ALL)
        assert opened.page.evaluate("window.__pwned") is None
        assert (opened.requests, opened.said) == ([reports["hostile"].as_uri()], [])


def test_a_printed_lane_fits_the_page(browser: Browser, reports: dict[str, Path]) -> None:
    """On paper a lane is as wide as the page, with its label and what is planned beside it."""
    paper = {"width": 673, "height": 900}
    with open_page(browser, reports["violations"], viewport=paper) as opened:
        opened.page.emulate_media(media="print")
        pictures = opened.page.evaluate(BOXES, "#timeline .lanes .line svg[role=img]")
        parts = opened.page.evaluate(BOXES, "#timeline .timeline *, .timeline-legend *")
        assert all(width > 150 for *_, width in pictures)
        assert max(right for _, right, _ in parts) <= 673
