"""Customer keys of Terraform: those in its state, and what a plan would do with them."""

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


def read_keys(resource: Resource, place: SourceLocation) -> ManagedResources:
    """Return what a key comes to: what the state holds, and what the plan does with it."""
    before, after, address = resource.before, resource.after, resource.address
    held = tuple(_key(before, address, "replace", place)) if before else ()
    made = tuple(_key(after, address, "register", place)) if after and resource.is_planned else ()
    if not resource.creates and _same_keys(held, made):
        made = ()
    gone: tuple[PlannedKey | UndeterminedKey, ...] = held if made else ()
    if resource.is_deleted and not made and before:
        gone = tuple(_key(before, address, "remove", place))
    return ManagedResources(
        planned_keys=tuple(each for each in (*gone, *made) if isinstance(each, PlannedKey)),
        undetermined_keys=tuple(
            each for each in (*gone, *made) if isinstance(each, UndeterminedKey)
        ),
        keys=tuple(
            ManagedKey(provider=each.provider, region=each.region).at(*place)
            for each in held
            if isinstance(each, PlannedKey)
        ),
    )


def _same_keys(held: Sequence[Located], made: Sequence[Located]) -> bool:
    """Say whether an update changes nothing of a key; what is not shown may be changed."""
    facts = [
        {(each.provider, each.region, each.key_id) for each in side if isinstance(each, PlannedKey)}
        for side in (held, made)
    ]
    is_whole = len(held) == len(facts[0]) and all(key_id for *_, key_id in facts[0])
    return is_whole and facts[0] == facts[1]


def _key(
    attributes: Attributes, address: str, change: KeyChange, place: SourceLocation
) -> Iterator[PlannedKey | UndeterminedKey]:
    """Yield a key with its key scope, or why the plan does not show that."""
    where, told = resolve_location(attributes, ("region",)), attributes.read("key_id")
    if not (told.values or told.missing or told.is_wrong):
        attributes.refuse(("key_id",), "nothing", "the id of a key")
    if where.provider is None or where.missing:
        yield UndeterminedKey(
            name=address, missing=where.missing, change=change, **_flags(where.reasons)
        ).at(*place)
        return
    key_id = next(iter(told.values), None)
    for region in where.regions:
        yield PlannedKey(
            type="serverless",
            provider=where.provider,
            region=region,
            key_id=key_id,
            missing=told.missing,
            change=change,
            **_flags(told.reasons),
        ).at(*place)


def _flags(reasons: Collection[str]) -> dict[str, Any]:
    """Return what of the missing a later plan shows, and what none does."""
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
    """Return a key with the addresses of the databases of its place that wait for it."""
    there = databases.get((key.provider, key.region), ()) if key.change == "register" else ()
    addresses = frozenset(each.address for each in there if order.waits(each, resource))
    return key.model_copy(update={"awaited_by": addresses}).at(*key.location)
