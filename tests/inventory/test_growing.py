"""Databases that exist and get further regions, by a plan of either kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from inventory.errors import InventoryError, Problem
from inventory.files.merging import merge_planned_databases
from inventory.index.organization_index import index_organization
from inventory.inventory import Inventory
from inventory.model.organization import Organization
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
    uuid,
    write_json,
    write_yaml,
)
from tests.inventory.terraform.documents import change, existing, plan

if TYPE_CHECKING:
    from pathlib import Path

    from inventory.model.database import Database


def growing(*regions: str | dict[str, Any], address: str = "", **over: object) -> Database:
    """Plan further regions for the database of ``a_database``."""
    own = {"id": DATABASE, "name": "acme-orders", "regions": [*regions]} | over
    planned = a_planned_database(**own)
    return planned.at("plan.json", 5, address)


def present(**over: object) -> Organization:
    """Return an organization of one database, in us-east-1."""
    return an_organization(databases=[a_database(**over).at("a.yaml", 7)])


def grown(organization: Organization, *planned: Database) -> Database:
    """Return the database with what is planned for it."""
    [database] = merge_planned_databases(organization, an_organization(databases=planned))
    return database


def wrong(organization: Organization, *planned: Database) -> list[tuple[str, str, str]]:
    with pytest.raises(InventoryError) as caught:
        merge_planned_databases(organization, an_organization(databases=planned))
    found: list[Problem] = [*caught.value.problems]
    assert {(problem.file, problem.line) for problem in found} == {("plan.json", 5)}
    return [(problem.field, problem.found, problem.expected) for problem in found]


def states(database: Database) -> dict[str, str]:
    return {region.name: region.state for region in database.regions}


def test_a_region_is_added() -> None:
    """A planned database with the id of an existing one adds its regions to that."""
    database = grown(present(), growing("us-west-2", "us-east-1"))
    assert states(database) == {"us-east-1": "existing", "us-west-2": "planned"}
    assert (database.state, database.location) == ("existing", ("a.yaml", 7))
    assert [region.location for region in database.regions] == [("", 0), ("plan.json", 5)]


def test_nothing_else_of_it_changes() -> None:
    """What exists stays as it is recorded, whatever name a Terraform plan falls back to."""
    before = present()
    address = "astra_database.orders"
    database = grown(before, growing("us-west-2", name=address, address=address))
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
    found = f"only regions that {DATABASE} already has, as a.yaml:7 says"
    assert wrong(present(), growing("us-east-1")) == [("regions", found, "an additional region")]
    database = grown(present(), growing("us-east-1", address="astra_database.orders"))
    assert states(database) == {"us-east-1": "existing"}


def test_a_terminated_database_does_not_grow() -> None:
    """A region that is planned for a database that is gone is an error, and is not lost."""
    found = f"{DATABASE}, which is terminated, as a.yaml:7 says"
    shown = wrong(present(status="TERMINATED"), growing("us-west-2"))
    assert shown == [("id", found, "a database that is not terminated")]


@pytest.mark.parametrize(
    ("over", "field", "found", "expected"),
    [
        ({"provider": "gcp"}, "provider", "'gcp'", "'aws', as a.yaml:7 says"),
        ({"type": "classic"}, "type", "'managed-clusters'", "'serverless', as a.yaml:7 says"),
        ({"name": "acme-other"}, "name", "'acme-other'", "'acme-orders', as a.yaml:7 says"),
        ({"data": "stringent"}, "data", "'stringent'", "'ordinary', as a.yaml:7 says"),
    ],
)
def test_contradictions(over: dict[str, Any], field: str, found: str, expected: str) -> None:
    """A plan must not contradict what is recorded of the database that it lets grow."""
    assert wrong(present(), growing("us-west-2", **over)) == [(field, found, expected)]


@pytest.mark.parametrize(
    ("region", "field", "found", "expected"),
    [
        ({"provider": "gcp"}, "provider", "'gcp'", "'aws'"),
        ({"state": "planned"}, "state", "'planned'", "'existing'"),
        ({"encryption": "customer-managed"}, "encryption", "'customer-managed'", "nothing"),
        ({"reason": "test only"}, "reason", "'test only'", "nothing"),
    ],
)
def test_contradictions_of_a_region(
    region: dict[str, Any], field: str, found: str, expected: str
) -> None:
    """A plan states what is wanted of planned regions, and nothing of those that exist."""
    planned = growing("us-west-2", {"name": "us-east-1"} | region)
    shown = wrong(present(), planned)
    assert shown == [(f"regions[1].{field}", found, f"{expected}, as a.yaml:7 says")]


def test_a_plan_attests_nothing() -> None:
    """A plan must not attest what the record of an existing database does not hold."""
    attested = {"encrypted": True, "by": "acme-security", "on": "2026-11-01"}
    [shown] = wrong(present(), growing("us-west-2", application_encryption=attested))
    assert (shown[0], shown[2]) == ("application_encryption", "nothing, as a.yaml:7 says")


def test_a_region_that_is_said_to_exist() -> None:
    """A plan must not claim that a region exists which the record does not list."""
    shown = wrong(present(), growing({"name": "us-west-2", "state": "existing"}))
    assert shown == [("regions[0].state", "'existing'", "'planned', as a.yaml:7 says")]


def test_what_is_repeated_is_no_contradiction() -> None:
    """A plan may repeat what the record says, and what it leaves empty contradicts nothing."""
    same = {"provider": None, "state": "existing", "encryption": "astra-provided", "reason": "a"}
    recorded = present(encryption="astra-provided", reason="a", status="PARKED", tier="serverless")
    planned = growing({"name": "us-east-1"} | same, "us-west-2", tier="serverless", data="ordinary")
    assert states(grown(recorded, planned)) == {"us-east-1": "existing", "us-west-2": "planned"}
    by_tier = growing("us-west-2", tier="serverless")
    assert grown(present(), by_tier).tier is None


def test_a_database_of_unknown_type() -> None:
    """That a plan says Serverless does not resolve a type that Astra does not tell."""
    data = database_data(tier="developer")
    del data["type"]
    odd = Organization.model_validate(organization_data(databases=[data]))
    database = grown(odd, growing("us-west-2"))
    assert (database.type, states(database)["us-west-2"]) == ("unknown", "planned")
    found = wrong(odd, growing("us-west-2", tier="serverless"))
    assert [(field, value) for field, value, _ in found] == [("tier", "'serverless'")]


# --- what is wanted -------------------------------------------------------------------------------


def test_what_is_wanted_of_the_planned_regions() -> None:
    """What a plan says of encryption concerns its planned regions alone."""
    own = {"name": "eu-west-1", "encryption": "customer-managed"}
    planned = growing("us-east-1", "us-west-2", own, encryption="astra-provided", reason="test")
    database = grown(present(), planned)
    assert (database.encryption, database.reason) == (None, None)
    assert [(region.name, region.encryption, region.reason) for region in database.regions] == [
        ("us-east-1", None, None),
        ("us-west-2", "astra-provided", "test"),
        ("eu-west-1", "customer-managed", None),
    ]
    [group] = index_organization(an_organization(databases=[database])).by_database(len)
    assert [deployment.expects_customer_key for deployment in group] == [True, False, True]


def test_a_planned_region_without_a_word_follows_its_database() -> None:
    """Of a planned region the same is expected as of its database, if the plan does not say."""
    recorded = present(encryption="astra-provided", reason="public data")
    database = grown(recorded, growing("us-west-2"))
    [group] = index_organization(an_organization(databases=[database])).by_database(len)
    assert [deployment.expectation.reason for deployment in group] == ["public data", "public data"]


def test_a_region_needs_a_reason_of_its_own() -> None:
    """A region that is to use Astra's keys says why, whatever its database says."""
    with pytest.raises(ValidationError, match="a reason with encryption: astra-provided"):
        growing({"name": "us-west-2", "encryption": "astra-provided"}, reason="of the database")


