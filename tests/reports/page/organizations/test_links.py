"""The pages of organizations: which there are, their file names, and the links between them."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reports.page.organizations.links import links_of, links_of_organization, page_name
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
    assert page_name("1", "名前") == "organization.6b86b273ff34.html"


@given(identity=st.text(), name=st.text())
def test_any_name_gives_a_harmless_file(identity: str, name: str) -> None:
    """Whatever an organization is called, its file name is plain, short, and in its folder."""
    file = page_name(identity, name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}\.[0-9a-f]{12}\.html", file)


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


def test_a_page_of_an_organization_leads_back() -> None:
    """The page of one organization names the whole audit, and links to no further page."""
    links = links_of_organization(HEAD, "b")
    assert (links.is_index, links.page("2")) == (False, "")
    assert links.only is not None
    assert tuple(links.only) == ("b", 2, "../audit.html", "Not compliant")
