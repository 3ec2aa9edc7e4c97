"""Reads the output of ``terraform show -json``: databases and keys of a plan or a state.

Only a few attributes of ``astra_database`` and ``astra_customer_key`` are read, as the file holds
secrets in clear text. Both types of resource are always Serverless.
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
    from inventory.files.yaml_json import Fingerprint
    from inventory.model.base import SourceLocation
    from inventory.terraform.keys import DatabasesByLocation
    from inventory.terraform.organizations import TerraformSettings

PLAN_ONLY = Gap(
    fact="databases",
    reason="not-recorded",
    detail="the organization appears only in a plan or a state; its databases were not recorded",
)


class _Entries(NamedTuple):
    """The entries of one resource."""

    databases: tuple[Database, ...] = ()
    managed: ManagedResources = NO_RESOURCES


def is_terraform(data: object) -> bool:
    """Say whether the content of a file is a plan or a state of Terraform, in any format."""
    if not isinstance(data, dict) or "cmek-plan" in data:
        return False
    return "format_version" in data or {"terraform_version", "lineage"} <= data.keys()


def read_terraform(
    file: str,
    content: Fingerprint,
    document: Document,
    terraform: TerraformSettings,
    expected: ExpectedFile = PLAN,
) -> RecordedFile:
    """Read a plan or a state, as ``expected``; raise InventoryError with all its problems at once.

    Resources whose organization neither the plan nor the user states get one with the id
    ``UNKNOWN_ORGANIZATION``.
    """
    refuse(document.problems)
    parsed = read_resources(file, document, expected)
    owners = OwnerResolver(parsed, terraform)
    tree = terraform.source
    configuration = PlanSource(tree, parsed, document.data) if tree else None
    entries = [
        (resource, _entries(resource, _location(resource, parsed, configuration)))
        for resource in parsed.resources
    ]
    refuse([problem for resource, _ in entries for problem in resource.problems()])
    ordered = _with_order(entries, parsed.configuration)
    organizations = tuple(_organizations(owners, ordered))
    source = describe_source(file, content, parsed.kind, organizations, parsed.at)
    notes = (*notes_of(parsed), *filter(None, (configuration and configuration.note,)))
    source = source.model_copy(update={"format": f"terraform-{parsed.kind}", "notes": notes})
    return RecordedFile(source, organizations, owners.providers, owners.configurations())


def _location(
    resource: Resource, document: TerraformDocument, configuration: PlanSource | None
) -> SourceLocation:
    """Return where the resource is configured, or its position in the plan."""
    configured = configuration and configuration.find(resource)
    file, line = configured or (document.file, resource.line)
    return file, line, resource.address


def _organizations(
    owners: OwnerResolver, entries: Iterable[tuple[Resource, _Entries]]
) -> Iterator[Organization]:
    by_owner: dict[str, list[_Entries]] = {}
    for resource, part in entries:
        if part != _Entries():
            by_owner.setdefault(owners.of(resource), []).append(part)
    for owner, parts in by_owner.items():
        databases = tuple(chain.from_iterable(part.databases for part in parts))
        managed = ManagedResources.combine(part.managed for part in parts)
        # Prior state and drift may both have a database: an equal one is kept once.
        distinct = {(database.id, database.regions): database for database in managed.databases}
        managed = managed.model_copy(update={"databases": tuple(distinct.values())})
        organization = Organization(id=owner, name=owner, databases=databases, gaps=(PLAN_ONLY,))
        yield organization.with_managed(managed).at(owners.file, 1)


# --- resources ------------------------------------------------------------------------------------


def _entries(resource: Resource, location: SourceLocation) -> _Entries:
    if resource.type == KEY:
        return _Entries(managed=read_keys(resource, location))
    databases = tuple(_existing(resource, location))
    existing = ManagedResources(databases=databases) if databases else NO_RESOURCES
    if resource.is_deferred and resource.after:
        missing = "deferred to a later plan"
        hidden = resolve_location(resource.after).reasons & {SENSITIVE}
        later = _undetermined(resource, missing, hidden | {UNKNOWN}, location)
        return _Entries(managed=existing.combined_with(later))
    if resource.is_planned and resource.after:
        planned = _planned(resource, resource.after, location)
        return planned._replace(managed=existing.combined_with(planned.managed))
    return _Entries(managed=existing)


def _with_order(
    entries: Sequence[tuple[Resource, _Entries]], configuration: Mapping[str, Any]
) -> Iterator[tuple[Resource, _Entries]]:
    """Yield ``entries`` with the databases that wait for each planned key of their scope."""
    databases: DatabasesByLocation = {}
    for resource, part in entries:
        for database in part.databases:
            for region in database.regions:
                databases.setdefault((database.provider, region.name), []).append(resource)
    order = CreationOrder(configuration) if databases else None
    for resource, part in entries:
        if order and part.managed.planned_keys:
            managed = with_order(part.managed, resource, databases, order)
            yield resource, part._replace(managed=managed)
        else:
            yield resource, part


def _existing(resource: Resource, location: SourceLocation) -> Iterator[ManagedDatabase]:
    before = resource.before
    if before is None:
        return
    ids = before.read("id")
    if not (ids.values or ids.is_wrong):
        before.refuse(("id",), ids.missing or "nothing", "the id of the database")
    where = resolve_location(before)
    regions = tuple((where.provider, region) for region in where.regions if where.provider)
    for identity in ids.values:
        name = resource_name(before, resource.address)
        yield ManagedDatabase(id=identity, name=name, regions=regions, missing=where.missing).at(
            *location
        )


def _planned(resource: Resource, after: Attributes, location: SourceLocation) -> _Entries:
    """Return the entries of a database that is created or changed."""
    where, existing = resolve_location(after), _existing_regions(resource)
    regions = tuple(region for region in where.regions if (where.provider, region) not in existing)
    managed = NO_RESOURCES
    if where.missing:
        managed = _undetermined(resource, where.missing, where.reasons, location)
    if where.provider is None or not regions:
        return _Entries(managed=managed)
    database = Database(
        id=_identity(resource),
        name=resource_name(after, resource.address),
        type="serverless",
        provider=where.provider,
        regions=tuple(DatabaseRegion(name=region, state="planned") for region in regions),
        state="planned",
    )
    return _Entries((database.at(*location),), managed)


def _existing_regions(resource: Resource) -> set[tuple[Provider | None, str]]:
    """Return the regions that the database already has, if it is not recreated."""
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
    resource: Resource, missing: str, reasons: frozenset[str], location: SourceLocation
) -> ManagedResources:
    name = resource_name(resource.after, resource.address) if resource.after else resource.address
    database = UndeterminedDatabase(
        name=name, missing=missing, is_later=UNKNOWN in reasons, is_hidden=SENSITIVE in reasons
    )
    return ManagedResources(undetermined=(database.at(*location),))