def test_several_resources_for_one_database_and_another_plan(tmp_path: Path) -> None:
    """No planned region is lost where another plan tells of the same organization."""
    one, two = (
        change(f"astra_database.{name}", "update", existing(DATABASE), grows)
        for name, grows in (
            ("one", existing(DATABASE, regions=["us-east-1", "us-west-2"])),
            ("two", existing(DATABASE, regions=["us-east-1", "eu-west-1"])),
        )
    )
    inventory = write_yaml(tmp_path / "a.yaml", document_data())
    theirs = write_json(tmp_path / "theirs.json", plan(one, two))
    ours = write_yaml(tmp_path / "ours.yaml", plan_data())
    for plans in ([theirs, ours], [ours, theirs]):
        [organization] = Inventory([inventory], plans).organizations()
        database = next(
            database for database in organization.databases or () if database.id == DATABASE
        )
        assert {*states(database)} == {"us-east-1", "us-west-2", "eu-west-1"}


def test_a_database_that_nobody_recorded() -> None:
    """A plan that lets a database grow which is not recorded is kept, as planned."""
    unrecorded = an_organization(databases=None)
    database = grown(unrecorded, growing("us-west-2"))
    assert (database.state, database.identity) == ("planned", DATABASE)


# --- placements -----------------------------------------------------------------------------------


