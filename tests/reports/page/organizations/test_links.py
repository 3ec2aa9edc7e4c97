"""The pages of organizations: which there are, their file names, and the links between them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.formats.registry import FOLDERS
from reports.page.organizations.links import (
    FOLDER,
    PageLinks,
    has_page,
    links_before_verdict,
    links_beside,
    links_of,
    links_of_organization,
    page_name,
)
from tests.reports.coverage_rows import a_row

HEAD: Any = {
    "population": {"organizations": [{"id": "1", "name": "Acme Prod"}, {"id": "2", "name": "b"}]},
    "coverage": [
        a_row("1", worst=("fail", "high"), unprotected=1) | {"organization": "1"},
        a_row("2", protected=1) | {"organization": "2"},
    ],
    "settings": {"left_out": ""},
    "verdict": {"text": "Not compliant: 3 checks failed."},
}


def test_a_name_can_be_read() -> None:
    """A file name begins with the organization's name, as far as it is of plain letters."""
    assert page_name("1", "Acme Prod (EU)") == "acme-prod-eu.6b86b273ff34.html"
    assert page_name("1", "Acme Prod (EU)", "json") == "acme-prod-eu.6b86b273ff34.json"
    assert page_name("1", "名前") == "organization.6b86b273ff34.html"


@given(identity=st.text(), name=st.text())
def test_any_name_gives_a_harmless_file(identity: str, name: str) -> None:
    """Whatever an organization is called, its file name is plain, short, and in its folder."""
    file = page_name(identity, name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}\.[0-9a-f]{12}\.html", file)
    assert FOLDERS[FOLDER].fullmatch(file)


@pytest.mark.parametrize("name", ["CON", "nul.", "(aux)", "Prn", "com1", "LPT9"])
def test_no_file_is_a_device_of_windows(name: str) -> None:
    """An organization that is called like a device has a file that Windows takes for none."""
    readable = name.lower().strip("(.)")
    assert page_name("1", name) == f"{readable}-.6b86b273ff34.html"
    assert page_name("1", f"{name} prod") == f"{readable}-prod.6b86b273ff34.html"


@pytest.mark.parametrize("file", ["index.html", "Acme.6b86b273ff34.html", ".6b86b273ff34.html"])
def test_other_files_are_no_pages(file: str) -> None:
    """A file that only looks like a page of an organization is none."""
    assert not FOLDERS[FOLDER].fullmatch(file)


@given(st.lists(st.text(), unique=True, min_size=2, max_size=9), st.text())
def test_no_two_organizations_share_a_file(identities: list[str], name: str) -> None:
    """Organizations of the same name have files of their own, also where case is ignored."""
    files = {page_name(identity, name).lower() for identity in identities}
    assert len(files) == len(identities)


def test_only_a_fleet_has_pages_of_organizations() -> None:
    """Above a number of organizations, each has a page of its own."""
    assert links_of(HEAD, 2).page("1") == ""
    index = links_of(HEAD, 1)
    assert (index.is_index, index.only) == (True, None)
    assert index.page("1") == f"organizations/{page_name('1', 'Acme Prod')}"
    assert index.page("of no organization") == ""


def test_organizations_in_order_have_no_page() -> None:
    """An organization of which nothing is open is named by the index alone, but for a part run."""
    assert links_of(HEAD, 1).page("2") == ""
    partial = HEAD | {"settings": {"left_out": "3 of 5 groups"}}
    assert links_of(partial, 1).page("2") != ""


def test_an_advisory_alone_gives_a_page() -> None:
    """An organization with nothing open but an advisory has a page, as only that lists it."""
    row = a_row("2", protected=1) | {"organization": "2", "counts": {"fail": 1}}
    head = HEAD | {"coverage": [HEAD["coverage"][0], row]}
    assert links_of(head, 1).page("2") == f"organizations/{page_name('2', 'b')}"


OWN = f"organizations/{page_name('1', 'Acme Prod')}"


def test_a_finding_that_the_index_does_not_show_is_on_the_page_of_its_organization() -> None:
    """The index links to its own findings first, then to a page; else there is no link."""
    index = links_of(HEAD, 1)
    assert index.finding("f1", "1", here={"f1"}) == "#f-f1"
    assert index.finding("f2", "1", here={"f1"}) == f"{OWN}#f-f2"
    assert index.finding("f2", "2", here={"f1"}) == index.finding("f2", "") == ""


def test_other_reports_lead_to_the_page_that_has_a_finding() -> None:
    """From a file beside the index, a finding is on its organization's page, or on the index."""
    beside = links_beside(HEAD, 1)
    assert beside.finding("f1", "1") == f"{OWN}#f-f1"
    assert beside.finding("f1", "2") == beside.finding("f1", "") == "audit.html#f-f1"
    assert links_beside(HEAD, 2).finding("f1", "1") == "audit.html#f-f1"


def test_several_findings_are_a_filter() -> None:
    """The filter of a page of one organization needs no name; that of the index has it."""
    beside = links_beside(HEAD, 1)
    assert beside.findings("1", rule="R-1") == f"{OWN}#findings?rule=R-1"
    assert beside.findings("2", rule="R-1") == "audit.html#findings?rule=R-1&organization=2"
    assert beside.findings("", rule="R-1") == "audit.html#findings?rule=R-1"
    assert links_of(HEAD, 2).findings("1", rule="R-1") == "#findings?rule=R-1&organization=1"


def test_before_the_verdict_every_organization_of_a_fleet_may_have_a_page() -> None:
    """While findings are still counted, what is open is known to be on a page of its own."""
    names = {row["id"]: row["name"] for row in HEAD["population"]["organizations"]}
    links = links_before_verdict(names, 1)
    assert links == PageLinks(names, is_index=True, elsewhere="audit.html")
    assert links_before_verdict(names, 2) == PageLinks({}, elsewhere="audit.html")


def test_a_page_of_an_organization_leads_back() -> None:
    """The page of one organization names the whole audit, and links to no further page."""
    links = links_of_organization(HEAD, "b")
    assert (links.is_index, links.page("2")) == (False, "")
    assert links.only is not None
    assert tuple(links.only) == ("b", 2, "../audit.html", "Not compliant")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ({}, True),
        ({"run": {"formats": ["json", "html"]}}, True),
        ({"run": {"formats": ["json"]}}, False),
    ],
    ids=["running", "with", "without"],
)
def test_a_report_knows_whether_the_page_is_there(head: Any, *, expected: bool) -> None:  # noqa: ANN401 (a head)
    """Links lead to the page only if the audit wrote it; while it runs, it is about to."""
    assert has_page(head) is expected
