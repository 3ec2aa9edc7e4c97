"""What was audited: the organizations, their numbers, and what people attested about them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.engine.context import day, utc
from checks.shared.comparisons import reconcile
from inventory.model.attestations import Attestation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from inventory.model.attestations import RegistrationAttestation
    from inventory.model.gaps import Reading
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization
    from inventory.model.sources import Source

Attested = tuple[str, str, str, Any]


class Population:
    """Adds organizations up as they are met.

    Attributes:
        names: each organization's name by its id, in the order in which they were met.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.names: dict[str, str] = {}
        self._rows: list[dict[str, Any]] = []
        self._attested: list[Attested] = []

    def add(self, organization: Organization) -> None:
        """Count what ``organization`` holds, and keep what was attested about it."""
        self.names[organization.id] = organization.name
        self._rows.append(_row(organization))
        self._attested += _attested(organization)

    def summary(self, sources: Sequence[Source]) -> dict[str, Any]:
        """Return the sources, one row for each organization, and the totals."""
        totals: Counter[str] = Counter()
        for row in self._rows:
            totals.update({name: row[name] or 0 for name in _COUNTED})
        counted = {name: totals[name] for name in _COUNTED}
        return {
            "sources": [source.model_dump(mode="json") for source in sources],
            "organizations": self._rows,
            "totals": {"organizations": len(self._rows), **counted},
        }

    def attestations(self, as_of: datetime) -> list[dict[str, Any]]:
        """Return every attestation, and whether it counts at ``as_of``."""
        return [_statement(each, as_of) for each in self._attested]


_STATES = ("existing", "planned", "terminated")
_COUNTED = ("keys", "planned_keys", *_STATES)


def _row(organization: Organization) -> dict[str, Any]:
    databases = organization.databases
    states: Counter[str] = Counter(
        [each.state for each in databases or () if not each.is_terminated]
    )
    states["terminated"] = len(databases or ()) - states.total()
    told = {database.resource for database in databases or ()}
    managed = organization.managed
    states["planned"] += sum(each.resource not in told for each in managed.undetermined)
    captured = organization.captured_at
    return {
        "id": organization.id,
        "name": organization.name,
        "captured_at": utc(captured) if captured else None,
        "keys": None if organization.keys is None else len(organization.keys),
        "planned_keys": managed.planned_key_count,
        **{state: None if databases is None else states[state] for state in _STATES},
        "gaps": [gap.model_dump() for gap in organization.missing()],
        "readings": [_reading(reading) for reading in organization.readings],
        "reconciliation": reconcile(organization),
        "file": organization.file,
        "line": organization.line,
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {**reading.model_dump(), "answers": dict(sorted(reading.answers.items()))}


def _attested(organization: Organization) -> Iterator[Attested]:
    name = organization.name
    if organization.plan:
        yield name, "", "the plan", organization.plan
    if organization.no_databases:
        yield name, "", "the databases", organization.no_databases
    if organization.azure_preview:
        yield name, "", "the preview for Serverless on Azure", organization.azure_preview
    for key in organization.keys or ():
        yield from _of_key(name, key)
    for database in organization.databases or ():
        if database.application_encryption:
            what = f"application encryption of {database.name}"
            yield name, "", what, database.application_encryption


def _of_key(name: str, key: CustomerKey) -> Iterator[Attested]:
    for what, statement in (
        ("when it was registered", key.registered),
        ("its rotation", key.rotation),
        ("that it is usable", key.usable),
    ):
        if statement:
            yield name, key.key_id, what, statement


def _statement(attested: Attested, as_of: datetime) -> dict[str, Any]:
    name, key, what, statement = attested
    return {
        "organization": name,
        "key": key,
        "what": what,
        "statement": _says(statement),
        "by": statement.by,
        "on": statement.on.isoformat(),
        "due": statement.last_day().isoformat() if isinstance(statement, Attestation) else None,
        "current": _counts(statement, as_of),
        "note": statement.note,
    }


def _counts(statement: Attestation | RegistrationAttestation, as_of: datetime) -> bool:
    if isinstance(statement, Attestation):
        return statement.is_current(as_of)
    return statement.on <= day(as_of)


def _says(statement: Attestation | RegistrationAttestation) -> str:
    told = statement.model_dump(mode="json", exclude={"by", "on", "due", "note"})
    words = (f"{name}: {value}" for name, value in told.items() if value is not None)
    return ", ".join(words) or "none"
