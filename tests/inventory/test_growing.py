"""Databases that exist and get further regions, by a plan of either kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.errors import InventoryError, Problem
from inventory.estate import survey
from inventory.inventory import Inventory
from inventory.merging import with_databases
from inventory.models import Organization
from tests.builders import (
    DATABASE,
    ORGANIZATION,
    a_database,
    a_planned_database,
    an_organization,
    database_data,
    document_data,
    organization_data,
    plan_data,
    planned_data,
    write_json,
    write_yaml,
)
from tests.inventory.terraform.documents import change, existing, plan

if TYPE_CHECKING:
    from pathlib import Path

    from inventory.models import Database


def growing(*regions: str, address: str = "", **over: object) -> Database:
    """Plan further regions for the database of ``a_database``."""
    own = {"id": DATABASE, "name": "acme-orders", "regions": [*regions]} | over
    planned = a_planned_database(**own)
    return planned.at("plan.json", 5, address)


def present(**over: object) -> Organization:
    """Return an organization of one database, in us-east-1."""
    return an_organization(databases=[a_database(**over).at("a.yaml", 7)])


def grown(organization: Organization, *planned: Database) -> Database:
    """Return the database with what is planned for it."""
    [database] = with_databases(organization, an_organization(databases=planned))
    return database


def wrong(organization: Organization, *planned: Database) -> list[tuple[str, str, str]]:
    with pytest.raises(InventoryError) as caught:
        with_databases(organization, an_organization(databases=planned))
    found: list[Problem] = [*caught.value.problems]
    assert {(each.file, each.line) for each in found} == {("plan.json", 5)}
    return [(each.field, each.found, each.expected) for each in found]


def states(database: Database) -> dict[str, str]:
    return {region.name: region.state for region in database.regions}


def test_a_region_is_added() -> None:
    """A planned database with the id of an existing one adds its regions to that."""
    database = grown(present(), growing("us-west-2", "us-east-1"))
    assert states(database) == {"us-east-1": "existing", "us-west-2": "planned"}
    assert (database.state, database.place) == ("existing", ("a.yaml", 7))
    assert [each.place for each in database.regions] == [("", 0), ("plan.json", 5)]


def test_nothing_else_of_it_changes() -> None:
    """What exists stays as it is recorded, whatever the plan calls it."""
    before = present()
    database = grown(before, growing("us-west-2", name="acme-renamed"))
    [kept] = before.databases or ()
    assert database.model_copy(update={"regions": kept.regions}) == kept


def test_two_plans_for_one_database() -> None:
    """Where two resources stand for one database, the regions of both are added."""
    address = "astra_database.{}".format
    both = [growing("eu-west-1", address=address(1)), growing("us-west-2", address=address(2))]
    both.append(growing("us-west-2", address=address(3)))
    database = grown(present(), *both)
    assert states(database) == {
        "us-east-1": "existing",
        "eu-west-1": "planned",
        "us-west-2": "planned",
    }


def test_a_region_that_is_there() -> None:
    """A plan that adds nothing is an error if a person wrote it; Terraform may be behind."""
    found = f"only regions that {DATABASE} has, as a.yaml:7 says"
    assert wrong(present(), growing("us-east-1")) == [("regions", found, "a further region")]
    database = grown(present(), growing("us-east-1", address="astra_database.orders"))
    assert states(database) == {"us-east-1": "existing"}


def test_a_terminated_database_does_not_grow() -> None:
    """A region that is planned for a database that is gone is an error, and is not lost."""
    found = f"{DATABASE}, which is terminated, as a.yaml:7 says"
    told = wrong(present(status="TERMINATED"), growing("us-west-2"))
    assert told == [("id", found, "a database that lives")]


@pytest.mark.parametrize(
    ("over", "field", "found", "expected"),
    [
        ({"provider": "gcp"}, "provider", "'gcp'", "'aws', as a.yaml:7 says"),
        ({"type": "classic"}, "type", "'managed-clusters'", "'serverless', as a.yaml:7 says"),
    ],
)
def test_contradictions(over: dict[str, Any], field: str, found: str, expected: str) -> None:
    """A plan must not contradict what is recorded of the database that it lets grow."""
    assert wrong(present(), growing("us-west-2", **over)) == [(field, found, expected)]


def test_a_database_of_unknown_type() -> None:
    """That a plan says Serverless does not settle a type that Astra does not tell."""
    data = database_data(tier="developer")
    del data["type"]
    odd = Organization.model_validate(organization_data(databases=[data]))
    database = grown(odd, growing("us-west-2"))
    assert (database.type, states(database)["us-west-2"]) == ("unknown", "planned")


def test_a_database_that_nobody_recorded() -> None:
    """A plan that lets a database grow which is not recorded is kept, as planned."""
    unrecorded = an_organization(databases=None)
    database = grown(unrecorded, growing("us-west-2"))
    assert (database.state, database.identity) == ("planned", DATABASE)


# --- placements -----------------------------------------------------------------------------------


def test_an_added_region_is_placed() -> None:
    """A region that is added to an existing database is planned, and stands where that is told."""
    database = grown(present(), growing("us-west-2", address="astra_database.orders"))
    estate = survey(an_organization(databases=[database]))
    [(here, added)] = estate.placements
    assert (here.is_planned, here.place) == (False, ("a.yaml", 7))
    assert (added.is_planned, added.place) == (True, ("plan.json", 5, "astra_database.orders"))
    assert {scope.region: count for scope, count in estate.planned.items()} == {"us-west-2": 1}


# --- files ----------------------------------------------------------------------------------------


def test_plans_of_both_kinds_agree(tmp_path: Path) -> None:
    """A region is added alike by a plan that a person wrote and by one of Terraform."""
    inventory = write_yaml(tmp_path / "a.yaml", document_data())
    ours = plan_data(planned_data(id=DATABASE, name="acme-orders", regions=["us-west-2"]))
    after = existing(DATABASE, regions=["us-east-1", "us-west-2"])
    theirs = plan(change("astra_database.orders", "update", existing(DATABASE), after))
    told = []
    for data in (ours, theirs):
        file = write_json(tmp_path / "plan.json", data)
        [organization] = Inventory([inventory], [file]).organizations()
        told.append(organization.databases)
    assert told[0] == told[1]
    [database] = told[0] or ()
    assert states(database) == {"us-east-1": "existing", "us-west-2": "planned"}


def test_a_region_may_be_written_as_planned(tmp_path: Path) -> None:
    """An inventory may itself tell of a region that it is only planned."""
    regions = [{"name": "us-east-1"}, {"name": "us-west-2", "state": "planned"}]
    data = document_data(organization_data(databases=[database_data(regions=regions)]))
    [organization] = Inventory([write_yaml(tmp_path / "a.yaml", data)]).organizations()
    estate = survey(organization)
    assert [each.is_planned for [*group] in estate.placements for each in group] == [False, True]
    assert organization.id == ORGANIZATION
