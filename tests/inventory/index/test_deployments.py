"""Deployments in columns are those that are indexed one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given

from inventory.index.deployments import NO_DEPLOYMENTS, Deployment, DeploymentColumns, Deployments
from inventory.index.organization_index import OrganizationIndex, index_organization
from tests.builders import a_planned_database, an_organization, database_data, uuid
from tests.database_lists import VARIED, database_lists, read_in_columns
from tests.hypothesis_profile import examples


def indexes(data: list[dict[str, Any]]) -> tuple[OrganizationIndex, OrganizationIndex]:
    """Index the same databases in columns, and one by one."""
    read = read_in_columns(data)
    organization = an_organization()
    return (
        index_organization(organization.model_copy(update={"databases": read})),
        index_organization(organization.model_copy(update={"databases": tuple(read)})),
    )


@examples(100)
@example(VARIED)
@given(database_lists())
def test_columns_make_no_difference(data: list[dict[str, Any]]) -> None:
    """Each key scope has the same deployments in the same order, and so has each database."""
    one, two = indexes(data)
    assert list(one.scopes) == list(two.scopes)
    for scope, expected in two.scopes.items():
        found = one.scopes[scope]
        assert list(found) == list(expected)
        assert [found[at] for at in range(len(found))] == list(expected)
        assert found[:2] == expected[:2]
        for column in ("ids", "names", "locations", "deployed"):
            assert list(getattr(found, column)) == list(getattr(expected, column))
    assert list(one.by_database(len)) == list(two.by_database(len))
    assert one.planned == two.planned


@examples(100)
@example(VARIED)
@given(database_lists())
def test_conditions_are_met_alike(data: list[dict[str, Any]]) -> None:
    """Deployments and databases that meet a condition are the same ones, in the same order."""
    one, two = indexes(data)

    def is_parked(deployment: Deployment) -> bool:
        return deployment.database.status == "PARKED"

    for scope, expected in two.scopes.items():
        assert list(one.scopes[scope].select(is_parked)) == list(expected.select(is_parked))
        asked = {example.database.status for example in one.scopes[scope].examples()}
        assert asked == {each.database.status for each in expected}

    def has_parked(deployments: tuple[Deployment, ...]) -> bool:
        return any(map(is_parked, deployments))

    assert list(one.by_database(has_parked)) == list(two.by_database(has_parked))


def test_a_deployment_has_the_model_of_its_database() -> None:
    """In whatever way a deployment is reached, its database is one and the same object."""
    index, _ = indexes([database_data(id=uuid(at)) for at in range(9)])
    (deployments,) = index.scopes.values()
    (columns,) = deployments.parts
    assert isinstance(columns, DeploymentColumns)
    known = columns[3].database
    assert deployments[3].database is known
    assert list(deployments)[3].database is known
    assert [group[0].database for group in index.by_database(len)][3] is known
    assert [each.database.id for each in columns[2:4]] == [uuid(2), uuid(3)]


def test_a_place_beyond_the_end() -> None:
    """There is nothing beyond the end, and nothing where there is no deployment."""
    index = index_organization(an_organization(databases=[a_planned_database()]))
    (deployments,) = index.scopes.values()
    assert deployments[0].is_planned
    with pytest.raises(IndexError):
        deployments[1]
    with pytest.raises(IndexError):
        NO_DEPLOYMENTS[0]
    assert (len(NO_DEPLOYMENTS), Deployments().ids) == (0, [])
