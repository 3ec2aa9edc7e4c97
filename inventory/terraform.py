"""Databases and keys of Terraform: what ``terraform show -json`` prints of a plan or a state.

Of the whole file only a few attributes of ``astra_database`` and ``astra_customer_key`` are read:
it holds secrets in clear text. Both kinds of resource are always Serverless.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.format_detection import PLAN, Wanted
from inventory.gaps import Gap
from inventory.managed import NOTHING, Managed, ManagedDatabase, ManagedKey, UndeterminedDatabase
from inventory.models import Database, DatabaseRegion, Organization
from inventory.planned_keys import PlannedKey, UndeterminedKey
from inventory.recorded import Recorded, describe_source, refuse
from inventory.spellings import PROVIDERS, Provider, canonical_provider
from inventory.terraform_documents import Resource, TerraformDocument, read_resources
from inventory.terraform_notes import notes_of
from inventory.terraform_order import CreationOrder
from inventory.terraform_organizations import Owners
from inventory.terraform_source import PlanSource
from inventory.terraform_values import KEY, SENSITIVE, UNKNOWN, Attributes, Told
from inventory.visible_text import visible
from inventory.wording import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from inventory.documents import Document
    from inventory.entries import Located, Place
    from inventory.planned_keys import KeyChange
    from inventory.terraform_organizations import Terraform

PLAN_ONLY = Gap(
    fact="databases",
    reason="not-recorded",
    detail="the organization is in a plan or a state only; its databases were not recorded",
)
_REGIONS = ("regions", "region", "additional_regions")
"""Since version 2.0 of the provider the first, before that the others."""


class _Entries(NamedTuple):
    """What one resource comes to."""

    databases: tuple[Database, ...] = ()
    managed: Managed = NOTHING


class _Where(NamedTuple):
    """Where a database is to lie; an empty provider and missing regions are not told."""

    provider: Provider | None
    regions: tuple[str, ...]
    untold: str
    reasons: frozenset[str]


def is_terraform(data: object) -> bool:
    """Say whether the content of a file is Terraform's, in whichever form."""
    if not isinstance(data, dict) or "cmek-plan" in data:
        return False
    return "format_version" in data or {"terraform_version", "lineage"} <= data.keys()


def read_terraform(
    file: str, raw: bytes, document: Document, terraform: Terraform, wanted: Wanted = PLAN
) -> Recorded:
    """Read a plan or a state, as ``wanted``; raise InventoryError with all its problems at once.

    What belongs to an organization that neither the plan nor the user tells goes to one of the id
    ``NOT_TOLD``.
    """
    refuse(document.problems)
    told = read_resources(file, document, wanted)
    owners = Owners(told, terraform)
    tree = terraform.source
    found = PlanSource(tree, told, document.data) if tree else None
    entries = [(each, _entries(each, _located(each, told, found))) for each in told.resources]
    refuse([problem for resource, _ in entries for problem in resource.problems()])
    ordered = _with_order(entries, told.configuration)
    organizations = tuple(_organizations(owners, ordered))
    source = describe_source(file, raw, told.kind, organizations, told.at)
    notes = (*notes_of(told), *filter(None, (found and found.note,)))
    source = source.model_copy(update={"format": f"terraform-{told.kind}", "notes": notes})
    return Recorded(source, organizations, owners.providers, owners.configurations())


def _located(resource: Resource, told: TerraformDocument, source: PlanSource | None) -> Place:
    """Return where the resource is configured, or where the plan tells of it."""
    found = source and source.find(resource)
    file, line = found or (told.file, resource.line)
    return file, line, resource.address


def _organizations(
    owners: Owners, entries: Iterable[tuple[Resource, _Entries]]
) -> Iterator[Organization]:
    gathered: dict[str, list[_Entries]] = {}
    for resource, own in entries:
        if own != _Entries():
            gathered.setdefault(owners.of(resource), []).append(own)
    for owner, parts in gathered.items():
        databases = tuple(chain.from_iterable(part.databases for part in parts))
        told = Managed.together(part.managed for part in parts)
        once = tuple({(each.id, each.regions): each for each in told.databases}.values())
        managed = told.model_copy(update={"databases": once})
        organization = Organization(id=owner, name=owner, databases=databases, gaps=(PLAN_ONLY,))
        yield organization.with_managed(managed).at(owners.file, 1)


# --- resources ------------------------------------------------------------------------------------


def _entries(resource: Resource, place: Place) -> _Entries:
    if resource.type == KEY:
        return _Entries(managed=_keys(resource, place))
    held = tuple(_existing(resource, place))
    existing = Managed(databases=held) if held else NOTHING
    if resource.is_deferred and resource.after:
        untold = "put off to a later plan"
        hidden = _where(resource.after).reasons & {SENSITIVE}
        later = _undetermined(resource, untold, hidden | {UNKNOWN}, place)
        return _Entries(managed=existing.and_also(later))
    if resource.is_planned and resource.after:
        planned = _planned(resource, resource.after, place)
        return planned._replace(managed=existing.and_also(planned.managed))
    return _Entries(managed=existing)


def _with_order(
    entries: Sequence[tuple[Resource, _Entries]], configuration: Mapping[str, Any]
) -> Iterator[tuple[Resource, _Entries]]:
    """Yield ``entries`` with the databases that wait for each planned key of their place."""
    databases: dict[tuple[str, str], list[Resource]] = {}
    for resource, own in entries:
        for database in own.databases:
            for region in database.regions:
                databases.setdefault((database.provider, region.name), []).append(resource)
    order = CreationOrder(configuration) if databases else None
    for resource, own in entries:
        keys = own.managed.planned_keys if order and resource.creates else ()
        if order and keys and not resource.is_deferred:
            waiting = tuple(_awaited(key, resource, databases, order) for key in keys)
            managed = own.managed.model_copy(update={"planned_keys": waiting})
            yield resource, own._replace(managed=managed)
        else:
            yield resource, own


