"""The pages of organizations: which there are, their file names, and the links between them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.model.head import Head

FOLDER = "organizations"
"""The folder of the pages, beside the index."""

_LONGEST = 60
_OTHER = re.compile(r"[^a-z0-9]+")


class OnlyOrganization(NamedTuple):
    """What a page of one organization shows of the whole audit.

    Attributes:
        name: the organization's name; still to be escaped.
        organizations: how many organizations the audit has.
        address: the address of the index, relative to the page.
        verdict: the verdict of the whole audit.
    """

    name: str
    organizations: int
    address: str
    verdict: str


class PageLinks(NamedTuple):
    """The links of a page to others.

    Attributes:
        names: the name of each organization that has a page of its own, by its id.
        only: what a page of one organization shows of the whole; None on the page of an audit.
    """

    names: Mapping[str, str]
    only: OnlyOrganization | None = None

    @property
    def is_index(self) -> bool:
        """Return whether this page is the index of others."""
        return bool(self.names)

    def page(self, organization: str) -> str:
        """Return the address of an organization's page; empty if it has none of its own."""
        name = self.names.get(organization)
        return "" if name is None else f"{FOLDER}/{page_name(organization, name)}"


def links_of(head: Head, fleet: int) -> PageLinks:
    """Return the links of the page of an audit; above ``fleet`` organizations it is an index."""
    names = {row["id"]: row["name"] for row in head["population"]["organizations"]}
    return PageLinks(names if len(names) > fleet else {})


def links_of_organization(head: Head, name: str) -> PageLinks:
    """Return the links of the page of the organization called ``name``."""
    organizations = len(head["population"]["organizations"])
    verdict = head["verdict"]["text"].partition(":")[0]
    return PageLinks({}, OnlyOrganization(name, organizations, "../audit.html", verdict))


def page_name(organization: str, name: str) -> str:
    """Return the file name of the page of an organization, by its id and its name.

    It is made of lower-case letters, digits, hyphens and dots, whatever the organization's name is:
    it needs no escape in an address, and no two organizations share one on any file system.
    """
    readable = _OTHER.sub("-", name.lower()).strip("-")[:_LONGEST].strip("-")
    unique = hashlib.sha256(organization.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{readable or 'organization'}.{unique}.html"