def test_an_added_region_is_placed() -> None:
    """A region that is added to an existing database is planned, and located where that is."""
    database = grown(present(), growing("us-west-2", address="astra_database.orders"))
    index = index_organization(an_organization(databases=[database]))
    [(here, added)] = index.by_database(len)
    assert (here.is_planned, here.location) == (False, ("a.yaml", 7))
    assert (added.is_planned, added.location) == (True, ("plan.json", 5, "astra_database.orders"))
    assert {scope.region: count for scope, count in index.planned.items()} == {"us-west-2": 1}


# --- files ----------------------------------------------------------------------------------------


def test_plans_of_both_kinds_agree(tmp_path: Path) -> None:
    """A region is added alike by a plan that a person wrote and by one of Terraform."""
    inventory = write_yaml(tmp_path / "a.yaml", document_data())
    ours = plan_data(planned_data(id=DATABASE, name="acme-orders", regions=["us-west-2"]))
    after = existing(DATABASE, regions=["us-east-1", "us-west-2"])
    theirs = plan(change("astra_database.orders", "update", existing(DATABASE), after))
    shown = []
    for data in (ours, theirs):
        file = write_json(tmp_path / "plan.json", data)
        [organization] = Inventory([inventory], [file]).organizations()
        shown.append(organization.databases)
    assert shown[0] == shown[1]
    [database] = shown[0] or ()
    assert states(database) == {"us-east-1": "existing", "us-west-2": "planned"}


def test_a_region_may_be_written_as_planned(tmp_path: Path) -> None:
    """An inventory may itself tell of a region that it is only planned."""
    regions = [{"name": "us-east-1"}, {"name": "us-west-2", "state": "planned"}]
    data = document_data(organization_data(databases=[database_data(regions=regions)]))
    [organization] = Inventory([write_yaml(tmp_path / "a.yaml", data)]).organizations()
    index = index_organization(organization)
    assert [
        deployment.is_planned for [*group] in index.by_database(len) for deployment in group
    ] == [
        False,
        True,
    ]
    assert organization.id == ORGANIZATION


def test_a_region_that_a_plan_of_terraform_still_plans() -> None:
    """A region that was added since is no contradiction of Terraform's plan, but of a written one.

    Terraform lists all regions of a resource that it is to create.
    """
    again = {"name": "us-east-1", "state": "planned"}
    database = grown(present(), growing("us-west-2", again, address="astradb_database.one"))
    assert states(database) == {"us-east-1": "existing", "us-west-2": "planned"}
    [(field, found, _)] = wrong(present(), growing("us-west-2", again))
    assert (field, found) == ("regions[1].state", "'planned'")


def test_a_region_with_a_provider_of_its_own() -> None:
    """What a plan repeats of a region is compared with the region before its database."""
    regions = [{"name": "us-east-1"}, {"name": "us-east1", "provider": "gcp"}]
    own = {"name": "us-east1", "provider": "gcp"}
    database = grown(present(regions=regions), growing("us-west-2", own))
    assert [region.name for region in database.regions] == ["us-east-1", "us-east1", "us-west-2"]
    [(field, _, _)] = wrong(
        present(regions=regions), growing("us-west-2", own | {"provider": "aws"})
    )
    assert field == "regions[1].provider"


def test_a_plan_that_leaves_a_field_open() -> None:
    """A field that a plan states as nothing contradicts nothing."""
    database = grown(present(tier="serverless"), growing("us-west-2", tier=None))
    assert (database.tier, len(database.regions)) == ("serverless", 2)


def test_an_id_that_a_whole_list_lacks_is_refused() -> None:
    """A plan that names a database by an id which the whole list does not hold is a mistake."""
    strange = growing("us-west-2", id=uuid(9))
    found = f"{uuid(9)!r}, which 'acme-prod' does not list"
    assert wrong(present(), strange) == [("id", found, "the id of an existing database, or none")]
    gap = {"fact": "databases", "reason": "cut-short"}
    partly = an_organization(databases=[a_database()], gaps=[gap])
    unread = an_organization(databases=None)
    for organization in (partly, unread):
        databases = merge_planned_databases(organization, an_organization(databases=[strange]))
        assert strange in databases
    managed = growing("us-west-2", id=uuid(9), address="astra_database.lost")
    assert managed in merge_planned_databases(present(), an_organization(databases=[managed]))
