"""The pages of a fleet, as a browser shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reports.browser import NEEDS_BROWSER, OPEN_ALL, open_page, start_browser, violations_of
from tests.reports.fleets import audit_fleet, not_complying, page_names
from tests.reports.samples import HOSTILE, Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = NEEDS_BROWSER

SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit a fleet; not to be changed."""
    return audit_fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def browser(fleet: Report) -> Iterator[Browser]:
    """Start a browser once the report is there."""
    assert fleet
    with start_browser() as launched:
        yield launched


def _file(fleet: Report, organization: str = "") -> Path:
    """Return the page of an organization, or the index."""
    if not organization:
        return fleet.folder / "audit.html"
    return fleet.folder / "organizations" / page_names(fleet)[organization]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("organization", ["", "acme"])
def test_accessible(
    browser: Browser, fleet: Report, organization: str, size: str, scheme: str
) -> None:
    """Index and pages have no violation that axe knows, and fit their window."""
    file = _file(fleet, organization)
    with open_page(browser, file, viewport=SIZES[size], color_scheme=scheme) as opened:
        if organization:
            opened.page.evaluate(OPEN_ALL)
        assert violations_of(opened.page) == []
        assert opened.page.evaluate("document.documentElement.scrollWidth") == SIZES[size]["width"]


@pytest.mark.parametrize("size", SIZES)
def test_layout_holds_whatever_organizations_are_called(
    browser: Browser, fleet: Report, size: str
) -> None:
    """With everything open, no name makes a page wider than its window."""
    for organization in ("", *(entry["id"] for entry in HOSTILE)):
        with open_page(browser, _file(fleet, organization), viewport=SIZES[size]) as opened:
            opened.page.evaluate(OPEN_ALL)
            width = opened.page.evaluate("document.documentElement.scrollWidth")
            assert (organization, width) == (organization, SIZES[size]["width"])


def test_hostile_names_run_nothing(browser: Browser, fleet: Report) -> None:
    """Whatever names hold, no script of theirs runs, and a page asks for itself alone."""
    for organization in ("", *(entry["id"] for entry in HOSTILE)):
        file = _file(fleet, organization)
        with open_page(browser, file) as opened:
            opened.page.evaluate(OPEN_ALL)
            opened.page.wait_for_timeout(100)
            assert opened.page.evaluate("window.__pwned === undefined")
            assert opened.requests == [file.as_uri()]
            assert opened.said == []


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("organization", ["acme", *(entry["id"] for entry in HOSTILE[:3])])
def test_links_lead_to_a_page_and_back(
    browser: Browser, fleet: Report, organization: str, *, javascript: bool
) -> None:
    """From the row of an organization to its page, and from there back to the index."""
    index, file = _file(fleet), _file(fleet, organization)
    with open_page(browser, index, java_script_enabled=javascript) as opened:
        link = f'#coverage a[href="organizations/{file.name}"]'
        opened.page.locator(link).first.click()
        opened.page.wait_for_url(f"**/{file.name}")
        assert opened.page.locator("#findings").count() == 1
        opened.page.get_by_role("link", name="organizations of this audit").click()
        opened.page.wait_for_url("**/audit.html")
        assert opened.page.locator("#coverage").count() == 1


def test_a_finding_that_the_index_does_not_show_is_opened(browser: Browser, fleet: Report) -> None:
    """A link of the index to a finding leads to the page that has it, and opens it there."""
    file = _file(fleet, "broad")
    with open_page(browser, _file(fleet)) as opened:
        opened.page.evaluate(OPEN_ALL)
        link = opened.page.locator(f'a[href^="organizations/{file.name}#f-"]').first
        address = link.get_attribute("href")
        assert address is not None
        link.click()
        opened.page.wait_for_url(f"**/{file.name}#f-*")
        finding = opened.page.locator(f"[id='{address.partition('#')[2]}']")
        assert finding.get_attribute("open") is not None
        assert finding.is_visible()


def test_a_filter_from_another_report_is_applied(browser: Browser, fleet: Report) -> None:
    """The address that results.html has for several findings shows just those."""
    with open_page(browser, _file(fleet, "broad"), "#findings?status=fail&rule=CMEK-05") as opened:
        shown = opened.page.locator("#findings details[id^=f-]:visible")
        assert shown.count() == sum(
            b'"status":"fail","rule":"CMEK-05"' in line and b'"organization":"broad"' in line
            for line in fleet.lines
        )


def test_nothing_is_missing_without_script(browser: Browser, fleet: Report) -> None:
    """Without script a page shows every finding that is open or waived."""
    for organization in ("acme", "broad", "accepted"):
        file = _file(fleet, organization)
        with open_page(browser, file, java_script_enabled=False) as opened:
            shown = opened.page.locator("#findings details[id^=f-]:visible")
            assert shown.count() == len(not_complying(fleet)[organization])
