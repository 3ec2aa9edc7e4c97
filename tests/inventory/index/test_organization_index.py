"""One organization, indexed for judging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.index.organization_index import has_no_customer_keys, index_organization
from inventory.model.gaps import Gap
from inventory.model.key import KeyScope
from inventory.model.organization import Expectation
from inventory.model.vocabulary import DatabaseType, Provider
from tests.builders import (
    ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    uuid,
)
from tests.hypothesis_profile import examples


def scope(
    kind: DatabaseType = "serverless", provider: Provider = "aws", region: str = "us-east-1"
) -> KeyScope:
    return KeyScope(ORGANIZATION, kind, provider, region)


def test_keys_by_scope() -> None:
    """Keys stand under the combination of type, provider and region they are registered for."""
    keys = [
        a_key(),
        a_key(key_id=aws_key_id(number=2)),
        a_key(type="classic", key_id=aws_key_id(number=3)),
        a_key(provider="gcp", region="us-east1"),
    ]
    index = index_organization(an_organization(keys=keys))
    assert index.keys == {
        scope(): keys[:2],
        scope("managed-clusters"): keys[2:3],
        scope("serverless", "gcp", "us-east1"): keys[3:],
    }


def test_placements_and_scopes() -> None:
    """A database is placed in each of its regions, under the region's provider if it has one."""
    regions = [{"name": "us-east-2"}, {"name": "us-east1", "provider": "gcp"}]
    one, two = a_database(regions=regions), a_database(id=uuid(7), regions=["us-east-2"])
    index = index_organization(an_organization(databases=[one, two]))
    first, second = index.by_database(len)
    assert [deployment.scope for deployment in first] == [
        scope(region="us-east-2"),
        scope("serverless", "gcp", "us-east1"),
    ]
    assert [deployment.region for deployment in first] == list(one.regions)
    assert {scope: [*deployments] for scope, deployments in index.scopes.items()} == {
        scope(region="us-east-2"): [first[0], second[0]],
        scope("serverless", "gcp", "us-east1"): [first[1]],
    }
    assert first[0].scope is second[0].scope
    assert {deployment.database for deployment in first} == {one}


def test_databases_that_are_gone() -> None:
    """A terminated database has no place; one that merely ends, fails or is planned has."""
    databases = [
        a_database(id=uuid(1), status="TERMINATED"),
        a_database(id=uuid(2), status="TERMINATING"),
        a_database(id=uuid(3), status="ERROR"),
        a_planned_database(),
    ]
    index = index_organization(an_organization(databases=databases))
    assert [group[0].database for group in index.by_database(len)] == databases[1:]
    assert index.planned == {scope(): 1}


def test_unknown_types() -> None:
    """A database of an unknown tier stands in a scope of its own, with no key of any type."""
    database = a_database().model_copy(update={"type": "unknown", "tier": "developer"})
    index = index_organization(an_organization(databases=[database]))
    assert set(index.scopes) == {scope("unknown")}
    assert index.keys.get(scope("unknown")) is None


ASTRA = {"encryption": "astra-provided", "reason": "a trial"}
CUSTOMER = {"encryption": "customer-managed"}


@pytest.mark.parametrize(
    ("policy", "database", "expects_customer_key", "reason"),
    [
        ({}, {}, True, None),
        ({"default": ASTRA}, {}, False, "a trial"),
        ({"default": ASTRA, "types": {"serverless": CUSTOMER}}, {}, True, None),
        ({"types": {"Astra DB Serverless": ASTRA}}, {}, False, "a trial"),
        ({"types": {"classic": ASTRA}}, {}, True, None),
        ({"types": {"classic": ASTRA}}, {"type": "classic"}, False, "a trial"),
        ({"default": ASTRA}, CUSTOMER, True, None),
        ({}, ASTRA | {"reason": "public data"}, False, "public data"),
    ],
)
def test_expectations(
    policy: dict[str, object],
    database: dict[str, object],
    expects_customer_key: bool,  # noqa: FBT001
    reason: str | None,
) -> None:
    """A database's own word counts before the policy for its type, and that before the default."""
    organization = an_organization(policy=policy, databases=[a_database(**database)])
    ((deployment,),) = index_organization(organization).by_database(len)
    assert deployment.expects_customer_key is expects_customer_key
    expected = "customer-managed" if expects_customer_key else "astra-provided"
    assert deployment.expectation == Expectation(encryption=expected, reason=reason)


def test_gaps_by_fact() -> None:
    """Of the gaps of one fact the first counts; absent lists are gaps too."""
    gaps = [
        Gap(fact="databases", reason="refused"),
        Gap(fact="databases", reason="cut-short"),
        Gap(fact="serverless-keys", reason="timed-out"),
    ]
    index = index_organization(an_organization(gaps=gaps, keys=None))
    assert {fact: gap.reason for fact, gap in index.gaps.items()} == {
        "databases": "refused",
        "serverless-keys": "timed-out",
        "managed-clusters-keys": "not-recorded",
    }
    assert index.keys_gap("serverless") == gaps[2]
    assert index.keys_gap("managed-clusters") == index.gaps["managed-clusters-keys"]
    assert index.keys_gap("unknown") is None


def test_nothing_recorded() -> None:
    """An organization of which nothing was recorded has neither keys nor places, but gaps."""
    index = index_organization(an_organization(keys=None, databases=None))
    assert (index.keys, index.groups, index.scopes) == ({}, [], {})
    assert set(index.gaps) == {"databases", "serverless-keys", "managed-clusters-keys"}


def test_scopes_without_customer_keys() -> None:
    """Only Managed Clusters on Azure have no customer keys at all."""
    kinds: list[DatabaseType] = ["serverless", "managed-clusters", "unknown"]
    providers: list[Provider] = ["aws", "gcp", "azure"]
    scopes = [scope(kind, provider) for kind in kinds for provider in providers]
    assert [scope for scope in scopes if has_no_customer_keys(scope)] == [
        scope("managed-clusters", "azure")
    ]


_places = st.tuples(
    st.sampled_from(["serverless", "classic"]),
    st.sampled_from(["aws", "gcp", "azure"]),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
    st.sampled_from(["ACTIVE", "TERMINATED"]),
)


@examples(60)
@given(st.lists(_places, max_size=6))
def test_no_placement_is_lost(places: list[tuple[str, str, list[str], str]]) -> None:
    """The places by scope are the places by database: none is lost, none counts twice."""
    databases = [
        a_database(id=uuid(index), type=kind, provider=provider, regions=regions, status=status)
        for index, (kind, provider, regions, status) in enumerate(places)
    ]
    index = index_organization(an_organization(databases=databases))
    by_database = [deployment for group in index.by_database(len) for deployment in group]
    by_scope = [deployment for group in index.scopes.values() for deployment in group]
    assert sorted(map(id, by_scope)) == sorted(map(id, by_database))
    assert len(by_database) == sum(len(place[2]) for place in places if place[3] == "ACTIVE")
    for key, group in index.scopes.items():
        assert {deployment.scope for deployment in group} == {key}
