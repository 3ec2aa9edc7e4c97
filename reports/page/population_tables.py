"""How the population was read, as the page shows it; what needs attention first if not all fits.

Readings are the requests of one organization; comparisons are counts by independent routes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.model.population_summary import OrganizationEntry, ReconciliationEntry


class ComparedCount(NamedTuple):
    """A comparison, and the name of its organization."""

    name: str
    comparison: ReconciliationEntry


class PopulationTables(NamedTuple):
    """What is shown, and how many there are beyond that.

    Attributes:
        read: organizations that were read from Astra, with their readings.
        read_left: how many more of these there are.
        compared: comparisons.
        compared_left: how many more of these there are.
    """

    read: list[OrganizationEntry]
    read_left: int
    compared: list[ComparedCount]
    compared_left: int


def population_tables(
    organizations: Sequence[OrganizationEntry], readings: int, rows: int
) -> PopulationTables:
    """Choose at most ``readings`` organizations and ``rows`` comparisons."""
    read = [organization for organization in organizations if organization["readings"]]
    if len(read) > readings:
        read.sort(key=_is_whole)
    compared = [
        ComparedCount(organization["name"], comparison)
        for organization in organizations
        for comparison in organization["reconciliation"]
    ]
    if len(compared) > rows:
        compared.sort(key=lambda count: count.comparison["agree"] is True)
    return PopulationTables(
        read[:readings],
        max(0, len(read) - readings),
        compared[:rows],
        max(0, len(compared) - rows),
    )


def _is_whole(organization: OrganizationEntry) -> bool:
    return not organization["gaps"]
