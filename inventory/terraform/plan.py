"""Databases and keys of Terraform: what ``terraform show -json`` prints of a plan or a state.

Of the whole file only a few attributes of ``astra_database`` and ``astra_customer_key`` are read:
it holds secrets in clear text. Both kinds of resource are always Serverless.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.files.format_detection import PLAN, ExpectedFile
from inventory.files.yaml_json import RecordedFile, describe_source, refuse
from inventory.model.database import Database, DatabaseRegion
from inventory.model.gaps import Gap
from inventory.model.organization import Organization
from inventory.model.terraform_managed import (
    NO_RESOURCES,
    ManagedDatabase,
    ManagedResources,
    UndeterminedDatabase,
)
from inventory.model.vocabulary import Provider
from inventory.terraform.attributes import SENSITIVE, UNKNOWN, Attributes
from inventory.terraform.keys import read_keys, with_order
from inventory.terraform.locations import resolve_location, resource_name
from inventory.terraform.notes import notes_of
from inventory.terraform.ordering import CreationOrder
from inventory.terraform.organizations import OwnerResolver
from inventory.terraform.resource_types import KEY
from inventory.terraform.resources import Resource, TerraformDocument, read_resources
from inventory.terraform.source import PlanSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from inventory.files.documents import Document
    from inventory.model.base import SourceLocation
    from inventory.terraform.keys import DatabasesByLocation
    from inventory.terraform.organizations import TerraformSettings

PLAN_ONLY = Gap(
    fact="databases",
    reason="not-recorded",
    detail="the organization is in a plan or a state only; its databases were not recorded",
)


class _Entries(NamedTuple):
    """What one resource comes to."""

    databases: tuple[Database, ...] = ()
    managed: ManagedResources = NO_RESOURCES


def is_terraform(data: object) -> bool:
    """Say whether the content of a file is Terraform's, in whichever form."""
    if not isinstance(data, dict) or "cmek-plan" in data:
        return False
    return "format_version" in data or {"terraform_version", "lineage"} <= data.keys()


def read_terraform(
    file: str,
    raw: bytes,
    document: Document,
    terraform: TerraformSettings,
    wanted: ExpectedFile = PLAN,
) -> RecordedFile:
    """Read a plan or a state, as ``wanted``; raise InventoryError with all its problems at once.

    What belongs to an organization that neither the plan nor the user tells goes to one of the id
    ``UNKNOWN_ORGANIZATION``.
    """
    refuse(document.problems)
    told = read_resources(file, document, wanted)
    owners = OwnerResolver(told, terraform)
    tree = terraform.source
    found = PlanSource(tree, told, document.data) if tree else None
    entries = [(each, _entries(each, _located(each, told, found))) for each in told.resources]
    refuse([problem for resource, _ in entries for problem in resource.problems()])
    ordered = _with_order(entries, told.configuration)
    organizations = tuple(_organizations(owners, ordered))
    source = describe_source(file, raw, told.kind, organizations, told.at)
    notes = (*notes_of(told), *filter(None, (found and found.note,)))
    source = source.model_copy(update={"format": f"terraform-{told.kind}", "notes": notes})
    return RecordedFile(source, organizations, owners.providers, owners.configurations())


def _located(
    resource: Resource, told: TerraformDocument, source: PlanSource | None
) -> SourceLocation:
    """Return where the resource is configured, or where the plan tells of it."""
    found = source and source.find(resource)
    file, line = found or (told.file, resource.line)
    return file, line, resource.address


def _organizations(
    owners: OwnerResolver, entries: Iterable[tuple[Resource, _Entries]]
) -> Iterator[Organization]:
    gathered: dict[str, list[_Entries]] = {}
    for resource, own in entries:
        if own != _Entries():
            gathered.setdefault(owners.of(resource), []).append(own)
    for owner, parts in gathered.items():
        databases = tuple(chain.from_iterable(part.databases for part in parts))
        told = ManagedResources.combine(part.managed for part in parts)
        once = tuple(
            {(database.id, database.regions): database for database in told.databases}.values()
        )
        managed = told.model_copy(update={"databases": once})
        organization = Organization(id=owner, name=owner, databases=databases, gaps=(PLAN_ONLY,))
        yield organization.with_managed(managed).at(owners.file, 1)


# --- resources ------------------------------------------------------------------------------------


def _entries(resource: Resource, place: SourceLocation) -> _Entries:
    if resource.type == KEY:
        return _Entries(managed=read_keys(resource, place))
    held = tuple(_existing(resource, place))
    existing = ManagedResources(databases=held) if held else NO_RESOURCES
    if resource.is_deferred and resource.after:
        untold = "put off to a later plan"
        hidden = resolve_location(resource.after).reasons & {SENSITIVE}
        later = _undetermined(resource, untold, hidden | {UNKNOWN}, place)
        return _Entries(managed=existing.combined_with(later))
    if resource.is_planned and resource.after:
        planned = _planned(resource, resource.after, place)
        return planned._replace(managed=existing.combined_with(planned.managed))
    return _Entries(managed=existing)


def _with_order(
    entries: Sequence[tuple[Resource, _Entries]], configuration: Mapping[str, Any]
) -> Iterator[tuple[Resource, _Entries]]:
    """Yield ``entries`` with the databases that wait for each planned key of their place."""
    databases: DatabasesByLocation = {}
    for resource, own in entries:
        for database in own.databases:
            for region in database.regions:
                databases.setdefault((database.provider, region.name), []).append(resource)
    order = CreationOrder(configuration) if databases else None
    for resource, own in entries:
        if order and own.managed.planned_keys:
            managed = with_order(own.managed, resource, databases, order)
            yield resource, own._replace(managed=managed)
        else:
            yield resource, own


def _existing(resource: Resource, place: SourceLocation) -> Iterator[ManagedDatabase]:
    before = resource.before
    if before is None:
        return
    told = before.read("id")
    if not (told.values or told.is_wrong):
        before.refuse(("id",), told.missing or "nothing", "the id of the database")
    where = resolve_location(before)
    regions = tuple((where.provider, region) for region in where.regions if where.provider)
    for identity in told.values:
        name = resource_name(before, resource.address)
        yield ManagedDatabase(id=identity, name=name, regions=regions, missing=where.missing).at(
            *place
        )


def _planned(resource: Resource, after: Attributes, place: SourceLocation) -> _Entries:
    """Return what a database that is created, or changed, comes to."""
    where, there = resolve_location(after), _there(resource)
    regions = tuple(region for region in where.regions if (where.provider, region) not in there)
    managed = NO_RESOURCES
    if where.missing:
        managed = _undetermined(resource, where.missing, where.reasons, place)
    if where.provider is None or not regions:
        return _Entries(managed=managed)
    database = Database(
        id=_identity(resource),
        name=resource_name(after, resource.address),
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
    where = resolve_location(resource.grows_from)
    return {(where.provider, region) for region in where.regions}


def _identity(resource: Resource) -> str | None:
    """Return the id of the database that gets further regions; a new one has none yet."""
    if resource.grows_from is None:
        return None
    return next(iter(resource.grows_from.read("id").values), None)


def _undetermined(
    resource: Resource, untold: str, reasons: frozenset[str], place: SourceLocation
) -> ManagedResources:
    name = resource_name(resource.after, resource.address) if resource.after else resource.address
    database = UndeterminedDatabase(
        name=name, missing=untold, is_later=UNKNOWN in reasons, is_hidden=SENSITIVE in reasons
    )
    return ManagedResources(undetermined=(database.at(*place),))
