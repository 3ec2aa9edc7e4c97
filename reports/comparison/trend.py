"""Earlier audits in numbers: what a record lists of them, so that its page can show a trend."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, cast

from checks.engine.card import SEVERITIES, Severity
from checks.engine.context import utc
from checks.engine.finding import STATUSES, Status
from inventory.evidence.manifest import Sha256
from inventory.model.base import Count, Moment
from inventory.system.hosts import strange_hosts
from reports.comparison.compared_head import SettingsPart
from reports.model.outcome import Outcome
from reports.model.trend import MOST_EARLIER
from reports.record.reader import RecordPart, checked, read_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from reports.model.protection import Protection
    from reports.model.trend import TrendEntry
    from reports.record.reader import Record


class _Protection(RecordPart):
    protected: Count
    unprotected: Count
    unproven: Count
    astra_provided: Count
    waived: Count


class _Numbers(RecordPart):
    report: Sha256
    protection: _Protection | None = None
    open: dict[Severity, Count]
    counts: dict[Status, Count]


class _Entry(_Numbers):
    as_of: Moment
    outcome: Outcome
    organizations: Count


class _Verdict(RecordPart):
    outcome: Outcome


class _Bundle(RecordPart):
    address: str
    cloud_addresses: tuple[str, ...] = ()


class _Source(RecordPart):
    evidence: _Bundle | None


class _Organization(RecordPart):
    id: str


class _Population(RecordPart):
    organizations: tuple[_Organization, ...]
    sources: tuple[_Source, ...]


class _Head(_Numbers):
    """The parts of a head that a trend needs; older records list no trend."""

    verdict: _Verdict
    settings: SettingsPart
    population: _Population
    trend: tuple[_Entry, ...] = ()


class AuditKind(NamedTuple):
    """What an audit is of; a trend is of audits that can be compared.

    Attributes:
        is_example: whether only bundled examples were audited.
        is_of_astra: whether no other host than Astra's, or a cloud's own, answered.
        organizations: the ids of its organizations.
    """

    is_example: bool
    is_of_astra: bool
    organizations: AbstractSet[str]

    def can_follow(self, earlier: AuditKind) -> bool:
        """Say whether this audit can continue the trend of ``earlier``.

        Without any organization of this audit, the other is of something else.
        """
        return (
            earlier.is_example == self.is_example
            and (earlier.is_of_astra or not self.is_of_astra)
            and not earlier.organizations.isdisjoint(self.organizations)
        )


class EarlierAudit(NamedTuple):
    """What a trend takes from the record of an audit.

    Attributes:
        path: where its head is.
        sha256: the hash of its head.
        kind: what it is of.
        entries: those that its record lists, and its own if it is of a whole audit.
    """

    path: str
    sha256: str
    kind: AuditKind
    entries: tuple[TrendEntry, ...]


def read_earlier(path: str | Path) -> EarlierAudit:
    """Read the audit at ``path``, a report folder or its head.

    Raises RecordError if it is no record, or not as it was written.
    """
    return earlier_audit(read_record(path))


def earlier_audit(record: Record) -> EarlierAudit:
    """Return what a trend takes from ``record``; raise RecordError if it is not that of an audit.

    The record passes on what it lists itself, so that a chain of baselines alone gives a trend.
    """
    head = checked(record.path, _Head, record.head)
    population = head.population
    evidence = [source.evidence for source in population.sources if source.evidence]
    listed = tuple(
        _entry(entry, entry.as_of, entry.outcome, entry.organizations) for entry in head.trend
    )
    count = len(population.organizations)
    own = _entry(head, head.settings.as_of, head.verdict.outcome, count)
    return EarlierAudit(
        path=record.path.as_posix(),
        sha256=record.sha256,
        kind=AuditKind(
            is_example=head.settings.example,
            is_of_astra=not strange_hosts(evidence),
            organizations=frozenset(organization.id for organization in population.organizations),
        ),
        entries=listed if head.settings.left_out else (*listed, own),
    )


def _entry(numbers: _Numbers, as_of: datetime, outcome: Outcome, organizations: int) -> TrendEntry:
    protection = numbers.protection
    return {
        "report": numbers.report,
        "as_of": utc(as_of),
        "outcome": outcome,
        "organizations": organizations,
        "protection": cast("Protection", protection.model_dump()) if protection else None,
        "open": {severity: numbers.open.get(severity, 0) for severity in SEVERITIES},
        "counts": {status: numbers.counts.get(status, 0) for status in STATUSES},
    }


def build_trend(
    audits: Iterable[EarlierAudit], as_of: datetime, kind: AuditKind
) -> list[TrendEntry]:
    """Return the latest audits before ``as_of`` that one of this ``kind`` continues, oldest first.

    An audit that several records list is listed once, in whatever order they are given.
    """
    entries = {
        (entry["as_of"], entry["report"]): entry
        for audit in audits
        if kind.can_follow(audit.kind)
        for entry in audit.entries
        if _time(entry) < as_of
    }
    in_order = sorted(entries.items(), key=lambda item: (_time(item[1]), item[0]))
    return [entry for _, entry in in_order[-MOST_EARLIER:]]


def _time(entry: TrendEntry) -> datetime:
    return datetime.fromisoformat(entry["as_of"])
