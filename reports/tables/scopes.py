"""The table of key scopes: the coverage of each, by the worst finding about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from reports.presentation.labels import CELL, NO_DATABASE, NOT_KNOWN
from reports.tables.cells import FindingCell, joined, shown
from reports.tables.columns import MIDDLE, NARROW, WIDE, WIDEST, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reports.model.head import Head
    from reports.model.key_plan import CoverageCell, CoverageRow, Reason


class ScopeRow(NamedTuple):
    """A key scope, or an organization as a whole.

    Attributes:
        organization: the organization with its numbers.
        cell: the key scope; None for the organization as a whole.
        is_partial: whether the audit left some rules or groups out.
    """

    organization: CoverageRow
    cell: CoverageCell | None
    is_partial: bool

    @property
    def fields(self) -> Mapping[str, object]:
        """Return the fields of the key scope."""
        return self.cell or {}

    @property
    def reason(self) -> Reason | None:
        """Return the worst finding; None if nothing of the organization is open or waived."""
        return self.cell or self.organization["worst"]

    @property
    def state(self) -> str:
        """Return the state of the key scope.

        That of an organization which has none is not known if not all of it was read and judged.
        """
        if self.cell:
            return self.cell["state"]
        return NO_DATABASE if self.is_complete else NOT_KNOWN

    @property
    def is_complete(self) -> bool:
        """Return whether all of the organization was read and judged."""
        return self.organization["complete"] and not self.is_partial


def _read(head: Head, _lines: Iterable[bytes], _population: Iterable[bytes]) -> Iterator[ScopeRow]:
    is_partial = bool(head["settings"]["left_out"])
    for organization in head["coverage"]:
        for cell in organization["cells"]:
            yield ScopeRow(organization, cell, is_partial)
        whole = ScopeRow(organization, None, is_partial)
        if not (organization["cells"] and whole.is_complete):
            yield whole


def _field(name: str, meaning: str, width: int = NARROW) -> Column[ScopeRow]:
    """Return the column of a field of the key scope."""
    return Column(name, meaning, lambda row: shown(row.fields.get(name)), width)


def _reason(name: str, meaning: str, width: int = NARROW) -> Column[ScopeRow]:
    """Return the column of a field of the worst finding."""
    return Column(
        name, meaning, lambda row: shown(row.reason.get(name)) if row.reason else None, width
    )


def _finding(row: ScopeRow) -> FindingCell | None:
    if row.reason is None:
        return None
    return FindingCell(
        row.reason["finding"], row.organization["organization"], row.reason["status"]
    )


def _meaning(row: ScopeRow) -> str | None:
    label = CELL.get(row.state)
    return label.meaning if label else None


SCOPES = Table(
    "scopes",
    "Scopes",
    "a key scope; an organization without any, or of which not all was read and judged, has a row "
    "of its own without a region",
    (
        Column("organization", "the organization’s name", lambda row: row.organization["name"]),
        Column(
            "organization_id",
            "the organization’s id",
            lambda row: row.organization["organization"],
        ),
        _field("type", "the database type", MIDDLE),
        _field("provider", "the cloud provider"),
        _field("region", "the region", MIDDLE),
        Column(
            "state",
            f"how it is covered: {', '.join(f'`{state}`' for state in CELL)}; only `covered` says "
            "that its databases are encrypted by its key",
            lambda row: row.state,
        ),
        Column("state_meaning", "the meaning of `state`", _meaning, WIDE),
        Column(
            "complete",
            "`no` if not all of the organization was read and judged",
            lambda row: shown(row.is_complete),
            NARROW,
        ),
        _field("databases", "how many databases are there, existing and planned"),
        _field("existing", "how many of them exist already"),
        _field("protected", "how many are proven to be encrypted by the key"),
        _field("unprotected", "how many existing ones are not: the key is missing, late or unused"),
        _field("keys", "how many keys are registered"),
        Column(
            "planned_keys",
            "what a plan does with keys",
            lambda row: joined(cast("list[str]", row.fields.get("planned_keys", []))),
        ),
        _field("advisories", "how many advisories are open"),
        _reason("status", "of the worst finding"),
        _reason("severity", "of the worst finding"),
        _reason("rule", "of the worst finding"),
        _reason("message", "what the worst finding says", WIDEST),
        Column("finding", "the id of the worst finding", _finding),
    ),
    _read,
    frozen=2,
)
