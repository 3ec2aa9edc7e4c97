"""Planned databases from Terraform: what ``terraform show -json`` prints of a plan or a state.

Of the whole file only a few attributes of ``astra_database`` and ``astra_customer_key`` are read:
it holds secrets in clear text. Both kinds of resource are always Serverless.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.gaps import Gap
from inventory.managed import NOTHING, Managed, ManagedDatabase, ManagedKey, UndeterminedDatabase
from inventory.models import Database, DatabaseRegion, Organization
from inventory.recorded import Recorded, describe_source, refuse
from inventory.spellings import PROVIDERS, Provider, canonical_provider
from inventory.terraform_documents import Resource, TerraformDocument, read_resources
from inventory.terraform_organizations import Owners
from inventory.terraform_source import PlanSource
from inventory.terraform_values import Attributes, Told
from inventory.visible_text import visible
from inventory.wording import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inventory.documents import Document
    from inventory.entries import Place
    from inventory.terraform_organizations import Terraform

PLAN_ONLY = Gap(
    fact="databases",
    reason="not-recorded",
    detail="the organization stands in a plan only; its existing databases were not recorded",
)
STATE = "a state, which plans nothing"
_OTHERS = (
    (b"PK\x03\x04", "a plan as Terraform keeps it"),
    (b'{"@level"', "the log that 'terraform plan -json' prints"),
)
"""How other files of Terraform begin, and what they are."""

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


def is_terraform(data: object) -> bool:
    """Say whether the content of a file is Terraform's, in whichever form."""
    if not isinstance(data, dict) or "cmek-plan" in data:
        return False
    return "format_version" in data or {"terraform_version", "lineage"} <= data.keys()


def refuse_others(file: str, raw: bytes) -> None:
    """Raise InventoryError if the file is another one of Terraform's, often given by mistake."""
    for start, found in _OTHERS:
        if raw.lstrip().startswith(start):
            expected = "what 'terraform show -json FILE' prints of a plan that was saved"
            raise InventoryError([Problem(file, 0, "", found, expected)])


def read_terraform(file: str, raw: bytes, document: Document, terraform: Terraform) -> Recorded:
    """Read a plan or a state; raise InventoryError with all its problems at once.

    What belongs to an organization that neither the plan nor the user tells goes to one of the id
    ``NOT_TOLD``.
    """
    refuse(document.problems)
    told = read_resources(file, document)
    owners = Owners(told, terraform)
    tree = terraform.source
    found = PlanSource(tree, told, document.data) if tree else None
    entries = [(each, _entries(each, _located(each, told, found))) for each in told.resources]
    refuse([problem for resource, _ in entries for problem in resource.problems()])
    organizations = tuple(_organizations(owners, entries))
    source = describe_source(file, raw, "plan", organizations, told.at)
    notes = (STATE if told.kind == "state" else "", found.note if found else "")
    note = "; ".join(filter(None, notes))
    source = source.model_copy(update={"format": f"terraform-{told.kind}", "note": note})
    return Recorded(source, organizations, owners.providers)


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
        once = tuple({each.id: each for each in told.databases}.values())
        managed = told.model_copy(update={"databases": once})
        organization = Organization(id=owner, name=owner, databases=databases, gaps=(PLAN_ONLY,))
        yield organization.with_managed(managed).at(owners.file, 1)


# --- resources ------------------------------------------------------------------------------------


def _entries(resource: Resource, place: Place) -> _Entries:
    if resource.type == "astra_customer_key":
        return _Entries(managed=Managed(keys=tuple(_keys(resource, place))))
    held = tuple(_existing(resource, place))
    existing = Managed(databases=held) if held else NOTHING
    if resource.is_deferred and resource.after:
        untold = "put off to a later plan"
        later = _undetermined(resource.after, resource.address, untold, place)
        return _Entries(managed=existing.and_also(later))
    if resource.is_planned and resource.after:
        planned = _planned(resource, resource.after, place)
        return planned._replace(managed=existing.and_also(planned.managed))
    return _Entries(managed=existing)


def _existing(resource: Resource, place: Place) -> Iterator[ManagedDatabase]:
    before = resource.before
    if before is None:
        return
    told = before.told("id")
    if not (told.values or told.is_wrong):
        before.refuse(("id",), told.untold or "nothing", "the id of the database")
    for identity in told.values:
        name = _name(before, resource.address)
        yield ManagedDatabase(id=identity, name=name).at(*place)


def _keys(resource: Resource, place: Place) -> Iterator[ManagedKey]:
    known = resource.after or resource.before
    if known is None:
        return
    where = _where(known)
    if where.provider and not where.untold:
        for region in where.regions:
            key = ManagedKey(provider=where.provider, region=region, is_created=resource.creates)
            yield key.at(*place)


def _planned(resource: Resource, after: Attributes, place: Place) -> _Entries:
    """Return what a database that is created, or changed, comes to."""
    where, there = _where(after), _there(resource)
    regions = tuple(each for each in where.regions if (where.provider, each) not in there)
    managed = NOTHING
    if where.untold:
        managed = _undetermined(after, resource.address, where.untold, place)
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


def _undetermined(attributes: Attributes, address: str, untold: str, place: Place) -> Managed:
    name = _name(attributes, address)
    return Managed(undetermined=(UndeterminedDatabase(name=name, untold=untold).at(*place),))


# --- attributes -----------------------------------------------------------------------------------


def _name(attributes: Attributes, address: str) -> str:
    return next(filter(visible, attributes.told("name").values), address)


def _where(attributes: Attributes) -> _Where:
    told = attributes.told("cloud_provider")
    provider = _provider(attributes, told)
    every = [(name, attributes.told(name)) for name in _REGIONS]
    regions = tuple(dict.fromkeys(value for _, each in every for value in each.values))
    untold = [("cloud_provider", told), *every]
    words = [f"{name} {each.untold}" for name, each in untold if each.untold]
    if not (regions or words or any(each.is_wrong for _, each in every)):
        attributes.refuse(("regions",), "nothing", "at least one region")
    return _Where(provider, regions, ", ".join(words))


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
