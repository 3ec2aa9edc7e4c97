"""Planned databases from YAML or JSON, the plan's own format: what somebody intends to deploy."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from inventory.documents import read_document
from inventory.entries import Entry, Identifier, Located
from inventory.errors import InventoryError, Problem
from inventory.gaps import Gap
from inventory.merging import with_databases
from inventory.models import Database, Organization
from inventory.recorded import (
    Recorded,
    describe_source,
    format_of,
    parse_document,
    place,
    read_bytes,
    refuse,
    twins,
)

_PLAN_ONLY = Gap(
    fact="databases",
    reason="not-recorded",
    detail="the organization stands in a plan only; its existing databases were not recorded",
)


class PlannedDatabase(Database):
    """A database of a plan; its ``state`` is ``planned`` without having to say so."""

    state: Literal["planned"] = "planned"


class PlannedOrganization(Located):
    """An organization of a plan, named by its id."""

    id: Identifier
    databases: Annotated[tuple[PlannedDatabase, ...], Field(min_length=1)]


class PlanDocument(Entry):
    """A whole plan file."""

    format: Annotated[Literal[1], Field(alias="cmek-plan")]
    description: str | None = None
    organizations: Annotated[tuple[PlannedOrganization, ...], Field(min_length=1)]


def read_plan(file: str) -> Recorded:
    """Read a plan; raise InventoryError with all its problems at once.

    The keys and the existing databases of its organizations count as not recorded.
    """
    if format_of(file) == "ndjson":
        expected = "a plan in YAML or JSON"
        raise InventoryError([Problem(file, 0, "", "the ending '.ndjson'", expected)])
    raw = read_bytes(file)
    document = read_document(file, raw)
    parsed = parse_document(PlanDocument, file, document)
    organizations = tuple(place(file, document.lines, map(_organization, parsed.organizations)))
    refuse(list(twins(file, organizations)))
    source = describe_source(file, raw, "plan", organizations)
    return Recorded(source, organizations)


def _organization(planned: PlannedOrganization) -> Organization:
    databases: tuple[Database, ...] = planned.databases
    return Organization(id=planned.id, name=planned.id, databases=databases, gaps=(_PLAN_ONLY,))


def with_plan(organization: Organization, plan: Organization | None) -> Organization:
    """Add the planned databases of ``plan`` to what was recorded of ``organization``.

    Raises InventoryError if the organization has one of them already, or plans it otherwise.
    """
    if plan is None:
        return organization
    update: dict[str, Any] = {"databases": with_databases(organization, plan)}
    if organization.databases is None:
        update["gaps"] = (*organization.gaps, _PLAN_ONLY)
    return organization.model_copy(update=update)
