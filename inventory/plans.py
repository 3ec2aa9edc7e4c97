"""Planned databases from YAML or JSON, the plan's own format: what somebody intends to deploy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import Field

from inventory.documents import read_document
from inventory.entries import Entry, FormatVersion, Identifier, Located
from inventory.errors import InventoryError, Problem
from inventory.merging import with_databases
from inventory.models import Database, Organization
from inventory.named_plans import OPTION
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
from inventory.sources import Source
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


def read_plan(
    file: str,
    terraform: Terraform = Terraform(),  # noqa: B008 (frozen)
    name: str = "",
) -> Recorded:
    """Read a plan, ours or Terraform's; raise InventoryError with all its problems at once.

    The keys and the existing databases of its organizations count as not recorded. A ``name`` is
    put in front of each address of Terraform's.
    """
    if (ending := FilePath(file).suffix.lower()) not in _ENDINGS:
        expected = "a plan in .yaml, .yml or .json, as 'terraform show -json' prints it"
        raise InventoryError([Problem(file, 0, "", f"the ending {describe(ending)}", expected)])
    raw = read_any_bytes(file)
    refuse_others(file, raw)
    document = read_document(file, raw)
    if is_terraform(document.data):
        plan = read_terraform(file, raw, document, terraform.of_plan(name))
        return _named(plan, name) if name else plan
    refuse_tokens(file, raw)
    if name:
        expected = "none: databases of such a plan go by their own names"
        raise InventoryError([Problem(file, 0, "", f"the name {describe(name)}", expected)])
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


def refuse_shared(plans: Sequence[Recorded]) -> None:
    """Raise InventoryError if an address stands in two plans, and neither is told by a name.

    Nothing tells their databases apart then, and a path must not: it may be another one tomorrow.
    """
    seen: dict[str, tuple[Source, int]] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for plan in plans:
        for entry in _addressed(plan):
            first, line = seen.setdefault(entry.resource, (plan.source, entry.line))
            if first is not plan.source:
                found = f"{describe(entry.resource)}, an address of {first.path}:{line}, too"
                expected = f"a name for one of the two plans, such as {OPTION}=prod={first.path}"
                problem = Problem(plan.source.path, entry.line, "", found, expected)
                problems.setdefault((first.path, plan.source.path), problem)
    refuse(list(problems.values()))


def _addressed(plan: Recorded) -> Iterator[Located]:
    for organization in plan.organizations:
        planned = (*(organization.databases or ()), *organization.managed.undetermined)
        yield from (entry for entry in planned if entry.resource)


def _named(plan: Recorded, name: str) -> Recorded:
    """Return the plan with its name in front of each address, and of each provider's key."""
    for organization in plan.organizations:
        managed = organization.managed
        entries = (*managed.undetermined, *managed.keys, *managed.databases)
        for entry in (*(organization.databases or ()), *entries):
            entry.at(entry.file, entry.line, f"{name}#{entry.resource}")
    source = plan.source.model_copy(update={"name": name})
    providers = plan.providers.union(f"{name}#{provider}" for provider in plan.providers)
    return plan._replace(source=source, providers=providers)
