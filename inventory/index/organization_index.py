"""One organization indexed for the rules: its keys and its databases by key scope."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol, get_args

from inventory.database_lines.database_columns import DatabaseColumns, DatabaseKind
from inventory.database_lines.database_list import parts_of
from inventory.index.deployments import (
    NO_DEPLOYMENTS,
    Deployment,
    DeploymentColumns,
    Deployments,
    PlacedColumns,
)
from inventory.model.database import Database, DatabaseRegion, deployed_at
from inventory.model.gaps import Gap
from inventory.model.key import CustomerKey, KeyScope, RegionView
from inventory.model.key_ids import canonical
from inventory.model.organization import Expectation, Organization
from inventory.model.vocabulary import DatabaseType, Provider, lacks_customer_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from inventory.model.planned_keys import PlannedKey
    from inventory.model.terraform_managed import ManagedKey


Group = tuple[Deployment, ...] | PlacedColumns
"""The deployments of one database, or of many in columns."""

_Expected = tuple[Expectation, bool]


class OrganizationIndex(NamedTuple):
    """The index of one organization; terminated databases are left out.

    Attributes:
        organization: what was recorded.
        keys: the registered keys of each key scope that has any.
        groups: the deployments of each database, and those of databases in columns, in the order of
            ``organization.databases``.
        scopes: the deployments in each key scope that has any.
        planned: how many of those deployments are only planned.
        looked_at: the scopes in which the portal showed a region of any database.
        gaps: what could not be read, by fact; the first gap of each.
        planned_keys: the keys that a plan would register and that are not registered yet, by key
            scope; each once.
        ordered: the planned key of each scope in which all planned databases wait for it.
        managed_keys: the keys in Terraform's state, by key scope.
    """

    organization: Organization
    keys: dict[KeyScope, list[CustomerKey]]
    groups: list[Group]
    scopes: dict[KeyScope, Deployments]
    planned: Counter[KeyScope]
    looked_at: frozenset[KeyScope]
    gaps: dict[str, Gap]
    planned_keys: dict[KeyScope, list[PlannedKey]]
    ordered: dict[KeyScope, PlannedKey]
    managed_keys: dict[KeyScope, ManagedKey]

    def by_database(
        self, condition: Callable[[tuple[Deployment, ...]], object]
    ) -> Iterator[tuple[Deployment, ...]]:
        """Yield the deployments of each database that meets ``condition``, in their order.

        It is asked once for each kind of databases that are alike, and must not look at an id, a
        name, a time or a location.
        """
        for group in self.groups:
            if isinstance(group, PlacedColumns):
                yield from group.select(condition)
            elif condition(group):
                yield group

    def in_scope(self, scope: KeyScope) -> Deployments:
        """Return the deployments in ``scope``, of which there may be none."""
        return self.scopes.get(scope, NO_DEPLOYMENTS)

    def keys_gap(self, database_type: DatabaseType) -> Gap | None:
        """Return why the keys of ``database_type`` are not known to be all; None if they are."""
        return self.gaps.get(f"{database_type}-keys")

    def key_ids(self, scope: KeyScope) -> list[str]:
        """Return the ids of the different keys of ``scope``, sorted; versions are one key."""
        return sorted({canonical(key.key_id) for key in self.keys.get(scope, ())})

    def lists_versions(self) -> bool:
        """Say whether a key is listed more than once for a scope, by several of its versions."""
        return any(
            len(keys) > 1 and len(self.key_ids(scope)) < len(keys)
            for scope, keys in self.keys.items()
        )

    def views(self) -> list[tuple[KeyScope, RegionView]]:
        """Return what Astra showed for single regions, each with its key scope."""
        organization = self.organization
        return [(scope_of(organization.id, view), view) for view in organization.region_views or ()]


def has_no_customer_keys(scope: KeyScope) -> bool:
    """Say whether Astra has no customer keys at all for scopes of this kind."""
    return lacks_customer_keys(scope.type, scope.provider)


def index_organization(organization: Organization) -> OrganizationIndex:
    """Index ``organization`` for judging."""
    keys: dict[KeyScope, list[CustomerKey]] = {}
    for key in organization.keys or ():
        scope = scope_of(organization.id, key)
        keys.setdefault(scope, []).append(key)
    places = _Places(organization.id)
    groups = list(_deployments(organization, places))
    scopes = {place.scope: Deployments(place.parts) for place in places.values()}
    gaps: dict[str, Gap] = {}
    for gap in organization.missing():
        gaps.setdefault(gap.fact, gap)
    planned_keys = _planned_keys(organization)
    return OrganizationIndex(
        organization=organization,
        keys=keys,
        groups=groups,
        scopes=scopes,
        planned=_count_planned(scopes),
        looked_at=frozenset(place.scope for place in places.values() if place.shown),
        gaps=gaps,
        planned_keys=_unregistered(planned_keys, keys),
        ordered=dict(_ordered(planned_keys, scopes)),
        managed_keys={
            KeyScope(organization.id, "serverless", key.provider, key.region): key
            for key in organization.managed.keys
        },
    )


class HasScope(Protocol):
    """An entry of one key scope: a key, a planned key, a view, an account."""

    @property
    def type(self) -> DatabaseType:
        """Return the database type."""

    @property
    def provider(self) -> Provider:
        """Return the cloud provider."""

    @property
    def region(self) -> str:
        """Return the region."""


def scope_of(organization: str, entry: HasScope) -> KeyScope:
    """Return the key scope of an entry, in the organization of that id."""
    return KeyScope(organization, entry.type, entry.provider, entry.region)


def _planned_keys(organization: Organization) -> dict[KeyScope, list[PlannedKey]]:
    """Return every key that a plan would register, by key scope."""
    planned: dict[KeyScope, list[PlannedKey]] = {}
    for key in organization.managed.planned_keys:
        if key.change == "register":
            planned.setdefault(scope_of(organization.id, key), []).append(key)
    return planned


def _unregistered(
    planned: dict[KeyScope, list[PlannedKey]], keys: dict[KeyScope, list[CustomerKey]]
) -> dict[KeyScope, list[PlannedKey]]:
    """Return the planned keys that are not registered yet, each once.

    Two resources may plan one key. A key without an id may be any key, so each counts.
    """
    kept: dict[KeyScope, list[PlannedKey]] = {}
    for scope, planned_keys in planned.items():
        seen = {canonical(key.key_id) for key in keys.get(scope, ())}
        for key in planned_keys:
            key_id = canonical(key.key_id) if key.key_id else ""
            if key_id not in seen:
                kept.setdefault(scope, []).append(key)
                seen |= {key_id} - {""}
    return kept


def _ordered(
    planned: dict[KeyScope, list[PlannedKey]], scopes: dict[KeyScope, Deployments]
) -> Iterator[tuple[KeyScope, PlannedKey]]:
    """Yield the scopes with a planned key for which every planned database there waits."""
    for scope, keys in planned.items():
        planned_there = scopes.get(scope, NO_DEPLOYMENTS).select(attrgetter("is_planned"))
        waiting = {
            "".join(deployment.location[2:])
            for deployment in planned_there
            if deployment.expects_customer_key
        }
        for key in keys:
            if waiting and waiting <= key.awaited_by:
                yield scope, key
                break


class _Place(NamedTuple):
    """A key scope, the deployments in it, and what the portal showed of any of them."""

    scope: KeyScope
    parts: list[Deployment | DeploymentColumns]
    shown: list[DatabaseRegion]


class _Places(dict[tuple[DatabaseType, Provider, str], _Place]):
    """The key scopes of one organization, each made once: many databases share a few scopes."""

    def __init__(self, organization: str) -> None:
        super().__init__()
        self._organization = organization

    def __missing__(self, parts: tuple[DatabaseType, Provider, str]) -> _Place:
        place = self[parts] = _Place(KeyScope(self._organization, *parts), [], [])
        return place


def _deployments(organization: Organization, places: _Places) -> Iterator[Group]:
    """Yield the deployments of each database or columns, and add them to their key scopes."""
    policy = organization.policy
    by_type = {kind: _with_flag(policy.of(kind)) for kind in get_args(DatabaseType)}
    for part in parts_of(organization.databases):
        if isinstance(part, DatabaseColumns):
            yield _place_columns(part, places, by_type)
        elif not part.is_terminated:
            yield _place_database(part, places, by_type[part.type])


def _place_database(
    database: Database, places: _Places, by_policy: _Expected
) -> tuple[Deployment, ...]:
    """Return the deployments of ``database``, and add them to their key scopes."""
    kind, provider, planned = database.type, database.provider, database.state == "planned"
    of_database = by_policy if database.encryption is None else _stated(database)
    group: tuple[Deployment, ...] = ()
    for region in database.regions:
        place = places[kind, region.provider or provider, region.name]
        expected, flag = of_database if region.encryption is None else _stated(region)
        deployment = Deployment(
            database,
            region,
            place.scope,
            expected,
            planned or region.state == "planned",
            region.added_at or deployed_at(database, region),
            flag,
        )
        place.parts.append(deployment)
        if region.portal is not None:
            place.shown.append(region)
        group += (deployment,)
    return group


def _place_columns(
    databases: DatabaseColumns, places: _Places, by_type: Mapping[DatabaseType, _Expected]
) -> PlacedColumns:
    """Return the deployments of ``databases``, and add them to their key scopes."""
    examples: dict[DatabaseKind, tuple[Deployment, ...]] = {}
    for kind in databases.counts:
        if not kind.example.is_terminated:
            examples[kind] = _example_of(kind.example, places, by_type[kind.example.type])
    placed = PlacedColumns(databases, examples)
    for scope, part in placed.by_scope().items():
        places[scope[1:]].parts.append(part)
    return placed


def _example_of(database: Database, places: _Places, expected: _Expected) -> tuple[Deployment, ...]:
    """Return the deployments of a database that is the example of its kind."""
    scopes = [
        places[database.type, region.provider or database.provider, region.name].scope
        for region in database.regions
    ]
    expectation, flag = expected
    return tuple(
        Deployment(
            database,
            region,
            scope,
            expectation,
            is_planned=False,
            deployed=None,
            expects_customer_key=flag,
        )
        for scope, region in zip(scopes, database.regions, strict=True)
    )


def _stated(entry: Database | DatabaseRegion) -> _Expected:
    """Return the expectation that ``entry`` itself states; as ``_with_flag``."""
    encryption = entry.encryption or "customer-managed"
    return _with_flag(Expectation(encryption=encryption, reason=entry.reason))


def _with_flag(expectation: Expectation) -> _Expected:
    """Return ``expectation``, and whether it is a customer key."""
    return expectation, expectation.encryption == "customer-managed"


def _count_planned(scopes: dict[KeyScope, Deployments]) -> Counter[KeyScope]:
    """Count the deployments of each scope that are only planned."""
    counts = {
        scope: len(deployments.select(attrgetter("is_planned")))
        for scope, deployments in scopes.items()
    }
    return Counter({scope: count for scope, count in counts.items() if count})
