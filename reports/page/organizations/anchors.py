"""The addresses of findings on the page of an audit, and on those of organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.finding import OPEN
from reports.page.organizations.links import links_beside
from reports.presentation.selection import FindingSelector, PageLimits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.engine.finding import Status
    from reports.model.head import Head
    from reports.model.key_plan import CoverageRow


class Anchors:
    """Knows which findings are shown, and on which page: a link to another leads nowhere."""

    def __init__(
        self, head: Head, lines: Iterable[bytes], limits: PageLimits | None = None
    ) -> None:
        """Read the ``lines`` of all findings once; the page has these ``limits``."""
        limits = limits or PageLimits()
        self._links = links_beside(head, limits.fleet)
        own = limits.of_organization()
        self._whole = {
            (row["organization"], status) for row in head["coverage"] for status in _whole(row, own)
        }
        here = limits.of_index() if self._links.is_index else limits
        selector = FindingSelector(head["criteria"]["rules"], here)
        for line in lines:
            selector.add(line)
        chosen = selector.finish()
        groups = (chosen.open, chosen.waived, *chosen.folded.values())
        self._shown = {finding["id"] for group in groups for finding in group}

    def address(self, identity: str, organization: str, status: Status) -> str:
        """Return the address of a finding, beside the page; empty if no page shows it for sure.

        In a fleet, that is the page of its organization, for what is open or waived.
        """
        has_own_page = bool(self._links.page(organization))
        is_shown = identity in self._shown
        if has_own_page:
            is_shown = (organization, status) in self._whole
        return self._links.finding(identity, organization) if is_shown else ""


def _whole(row: CoverageRow, limits: PageLimits) -> set[Status]:
    """Return the statuses of which the page of an organization shows every finding."""
    counts = row["counts"]
    whole: set[Status] = (
        set(OPEN) if sum(counts[status] for status in OPEN) <= limits.open else set()
    )
    return whole | ({"waived"} if counts["waived"] <= limits.waived else set())
