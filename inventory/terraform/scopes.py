"""What Terraform manages in each key scope of an organization: databases and customer keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inventory.database_lines.database_list import select
from inventory.index.organization_index import scope_of
from inventory.model.key import KeyScope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.model.database import Database, DatabaseRegion
    from inventory.model.organization import Organization


class TerraformScope(NamedTuple):
    """The addresses of what Terraform manages in one key scope, each once.

    Attributes:
        databases: planned databases that need a customer key, and that the configuration does not
            order after a key that a plan creates there.
        creates: customer keys that a plan creates.
        holds: customer keys in a state, which is no proof that they are registered.
    """

    databases: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()


NOTHING = TerraformScope()
"""The value for key scopes without Terraform's resources."""


def terraform_scopes(organization: Organization) -> dict[KeyScope, TerraformScope]:
    """Return what Terraform manages of ``organization``, by key scope."""
    # Dictionaries without values: sets that keep the order of the addresses.
    scopes: dict[KeyScope, dict[str, dict[str, None]]] = {}
    waiting = {
        (scope_of(organization.id, key), address)
        for key in organization.managed.planned_keys
        for address in key.awaited_by
    }
    for scope, field, address in (*_databases(organization), *_keys(organization)):
        if field != "databases" or (scope, address) not in waiting:
            scopes.setdefault(scope, {}).setdefault(field, {})[address] = None
    return {
        scope: TerraformScope(**{field: tuple(addresses) for field, addresses in fields.items()})
        for scope, fields in scopes.items()
    }


def _databases(organization: Organization) -> Iterator[tuple[KeyScope, str, str]]:
    for database in select(organization.databases, _is_anything_planned):
        for region in database.regions:
            is_planned = region.state == "planned" or database.state == "planned"
            address = (region.resource or database.resource) if is_planned else ""
            if address and _expects_customer_key(organization, database, region):
                provider = region.provider or database.provider
                scope = KeyScope(organization.id, database.type, provider, region.name)
                yield scope, "databases", address


def _is_anything_planned(database: Database) -> bool:
    # Nearly all databases exist: a generator for each of them would take longer than the rest.
    return database.state == "planned" or "planned" in [region.state for region in database.regions]


def _expects_customer_key(
    organization: Organization, database: Database, region: DatabaseRegion
) -> bool:
    stated = region.encryption or database.encryption
    expected = stated or organization.policy.of(database.type).encryption
    return expected == "customer-managed"


def _keys(organization: Organization) -> Iterator[tuple[KeyScope, str, str]]:
    managed = organization.managed
    for planned in managed.planned_keys:
        if planned.change == "register" and planned.resource:
            yield scope_of(organization.id, planned), "creates", planned.resource
    for key in managed.keys:
        scope = KeyScope(organization.id, "serverless", key.provider, key.region)
        yield scope, "holds", key.resource
