"""Planned databases from YAML or JSON, the plan's own format: what somebody intends to deploy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import Field

from inventory.documents import read_document
from inventory.entries import Entry, FormatVersion, Identifier, Located
from inventory.errors import InventoryError, Problem
from inventory.merging import with_databases
from inventory.models import Database, Organization
from inventory.recorded import (
    Recorded,
    describe_source,
    parse_document,
    place,
    read_any_bytes,
    refuse,
    refuse_tokens,
    twins,
)
from inventory.terraform import PLAN_ONLY, is_terraform, read_terraform, refuse_others
from inventory.terraform_organizations import Terraform
from inventory.wording import describe

_ENDINGS = frozenset({".yaml", ".yml", ".json"})


class PlannedDatabase(Database):
    """A database of a plan; its ``state`` is ``planned`` without having to say so."""

    state: Literal["planned"] = "planned"


class PlannedOrganization(Located):
    """An organization of a plan, named by its id."""

    id: Identifier
    databases: Annotated[tuple[PlannedDatabase, ...], Field(min_length=1)]


class PlanDocument(Entry):
    """A whole plan file."""

    format: Annotated[FormatVersion, Field(alias="cmek-plan")]
    description: str | None = None
    organizations: Annotated[tuple[PlannedOrganization, ...], Field(min_length=1)]


def read_plan(file: str, terraform: Terraform = Terraform()) -> Recorded:  # noqa: B008 (frozen)
    """Read a plan, ours or Terraform's; raise InventoryError with all its problems at once.

    The keys and the existing databases of its organizations count as not recorded.
    """
    if (ending := FilePath(file).suffix.lower()) not in _ENDINGS:
        expected = "a plan in .yaml, .yml or .json, as 'terraform show -json' prints it"
        raise InventoryError([Problem(file, 0, "", f"the ending {describe(ending)}", expected)])
    raw = read_any_bytes(file)
    refuse_others(file, raw)
    document = read_document(file, raw)
    if is_terraform(document.data):
        return read_terraform(file, raw, document, terraform)
    refuse_tokens(file, raw)
    parsed = parse_document(PlanDocument, file, document)
    organizations = tuple(place(file, document.lines, map(_organization, parsed.organizations)))
    refuse(list(twins(file, organizations)))
    source = describe_source(file, raw, "plan", organizations)
    return Recorded(source, organizations)


def _organization(planned: PlannedOrganization) -> Organization:
    databases: tuple[Database, ...] = planned.databases
    return Organization(id=planned.id, name=planned.id, databases=databases, gaps=(PLAN_ONLY,))


def with_plan(organization: Organization, plan: Organization | None) -> Organization:
    """Add what ``plan`` tells to what was recorded of ``organization``.

    Raises InventoryError if the organization has one of its databases already, or plans it
    otherwise.
    """
    if plan is None:
        return organization
    update: dict[str, Any] = {"databases": with_databases(organization, plan)}
    if organization.databases is None:
        update["gaps"] = (*organization.gaps, PLAN_ONLY)
    return organization.model_copy(update=update).with_managed(plan.managed)


def told_apart(plans: Sequence[Recorded]) -> Iterator[Recorded]:
    """Tell databases of one address in several plans apart, by the path of their plan."""
    seen: dict[str, set[str]] = defaultdict(set)
    for plan in plans:
        for _, address in _addressed(plan):
            seen[address].add(plan.source.path)
    for plan in plans:
        for entry, address in _addressed(plan):
            if len(seen[address]) > 1:
                entry.at(entry.file, entry.line, f"{plan.source.path}#{address}")
        yield plan


def _addressed(plan: Recorded) -> Iterator[tuple[Located, str]]:
    for organization in plan.organizations:
        planned = (*(organization.databases or ()), *organization.managed.undetermined)
        yield from ((each, each.resource) for each in planned if each.resource)
