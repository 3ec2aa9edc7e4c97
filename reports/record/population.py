"""What was audited: the organizations, their numbers, and what people attested about them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, cast

from checks.engine.context import day, utc
from checks.shared.comparisons import reconcile
from inventory.database_lines.database_list import count_kinds
from inventory.model.attestations import Attestation
from reports.aggregation.expected_databases import undetermined_databases
from reports.record.attested_statements import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from inventory.model.gaps import Gap, Reading
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization
    from inventory.model.sources import Evidence, Source
    from reports.model.population_summary import (
        AttestationEntry,
        BundleManifest,
        GapEntry,
        OrganizationEntry,
        PopulationSummary,
        ReadingEntry,
        ReconciliationEntry,
        SourceEntry,
        TerminatedEntry,
        Totals,
    )
    from reports.record.attested_statements import Statement


class Attested(NamedTuple):
    """What a person stated.

    Attributes:
        organization: the id of the organization.
        what: what it is about, in words.
        statement: the statement.
        key: the key id; empty if the statement is not about a key.
        database: the database's name; empty if the statement is not about a database.
    """

    organization: str
    what: str
    statement: Statement
    key: str = ""
    database: str = ""


class Population:
    """Adds organizations up, one by one.

    Attributes:
        names: each organization's name by its id, in the order of the inventory.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.names: dict[str, str] = {}
        self._rows: list[OrganizationEntry] = []
        self._attested: list[Attested] = []
        self._statements: dict[Statement, Statement] = {}

    def add(self, organization: Organization) -> None:
        """Count what ``organization`` holds, and keep what people attested about it."""
        self.names[organization.id] = organization.name
        self._rows.append(_row(organization))
        self._attested += map(self._sharing, _attested(organization))

    def merge(self, other: Population) -> None:
        """Add the organizations of ``other``, which come after these."""
        self.names |= other.names
        self._rows += other._rows
        self._attested += map(self._sharing, other._attested)

    def _sharing(self, attested: Attested) -> Attested:
        """Let equal statements be one: people state the same of most keys of a fleet."""
        statement = attested.statement
        return attested._replace(statement=self._statements.setdefault(statement, statement))

    def summary(self, sources: Sequence[Source]) -> PopulationSummary:
        """Return the sources, one row for each organization, and the totals."""
        return {
            "sources": list(map(describe_source, sources)),
            "organizations": self._rows,
            "totals": self._totals(),
        }

    def _totals(self) -> Totals:
        rows = self._rows
        return {
            "organizations": len(rows),
            "keys": sum(row["keys"] or 0 for row in rows),
            "planned_keys": sum(row["planned_keys"] for row in rows),
            "existing": sum(row["existing"] or 0 for row in rows),
            "planned": sum(row["planned"] or 0 for row in rows),
            "terminated": sum(row["terminated"] or 0 for row in rows),
        }

    def attestations(self, as_of: datetime) -> list[AttestationEntry]:
        """Return every attestation, and whether it counts at ``as_of``."""
        statements = {
            statement: _stated(statement, as_of) for statement in self._statements.values()
        }
        return [
            _attestation(
                attested, self.names[attested.organization], statements[attested.statement]
            )
            for attested in self._attested
        ]


# The next two take the fields as the models have them: a test compares these with the types.


def describe_source(source: Source) -> SourceEntry:
    """Return ``source`` as the record states it."""
    excluded = {"chain"} if source.chain is None else set()
    return cast("SourceEntry", source.model_dump(mode="json", exclude=excluded))


def describe_manifest(evidence: Evidence) -> BundleManifest:
    """Return how an evidence bundle was made, as the record states it."""
    return cast("BundleManifest", evidence.model_dump(mode="json"))


def _row(organization: Organization) -> OrganizationEntry:
    databases = organization.databases
    states: Counter[str] = Counter()
    for database, count in count_kinds(databases):
        states["terminated" if database.is_terminated else database.state] += count
    states["planned"] += len(undetermined_databases(organization))
    captured = organization.captured_at
    return {
        "id": organization.id,
        "name": organization.name,
        "owner": organization.owner or "",
        "captured_at": utc(captured) if captured else None,
        "keys": None if organization.keys is None else len(organization.keys),
        "planned_keys": organization.managed.planned_key_count,
        "existing": None if databases is None else states["existing"],
        "planned": None if databases is None else states["planned"],
        "terminated": None if databases is None else states["terminated"],
        "gaps": [_gap(gap) for gap in organization.missing()],
        "readings": [_reading(reading) for reading in organization.readings],
        "reconciliation": cast("list[ReconciliationEntry]", reconcile(organization)),
        "file": organization.file,
        "line": organization.line,
    }


def _gap(gap: Gap) -> GapEntry:
    return {"fact": gap.fact, "reason": gap.reason, "detail": gap.detail}


def _reading(reading: Reading) -> ReadingEntry:
    return {
        "fact": reading.fact,
        "address": reading.address,
        "requests": reading.requests,
        "answers": dict(sorted(reading.answers.items())),
        "entries": reading.entries,
        "sha256": reading.sha256,
        "passes": [{"entries": one.entries, "page_size": one.page_size} for one in reading.passes],
        "terminated": _terminated(reading),
        "note": reading.remarks,
    }


def _terminated(reading: Reading) -> TerminatedEntry | None:
    if (count := reading.terminated) is None:
        return None
    return {"entries": count.entries, "complete": count.complete}


def _attested(organization: Organization) -> Iterator[Attested]:
    for what, statement in (
        ("the plan", organization.plan),
        ("the databases", organization.no_databases),
        ("the preview for Serverless on Azure", organization.azure_preview),
    ):
        if statement:
            yield Attested(organization.id, what, statement)
    for key in organization.keys or ():
        yield from _attested_of_key(organization.id, key)
    for database, _ in count_kinds(organization.databases):
        if encryption := database.application_encryption:
            what = "application encryption"
            yield Attested(organization.id, what, encryption, database=database.name)
        for region in database.regions:
            if region.portal:
                what = f"what the portal showed of {region.name}"
                yield Attested(organization.id, what, region.portal, database=database.name)


def _attested_of_key(organization: str, key: CustomerKey) -> Iterator[Attested]:
    for what, statement in (
        ("when the key was registered", key.registered),
        ("rotation of the key", key.rotation),
        ("whether the key is usable", key.usable),
        ("what the portal showed of the key", key.portal),
        ("whether nobody else may use the key", key.exclusive),
    ):
        if statement:
            yield Attested(organization, what, statement, key.key_id)


class _Stated(NamedTuple):
    """A statement, as all of its entries show it."""

    words: str
    by: str
    on: str
    due: str | None
    is_current: bool


def _stated(statement: Statement, as_of: datetime) -> _Stated:
    return _Stated(
        in_words(statement),
        statement.by,
        statement.on.isoformat(),
        statement.last_day().isoformat() if isinstance(statement, Attestation) else None,
        _is_current(statement, as_of),
    )


def _attestation(attested: Attested, name: str, stated: _Stated) -> AttestationEntry:
    return {
        "organization": name,
        "organization_id": attested.organization,
        "key": attested.key,
        "database": attested.database,
        "what": attested.what,
        "statement": stated.words,
        "by": stated.by,
        "on": stated.on,
        "due": stated.due,
        "current": stated.is_current,
        "note": attested.statement.note,
    }


def _is_current(statement: Statement, as_of: datetime) -> bool:
    if isinstance(statement, Attestation):
        return statement.is_current(as_of)
    return statement.on <= day(as_of)
