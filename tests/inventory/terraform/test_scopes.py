"""What Terraform manages in each key scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.model.key import KeyScope
from inventory.model.planned_keys import PlannedKey
from inventory.model.terraform_managed import ManagedKey, ManagedResources
from inventory.terraform.scopes import TerraformScope, terraform_scopes
from tests.builders import ORGANIZATION, a_database, a_planned_database, an_organization

if TYPE_CHECKING:
    from inventory.model.database import Database

FILE = "plan.json"


def _at(address: str, **fields: Any) -> Database:  # noqa: ANN401 (fields of any type)
    return a_planned_database(**fields).at(FILE, 1, address)


def _scope(region: str = "us-east-1", **over: Any) -> KeyScope:  # noqa: ANN401 (as above)
    place = {"type": "serverless", "provider": "aws", "region": region, **over}
    return KeyScope(organization=ORGANIZATION, **place)


def test_planned_databases_and_keys_by_their_addresses() -> None:
    """Each key scope has the databases that are planned there, and the keys of plan and state."""
    databases = [
        _at("astra_database.a", name="a", regions=["us-east-1", "us-west-2"]),
        _at("astra_database.b", name="b", provider="gcp", regions=["us-east1"]),
        _at("astra_database.c", name="c"),
        _at("astra_database.d", name="d", regions=["us-east-1", "eu-west-1"]),
    ]
    place: Any = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    planned = (
        PlannedKey(**place, awaited_by=frozenset({"astra_database.d"})).at(FILE, 1, "key.made"),
        PlannedKey(**place, change="remove").at(FILE, 1, "key.gone"),
        PlannedKey(**place).at("plan.yaml", 1),
    )
    keys = (
        ManagedKey(provider="aws", region="us-east-1").at(FILE, 1, "key.there"),
        ManagedKey(provider="gcp", region="us-west2").at(FILE, 1, "key.alone"),
    )
    managed = ManagedResources(planned_keys=planned, keys=keys)
    organization = an_organization(databases=databases).with_managed(managed)
    assert terraform_scopes(organization) == {
        _scope(): TerraformScope(
            databases=("astra_database.a", "astra_database.c"),
            creates=("key.made",),
            holds=("key.there",),
        ),
        _scope("us-west-2"): TerraformScope(databases=("astra_database.a",)),
        _scope("eu-west-1"): TerraformScope(databases=("astra_database.d",)),
        _scope("us-east1", provider="gcp"): TerraformScope(databases=("astra_database.b",)),
        _scope("us-west2", provider="gcp"): TerraformScope(holds=("key.alone",)),
    }


def test_a_region_that_is_added_counts_alone() -> None:
    """Of a database that exists, only the regions that a plan adds wait for a key."""
    grown = a_database(regions=[{"name": "us-east-1"}, {"name": "us-west-2", "state": "planned"}])
    grown.regions[1].at(FILE, 1, "astra_database.orders")
    assert terraform_scopes(an_organization(databases=[grown])) == {
        _scope("us-west-2"): TerraformScope(databases=("astra_database.orders",))
    }


def test_the_same_address_counts_once() -> None:
    """Two plans of one name tell of one resource."""
    twice = [_at("astra_database.a", name=name) for name in ("a", "b")]
    assert terraform_scopes(an_organization(databases=twice)) == {
        _scope(): TerraformScope(databases=("astra_database.a",))
    }


@pytest.mark.parametrize(
    "organization",
    [
        an_organization(databases=None),
        an_organization(databases=[a_database(), a_planned_database()]),
        an_organization(databases=[_at("x", encryption="astra-provided", reason="a trial")]),
        an_organization(
            databases=[_at("x")],
            policy={
                "types": {"serverless": {"encryption": "astra-provided", "reason": "as decided"}}
            },
        ),
    ],
    ids=["no list", "not of Terraform", "declared", "by policy"],
)
def test_what_waits_for_no_key_is_left_out(organization: Any) -> None:  # noqa: ANN401 (an Organization)
    """What Terraform does not manage, or what is to use Astra's keys, is not listed."""
    assert terraform_scopes(organization) == {}


def test_a_region_may_say_otherwise_than_the_policy() -> None:
    """A region that is to have a customer key waits for it, whatever holds for the others."""
    policy = {"default": {"encryption": "astra-provided", "reason": "as decided"}}
    region = {"name": "us-east-1", "encryption": "customer-managed"}
    databases = [_at("x", regions=[region, {"name": "us-west-2"}])]
    assert terraform_scopes(an_organization(databases=databases, policy=policy)) == {
        _scope(): TerraformScope(databases=("x",))
    }