def _awaited(
    key: PlannedKey,
    resource: Resource,
    databases: Mapping[tuple[str, str], list[Resource]],
    order: CreationOrder,
) -> PlannedKey:
    """Return a key with the addresses of the databases of its place that wait for it."""
    there = databases.get((key.provider, key.region), ()) if key.change == "register" else ()
    addresses = frozenset(each.address for each in there if order.waits(each, resource))
    return key.model_copy(update={"awaited_by": addresses}).at(*key.place)


def _existing(resource: Resource, place: Place) -> Iterator[ManagedDatabase]:
    before = resource.before
    if before is None:
        return
    told = before.told("id")
    if not (told.values or told.is_wrong):
        before.refuse(("id",), told.untold or "nothing", "the id of the database")
    where = _where(before)
    regions = tuple((where.provider, each) for each in where.regions if where.provider)
    for identity in told.values:
        name = _name(before, resource.address)
        yield ManagedDatabase(id=identity, name=name, regions=regions, missing=where.untold).at(
            *place
        )


def _keys(resource: Resource, place: Place) -> Managed:
    """Return what a key comes to: what the state holds, and what the plan does with it."""
    before, after, address = resource.before, resource.after, resource.address
    held = tuple(_key(before, address, "replace", place)) if before else ()
    made = tuple(_key(after, address, "register", place)) if after and resource.is_planned else ()
    if not resource.creates and _same_keys(held, made):
        made = ()
    gone: tuple[PlannedKey | UndeterminedKey, ...] = held if made else ()
    if resource.is_deleted and not made and before:
        gone = tuple(_key(before, address, "remove", place))
    return Managed(
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
    attributes: Attributes, address: str, change: KeyChange, place: Place
) -> Iterator[PlannedKey | UndeterminedKey]:
    """Yield a key with its key scope, or why the plan does not show that."""
    where, told = _where(attributes, ("region",)), attributes.told("key_id")
    if not (told.values or told.untold or told.is_wrong):
        attributes.refuse(("key_id",), "nothing", "the id of a key")
    if where.provider is None or where.untold:
        yield UndeterminedKey(name=address, missing=where.untold, change=change).at(*place)
        return
    key_id = next(iter(told.values), None)
    for region in where.regions:
        yield PlannedKey(
            type="serverless",
            provider=where.provider,
            region=region,
            key_id=key_id,
            missing=told.untold,
            change=change,
        ).at(*place)


def _planned(resource: Resource, after: Attributes, place: Place) -> _Entries:
    """Return what a database that is created, or changed, comes to."""
    where, there = _where(after), _there(resource)
    regions = tuple(each for each in where.regions if (where.provider, each) not in there)
    managed = NOTHING
    if where.untold:
        managed = _undetermined(resource, where.untold, where.reasons, place)
    if where.provider is None or not regions:
        return _Entries(managed=managed)
    database = Database(
        id=_identity(resource),
        name=_name(after, resource.address),
        type="serverless",
        provider=where.provider,
        regions=tuple(DatabaseRegion(name=each, state="planned") for each in regions),
        state="planned",
    )
    return _Entries((database.at(*place),), managed)


def _there(resource: Resource) -> set[tuple[Provider | None, str]]:
    """Return where the database lies already, if it is the same one that will lie elsewhere."""
    if resource.grows_from is None:
        return set()
    where = _where(resource.grows_from)
    return {(where.provider, region) for region in where.regions}


def _identity(resource: Resource) -> str | None:
    """Return the id of the database that gets further regions; a new one has none yet."""
    if resource.grows_from is None:
        return None
    return next(iter(resource.grows_from.told("id").values), None)


def _undetermined(
    resource: Resource, untold: str, reasons: frozenset[str], place: Place
) -> Managed:
    name = _name(resource.after, resource.address) if resource.after else resource.address
    database = UndeterminedDatabase(
        name=name, untold=untold, is_later=UNKNOWN in reasons, is_hidden=SENSITIVE in reasons
    )
    return Managed(undetermined=(database.at(*place),))


# --- attributes -----------------------------------------------------------------------------------


def _name(attributes: Attributes, address: str) -> str:
    return next(filter(visible, attributes.told("name").values), address)


def _where(attributes: Attributes, names: Sequence[str] = _REGIONS) -> _Where:
    told = attributes.told("cloud_provider")
    provider = _provider(attributes, told)
    every = [(name, attributes.told(name)) for name in names]
    regions = tuple(dict.fromkeys(value for _, each in every for value in each.values))
    untold = [("cloud_provider", told), *every]
    words = [f"{name} {each.untold}" for name, each in untold if each.untold]
    if not (regions or words or any(each.is_wrong for _, each in every)):
        attributes.refuse((names[0],), "nothing", "at least one region")
    reasons = frozenset(reason for _, each in untold for reason in each.reasons)
    return _Where(provider, regions, ", ".join(words), reasons)


def _provider(attributes: Attributes, told: Told) -> Provider | None:
    if told.untold or told.is_wrong:
        return None
    spelled = next(iter(told.values), "")
    provider: Any = canonical_provider(spelled)
    if provider not in PROVIDERS.values():
        found = describe(spelled) if spelled else "nothing"
        attributes.refuse(("cloud_provider",), found, "aws, gcp or azure")
        return None
    return provider  # type: ignore[no-any-return]
