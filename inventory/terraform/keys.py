"""Customer keys of Terraform: those in its state, and a plan's changes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inventory.model.planned_keys import PlannedKey, UndeterminedKey
from inventory.model.terraform_managed import ManagedKey, ManagedResources
from inventory.terraform.attributes import SENSITIVE, UNKNOWN
from inventory.terraform.locations import resolve_location

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from inventory.model.base import Located, SourceLocation
    from inventory.model.planned_keys import KeyChange
    from inventory.terraform.attributes import Attributes
    from inventory.terraform.ordering import CreationOrder
    from inventory.terraform.resources import Resource

    DatabasesByLocation = dict[tuple[str, str], list[Resource]]
    """The resources of the planned databases of each provider and region."""


def read_keys(resource: Resource, location: SourceLocation) -> ManagedResources:
    """Return the entries of a key resource: the key in the state, and the plan's change of it."""
    before, after, address = resource.before, resource.after, resource.address
    existing = tuple(_key(before, address, "replace", location)) if before else ()
    registered: tuple[PlannedKey | UndeterminedKey, ...] = ()
    if after and resource.is_planned:
        registered = tuple(_key(after, address, "register", location))
    if not resource.creates and _same_keys(existing, registered):
        registered = ()
    removed = existing if registered else ()
    if resource.is_deleted and not registered and before:
        removed = tuple(_key(before, address, "remove", location))
    changes = (*removed, *registered)
    return ManagedResources(
        planned_keys=tuple(key for key in changes if isinstance(key, PlannedKey)),
        undetermined_keys=tuple(key for key in changes if isinstance(key, UndeterminedKey)),
        keys=tuple(
            ManagedKey(provider=key.provider, region=key.region).at(*location)
            for key in existing
            if isinstance(key, PlannedKey)
        ),
    )


def _same_keys(before: Sequence[Located], after: Sequence[Located]) -> bool:
    """Say whether an update changes nothing of a key; what is not shown may change."""
    facts = [
        {(key.provider, key.region, key.key_id) for key in side if isinstance(key, PlannedKey)}
        for side in (before, after)
    ]
    is_whole = len(before) == len(facts[0]) and all(key_id for *_, key_id in facts[0])
    return is_whole and facts[0] == facts[1]


def _key(
    attributes: Attributes, address: str, change: KeyChange, location: SourceLocation
) -> Iterator[PlannedKey | UndeterminedKey]:
    """Yield a key with its key scope, or why the plan does not show that."""
    where, key_ids = resolve_location(attributes, ("region",)), attributes.read("key_id")
    if not (key_ids.values or key_ids.missing or key_ids.is_wrong):
        attributes.refuse(("key_id",), "nothing", "the id of a key")
    if where.provider is None or where.missing:
        yield UndeterminedKey(
            name=address, missing=where.missing, change=change, **_flags(where.reasons)
        ).at(*location)
        return
    key_id = next(iter(key_ids.values), None)
    for region in where.regions:
        yield PlannedKey(
            type="serverless",
            provider=where.provider,
            region=region,
            key_id=key_id,
            missing=key_ids.missing,
            change=change,
            **_flags(key_ids.reasons),
        ).at(*location)


def _flags(reasons: Collection[str]) -> dict[str, Any]:
    """Return whether a later plan shows what is missing, and whether no plan does."""
    return {"is_later": UNKNOWN in reasons, "is_hidden": SENSITIVE in reasons}


# --- order ----------------------------------------------------------------------------------------


def with_order(
    managed: ManagedResources,
    resource: Resource,
    databases: DatabasesByLocation,
    order: CreationOrder,
) -> ManagedResources:
    """Return the keys of ``resource`` with the planned databases that wait for each."""
    if not resource.creates or resource.is_deferred:
        return managed
    keys = tuple(_awaited(key, resource, databases, order) for key in managed.planned_keys)
    return managed.model_copy(update={"planned_keys": keys})


def _awaited(
    key: PlannedKey, resource: Resource, databases: DatabasesByLocation, order: CreationOrder
) -> PlannedKey:
    """Return a key with the addresses of the databases of its scope that wait for it."""
    planned = databases.get((key.provider, key.region), ()) if key.change == "register" else ()
    addresses = frozenset(
        database.address for database in planned if order.waits(database, resource)
    )
    return key.model_copy(update={"awaited_by": addresses}).at(*key.location)
