"""Plans in YAML and Terraform's plans and states: planned databases and keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from inventory.errors import InventoryError, Problem
from inventory.files.documents import Document, read_document
from inventory.files.format_detection import (
    PLAN,
    STATE,
    ExpectedFile,
    bytes_problem,
    data_problem,
    text_problem,
)
from inventory.files.merging import merge_planned_databases
from inventory.files.named_plans import OPTION
from inventory.files.validation import line_of
from inventory.files.yaml_json import (
    RecordedFile,
    describe_source,
    duplicates,
    fingerprint,
    locate_entries,
    parse_document,
    read_raw,
    refuse,
    refuse_tokens,
    repeated_entries,
    versionless_key_identity,
)
from inventory.model.base import (
    Entry,
    FormatVersion,
    Identifier,
    Located,
    SpelledProvider,
    SpelledType,
)
from inventory.model.database import Database
from inventory.model.organization import Organization
from inventory.model.planned_keys import KeyChange, PlannedKey
from inventory.model.sources import Source
from inventory.model.terraform_managed import ManagedResources
from inventory.terraform.organizations import TerraformSettings
from inventory.terraform.plan import PLAN_ONLY, is_terraform, read_terraform
from inventory.terraform.resource_types import drop_unread
from inventory.text.display import describe


class PlannedDatabase(Database):
    """A database of a plan; its ``state`` is ``planned`` by default."""

    state: Literal["planned"] = "planned"


class PlannedKeyEntry(Located):
    """A customer key of a plan.

    Attributes:
        type: the database type.
        provider: the cloud provider.
        region: the region.
        key_id: the key's id.
        change: ``register`` if the plan is to register the key; ``replace`` or ``remove`` for a
            key that is registered already.
    """

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_id: Identifier
    change: KeyChange = "register"


class PlannedOrganization(Located):
    """An organization of a plan, named by its id: planned databases, planned keys, or both."""

    id: Identifier
    databases: tuple[PlannedDatabase, ...] = ()
    keys: tuple[PlannedKeyEntry, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.databases or self.keys):
            raise PydanticCustomError("databases", "databases, keys or both")
        return self


class PlanDocument(Entry):
    """A whole plan file."""

    format: Annotated[FormatVersion, Field(alias="cmek-plan")]
    description: str | None = None
    organizations: Annotated[tuple[PlannedOrganization, ...], Field(min_length=1)]


def read_plan(
    file: str,
    terraform: TerraformSettings = TerraformSettings(),  # noqa: B008 (frozen)
    name: str = "",
) -> RecordedFile:
    """Read a plan, ours or Terraform's; raise InventoryError with all its problems at once.

    The keys and the existing databases of its organizations count as not recorded. A ``name`` is
    put in front of each address of Terraform's.
    """
    raw, document = _read(file, PLAN)
    content = fingerprint(raw)
    if is_terraform(document.data):
        del raw  # these can be large, and the entries need its memory
        plan = read_terraform(file, content, document, terraform.for_plan(name))
        return _with_name(plan, name) if name else plan
    refuse_tokens(file, raw)
    if name:
        expected = "no name: databases of a YAML plan are identified by their own names"
        raise InventoryError([Problem(file, 0, "", f"the name {describe(name)}", expected)])
    parsed = parse_document(PlanDocument, file, document)
    organizations = tuple(
        locate_entries(file, document.lines, map(_organization, parsed.organizations))
    )
    refuse(list(duplicates(file, organizations)))
    planned = tuple(
        organization.with_managed(ManagedResources(planned_keys=keys)).at(*organization.location)
        for organization, keys in zip(
            organizations, _keys(file, document, parsed.organizations), strict=True
        )
    )
    return RecordedFile(describe_source(file, content, "plan", planned), planned)


def read_state(file: str, terraform: TerraformSettings) -> RecordedFile:
    """Read a Terraform state: what it believes to exist; raise InventoryError.

    A state needs no name: findings refer to its databases by their ids, never by an address.
    """
    raw, document = _read(file, STATE)
    content = fingerprint(raw)
    del raw  # as above
    return read_terraform(file, content, document, terraform, STATE)


def _read(file: str, expected_file: ExpectedFile) -> tuple[bytes, Document]:
    """Return what a file holds, in bytes and as data.

    Raises InventoryError, with the command to run, if the file is not the ``expected_file``.
    """
    raw = read_raw(file, expected_file)
    if problem := bytes_problem(file, raw, expected_file):
        raise InventoryError([problem])
    document = read_document(file, raw, drop_unread)
    if document.data is None and document.problems:
        raise InventoryError([text_problem(file, raw, document.problems[0], expected_file)])
    if not (is_terraform(document.data) or _is_yaml_plan(document.data, expected_file)):
        raise InventoryError([data_problem(file, raw, document, expected_file)])
    return raw, document


def _is_yaml_plan(data: object, expected_file: ExpectedFile) -> bool:
    """Say whether the data is a plan in YAML, where one is accepted."""
    return expected_file.kind == "plan" and isinstance(data, dict) and "cmek-plan" in data


def _organization(planned: PlannedOrganization) -> Organization:
    databases: tuple[Database, ...] = planned.databases
    return Organization(id=planned.id, name=planned.id, databases=databases, gaps=(PLAN_ONLY,))


def _keys(
    file: str, document: Document, organizations: Sequence[PlannedOrganization]
) -> Iterator[tuple[PlannedKey, ...]]:
    """Yield the planned keys of each organization; raise InventoryError if one is there twice."""
    for index, organization in enumerate(organizations):
        path = ("organizations", index, "keys")
        entries = [
            key.at(file, line_of(document.lines, (*path, number)))
            for number, key in enumerate(organization.keys)
        ]
        refuse(list(repeated_entries(file, "key", entries, versionless_key_identity)))
        yield tuple(PlannedKey(**entry.model_dump()).at(*entry.location) for entry in entries)


def add_plan(organization: Organization, plan: Organization | None) -> Organization:
    """Add the contents of ``plan`` to what was recorded of ``organization``.

    Raises InventoryError if the organization already has one of the databases, or plans it
    differently.
    """
    if plan is None:
        return organization
    update: dict[str, Any] = {"databases": merge_planned_databases(organization, plan)}
    if organization.databases is None:
        update["gaps"] = (*organization.gaps, PLAN_ONLY)
    return organization.model_copy(update=update).with_managed(plan.managed)


def refuse_shared_addresses(plans: Sequence[RecordedFile]) -> None:
    """Raise InventoryError if two plans have one address, and no name distinguishes them.

    The path cannot distinguish them: it may be a different one tomorrow, and with it every
    finding's id.
    """
    if len(plans) == 1:
        return
    seen: dict[str, tuple[Source, int]] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for plan in plans:
        for entry in _addressed(plan):
            first, line = seen.setdefault(entry.resource, (plan.source, entry.line))
            if first is not plan.source:
                found = f"{describe(entry.resource)}, an address that {first.path}:{line} also has"
                expected = f"a name for one of the two plans, such as {OPTION}=prod={first.path}"
                problem = Problem(plan.source.path, entry.line, "", found, expected)
                problems.setdefault((first.path, plan.source.path), problem)
    refuse(list(problems.values()))


def _addressed(plan: RecordedFile) -> Iterator[Located]:
    for organization in plan.organizations:
        managed = organization.managed
        keys = (*managed.planned_keys, *managed.undetermined_keys)
        planned = (*(organization.databases or ()), *managed.undetermined, *keys)
        yield from (entry for entry in planned if entry.resource)


def _with_name(plan: RecordedFile, name: str) -> RecordedFile:
    """Return the plan with its name in front of each address, and of each provider's key."""
    organizations = tuple(_with_prefix(organization, name) for organization in plan.organizations)
    source = plan.source.model_copy(update={"name": name})
    providers = plan.providers.union(f"{name}#{provider}" for provider in plan.providers)
    return plan._replace(source=source, organizations=organizations, providers=providers)


def _with_prefix(organization: Organization, name: str) -> Organization:
    for entry in (*(organization.databases or ()), *organization.managed.entries()):
        entry.at(entry.file, entry.line, f"{name}#{entry.resource}")
    keys = tuple(_with_waiting_prefix(key, name) for key in organization.managed.planned_keys)
    managed = organization.managed.model_copy(update={"planned_keys": keys})
    return organization.with_managed(managed).at(*organization.location)


def _with_waiting_prefix(key: PlannedKey, name: str) -> PlannedKey:
    """Return the key with the name in front of each address that waits for it."""
    waiting = frozenset(f"{name}#{address}" for address in key.awaited_by)
    return key.model_copy(update={"awaited_by": waiting}).at(*key.location)
