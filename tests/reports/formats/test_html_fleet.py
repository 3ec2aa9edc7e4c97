"""The pages of a fleet: an index, and a page for each organization with anything open or waived."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reports.formats.html import render_files, render_organization
from reports.formats.registry import encode
from reports.presentation.selection import PageLimits
from tests.reports.fleets import (
    CALM,
    FLEET,
    audit_fleet,
    dead_links,
    not_complying,
    page_names,
)
from tests.reports.samples import VIOLATIONS, Page, Report, audit

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit a fleet; not to be changed."""
    return audit_fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def pages(fleet: Report) -> dict[str, Page]:
    """Read every page of an organization, by its file name."""
    files = (fleet.folder / "organizations").iterdir()
    return {file.name: Page(file.read_text(encoding="utf-8")) for file in files}


# --- nothing is missing ---------------------------------------------------------------------------


def test_who_has_anything_open_or_waived_has_a_page(fleet: Report, pages: dict[str, Page]) -> None:
    """Every organization with such a finding has its page, and no other organization has one."""
    names = page_names(fleet)
    expected = {names[organization] for organization in not_complying(fleet) if organization}
    assert pages.keys() == expected
    assert len(expected) == len(FLEET) - len(CALM)


def test_a_page_has_all_that_is_open_or_waived(fleet: Report, pages: dict[str, Page]) -> None:
    """The page of an organization shows each of these findings, and none of another one."""
    names = page_names(fleet)
    for organization, expected in not_complying(fleet).items():
        if organization:
            opened = _not_complying_of(pages[names[organization]])
            assert opened == {f"f-{finding}" for finding in expected}


def _not_complying_of(page: Page) -> set[str]:
    """Return the anchors of the findings that are open or waived, as they can be opened."""
    return {
        attributes["id"]
        for name, attributes in page.tags
        if name == "details" and attributes.get("id", "").startswith("f-")
    }


def test_the_index_has_what_goes_across_organizations(fleet: Report) -> None:
    """A finding across organizations is on no page of one of them, so the index shows it."""
    across = not_complying(fleet)[""]
    assert len(across) > 100
    assert {f"f-{finding}" for finding in across} <= set(Page(fleet.page).values("id"))


def test_the_index_says_where_the_others_are(fleet: Report) -> None:
    """The index lists the most urgent findings, counts all, and says where the others are."""
    text, total = Page(fleet.page).text, sum(fleet.head["open"].values())
    listed = len(not_complying(fleet)[""]) + 200
    assert f"{total} open findings, the most urgent first" in text
    assert (
        f"{total - listed} more open findings are listed in findings.ndjson, and on the pages of "
        "their organizations."
    ) in text
    assert "The page of each organization has all that is open or waived there." in text


# --- links ----------------------------------------------------------------------------------------


def test_every_link_leads_somewhere(fleet: Report) -> None:
    """Links of the index and of the pages lead to files and places that are there."""
    files = [fleet.folder / "audit.html", *(fleet.folder / "organizations").iterdir()]
    assert {file.name: dead for file in files if (dead := dead_links(file))} == {}


def test_the_index_links_to_findings_that_it_does_not_show(fleet: Report) -> None:
    """Fix first and timeline lead to pages of organizations for what the index leaves out."""
    links = {link for link in Page(fleet.page).values("href", "a") if "organizations/" in link}
    name = page_names(fleet)["broad"]
    assert f"organizations/{name}" in links
    assert [link for link in links if link.startswith(f"organizations/{name}#f-")] != []
    assert {link.partition("#")[0] for link in links} == {
        f"organizations/{page}" for page in _names_of_pages(fleet)
    }


def _names_of_pages(fleet: Report) -> set[str]:
    return {file.name for file in (fleet.folder / "organizations").iterdir()}


def test_a_page_leads_back_to_the_index(pages: dict[str, Page]) -> None:
    """Every page has a link to the index, and to no page of another organization."""
    for page in pages.values():
        links = {link for link in page.values("href", "a") if not link.startswith(("#", "https:"))}
        assert links == {"../audit.html"}
        assert f"All {len(FLEET)} organizations of this audit" in page.text


def test_the_summary_leads_to_the_pages(fleet: Report) -> None:
    """Every link of the summary leads to the page that shows the finding."""
    text = (fleet.folder / "summary.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)#f-([0-9a-f]{20})\)", text)
    assert any(file.startswith("organizations/") for file, _ in links)
    anchors = {
        file: Page((fleet.folder / file).read_text(encoding="utf-8")).values("id")
        for file in {file for file, _ in links}
    }
    assert [link for link in links if f"f-{link[1]}" not in anchors[link[0]]] == []


# --- what they are made of ------------------------------------------------------------------------


def test_the_same_record_gives_the_same_pages(fleet: Report) -> None:
    """Pages that are rendered again have the bytes of those that the audit wrote."""
    folder = fleet.folder / "organizations"
    rendered = {
        name: encode("".join(parts))
        for name, parts in render_files(fleet.head, fleet.lines, population=fleet.population)
    }
    assert rendered == {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_page_can_be_rendered_alone(fleet: Report) -> None:
    """The page of one organization is the one that is rendered with all others."""
    for organization, name in page_names(fleet).items():
        file = fleet.folder / "organizations" / name
        if file.exists():
            text = render_organization(
                fleet.head, fleet.lines, organization, population=fleet.population
            )
            assert encode(text) == file.read_bytes()


def test_a_page_of_an_organization_in_order_can_be_rendered(fleet: Report) -> None:
    """Who has no page beside the index can have one, which shows that nothing is open."""
    text = render_organization(fleet.head, fleet.lines, "calm-001", population=fleet.population)
    page = Page(text)
    assert _not_complying_of(page) == set()
    assert "calm-001" in page.text


def test_below_the_threshold_there_are_no_pages(fleet: Report, tmp_path: Path) -> None:
    """A fleet has more than so many organizations; without them the page has everything."""
    few = audit(tmp_path, VIOLATIONS)
    assert list(render_files(few.head, few.lines, population=few.population)) == []
    assert not (few.folder / "organizations").exists()
    limits = PageLimits(fleet=len(FLEET))
    assert list(render_files(fleet.head, fleet.lines, limits, population=fleet.population)) == []


# --- hostile names --------------------------------------------------------------------------------


def test_hostile_names_become_plain_file_names(pages: dict[str, Page]) -> None:
    """Whatever organizations are called, the names of their files need no escape anywhere."""
    for name in pages:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}\.[0-9a-f]{12}\.html", name)


def test_hostile_names_are_no_markup(fleet: Report, pages: dict[str, Page]) -> None:
    """No name becomes an element or a handler, on the index or on any page."""
    for page in (Page(fleet.page), *pages.values()):
        names = [name for name, _ in page.tags]
        assert (names.count("script"), names.count("style"), names.count("img")) == (1, 1, 0)
        attributes = {attribute for _, given in page.tags for attribute in given}
        assert [name for name in attributes if name.startswith("on") or name == "style"] == []
