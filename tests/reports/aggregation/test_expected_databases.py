"""The databases that an organization has, counted without any finding."""

from __future__ import annotations

from inventory.model.terraform_managed import ManagedResources, UndeterminedDatabase
from reports.aggregation.expected_databases import (
    ExpectedDatabases,
    expect_databases,
    undetermined_databases,
)
from tests.builders import DATABASE, a_database, a_planned_database, an_organization, uuid

ADDRESS = "astra_database.orders"
LATE = UndeterminedDatabase(name="orders", missing="unknown").at("p.json", 1, ADDRESS)


def test_terminated_databases_are_not_expected() -> None:
    """Existing and planned databases are counted, and the regions of those that have several."""
    databases = [
        a_database(regions=["us-east-1", "us-west-2"]),
        a_database(id=uuid(1)),
        a_database(id=uuid(2), status="TERMINATED", regions=["us-east-1", "us-west-2"]),
        a_planned_database(),
    ]
    expected = expect_databases(an_organization(databases=databases))
    assert expected == ExpectedDatabases(3, {DATABASE: 2})


def test_databases_whose_place_no_file_shows_are_expected() -> None:
    """A planned database counts, though the plan does not show where it will be deployed."""
    organization = an_organization(databases=None).with_managed(
        ManagedResources(undetermined=(LATE,))
    )
    assert undetermined_databases(organization) == [LATE]
    assert expect_databases(organization) == ExpectedDatabases(1, {})


def test_a_database_that_another_plan_shows_counts_once() -> None:
    """A database that one plan shows in full and another does not is one database."""
    shown = a_planned_database().at("q.json", 1, ADDRESS)
    organization = an_organization(databases=[shown]).with_managed(
        ManagedResources(undetermined=(LATE,))
    )
    assert undetermined_databases(organization) == []
    assert expect_databases(organization) == ExpectedDatabases(1, {})
