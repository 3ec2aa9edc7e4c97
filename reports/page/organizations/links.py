"""The pages of organizations: which there are, their file names, and the links between them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from reports.page.findings.filter_options import findings_link
from reports.presentation.organization_status import IN_ORDER, state_of

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from collections.abc import Set as AbstractSet

    from reports.model.head import Head
    from reports.model.key_plan import CoverageRow

FOLDER = "organizations"
"""The folder of the pages, beside the index."""

INDEX = "audit.html"
"""The page of an audit, which is the index of a fleet."""

_LONGEST = 60
_OF_WHOLE = frozenset({"changes", "frameworks", "sample"})
_OTHER = re.compile(r"[^a-z0-9]+")
_DEVICE = re.compile(r"aux|con|nul|prn|com[0-9]|lpt[0-9]")
"""What names a device on Windows, whatever comes after a dot: what is written to it is lost."""


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
    """The links of a page, or of another report beside it, to organizations and findings.

    Attributes:
        names: the name of each organization that has a page of its own, by its id.
        is_index: whether the page is the index of a fleet.
        only: what a page of one organization shows of the whole; None on the page of an audit.
        elsewhere: the address of the page of the audit; empty if that is where the links are.
    """

    names: Mapping[str, str]
    is_index: bool = False
    only: OnlyOrganization | None = None
    elsewhere: str = ""

    @property
    def hidden(self) -> AbstractSet[str]:
        """Return the sections that the page leaves to the index, as they are about all findings."""
        return _OF_WHOLE if self.only else frozenset()

    def page(self, organization: str) -> str:
        """Return the address of an organization's page; empty if it has none of its own."""
        name = self.names.get(organization)
        return "" if name is None else f"{FOLDER}/{page_name(organization, name)}"

    def finding(self, identity: str, organization: str, here: Container[str] = ()) -> str:
        """Return the address of a finding of an ``organization``; empty if no page shows it.

        It leads to the organization's page, unless the finding is among those that are shown
        ``here``. What goes across organizations has an empty one, and is on the page of the audit.
        """
        page = "" if identity in here else self.page(organization) or self.elsewhere
        return f"{page}#f-{identity}" if page or identity in here else ""

    def findings(self, organization: str, **fields: str) -> str:
        """Return the address of the findings with these values, in one or (empty) in all.

        The fields are those of the filter. The page of one organization needs no further filter
        for it.
        """
        if page := self.page(organization):
            return page + findings_link(**fields)
        only = {"organization": organization} if organization else {}
        return self.elsewhere + findings_link(**fields, **only)


def links_of(head: Head, fleet: int) -> PageLinks:
    """Return the links of the page of an audit; above ``fleet`` organizations it is an index.

    Organizations of which nothing is open or waived have no page beside the index: it names them.
    """
    names = {row["id"]: row["name"] for row in head["population"]["organizations"]}
    if len(names) <= fleet:
        return PageLinks({})
    in_order = {row["organization"] for row in head["coverage"] if _is_in_order(row)}
    if head["settings"]["left_out"]:
        in_order = set()
    pages = {identity: name for identity, name in names.items() if identity not in in_order}
    return PageLinks(pages, is_index=True)


def _is_in_order(row: CoverageRow) -> bool:
    """Return whether nothing is open or waived, not even an advisory."""
    return state_of(row) in IN_ORDER and not any(row["counts"].values())


def links_beside(head: Head, fleet: int) -> PageLinks:
    """Return the links of a report that is a file beside the page of an audit; as ``links_of``."""
    return links_of(head, fleet)._replace(elsewhere=INDEX)


def has_page(head: Head) -> bool:
    """Return whether the audit wrote its page; while it runs that is expected of it."""
    return "html" in head["run"]["formats"] if "run" in head else True


def links_before_verdict(names: Mapping[str, str], fleet: int) -> PageLinks:
    """Return the links of a report beside the page, while the head is not known.

    They hold for findings that are open or waived: their organizations have a page, in a fleet.
    """
    pages = names if len(names) > fleet else {}
    return PageLinks(pages, is_index=bool(pages), elsewhere=INDEX)


def links_of_organization(head: Head, name: str) -> PageLinks:
    """Return the links of the page of the organization called ``name``."""
    organizations = len(head["population"]["organizations"])
    verdict = head["verdict"]["text"].partition(":")[0]
    return PageLinks({}, only=OnlyOrganization(name, organizations, f"../{INDEX}", verdict))


def page_name(organization: str, name: str, ending: str = "html") -> str:
    """Return the file name of the page of an organization, by its id and its name.

    It is made of lower-case letters, digits, hyphens and dots, whatever the organization's name is:
    it needs no escape in an address, and no two organizations share one on any file system.
    """
    readable = _OTHER.sub("-", name.lower()).strip("-")[:_LONGEST].strip("-")
    if _DEVICE.fullmatch(readable):
        readable += "-"
    unique = hashlib.sha256(organization.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{readable or 'organization'}.{unique}.{ending}"
