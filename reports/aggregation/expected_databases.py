"""The databases that an organization has, of each of which the findings have to say something."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.database_lines.database_list import count_kinds, select

if TYPE_CHECKING:
    from inventory.model.database import Database
    from inventory.model.organization import Organization
    from inventory.model.terraform_managed import UndeterminedDatabase


class ExpectedDatabases(NamedTuple):
    """The databases of an organization, existing and planned; terminated ones are left out.

    Attributes:
        total: how many there are.
        regions: in how many regions those are that have several, by their identity.
    """

    total: int
    regions: dict[str, int]


def expect_databases(organization: Organization) -> ExpectedDatabases:
    """Count the databases that ``organization`` holds."""
    undetermined = len(undetermined_databases(organization))
    count = 0
    regions: dict[str, int] = {}
    for database, number in count_kinds(organization.databases):
        count += 0 if database.is_terminated else number
    for database in select(organization.databases, _lives_in_several_regions):
        regions[database.identity] = len(database.regions)
    return ExpectedDatabases(count + undetermined, regions)


def _lives_in_several_regions(database: Database) -> bool:
    return len(database.regions) > 1 and not database.is_terminated


def undetermined_databases(organization: Organization) -> list[UndeterminedDatabase]:
    """Return the planned databases of which no file shows where they will be deployed."""
    undetermined = organization.managed.undetermined
    if not undetermined:
        return []
    known = {database.resource for database in organization.databases or ()}
    return [database for database in undetermined if database.resource not in known]
