"""An earlier audit, read back as the baseline with which a later one is compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.context import KnownOrganization, utc
from checks.shared.missing import ORGANIZATION_MISSING, missing_database
from inventory.errors import RecordError
from inventory.history import Observation
from inventory.model.key import KeyScope
from reports.comparison.compared_head import ChangesPart, ComparedHead, KnownPart
from reports.comparison.key_changes import DATABASES, KEYS, Seen
from reports.comparison.trend import earlier_audit
from reports.presentation.banners import banners
from reports.record.decoding import decode_finding
from reports.record.reader import checked, read_record, relying_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from checks.engine.finding import Finding
    from inventory.model.base import SourceLocation
    from reports.comparison.trend import EarlierAudit
    from reports.record.reader import Record

Key = tuple[str, str, str]
"""Rule, subject and cause of a finding: that of which its id is the hash."""

_NOTHING: Mapping[str, KnownOrganization] = {}
"""A plain dict that nobody writes to: a read-only view could not be sent to another process."""

_COMPLYING = (b'{"status":"pass"', b'{"status":"not-applicable"')
_OF_POPULATION = tuple(f'"rule":"{rule}"'.encode() for rule in (KEYS, DATABASES))


class AuditReference(NamedTuple):
    """One of the two audits of a comparison.

    Attributes:
        path: where its head is.
        report: its report id.
        as_of: its time of judgement.
        sha256: the hash of its head.
        rules: the hash of its rules.
        is_example: whether only bundled examples were audited.
        banners: what every report of it says in large letters.
    """

    path: str
    report: str
    as_of: datetime
    sha256: str
    rules: str
    is_example: bool
    banners: tuple[str, ...] = ()


class Baseline(NamedTuple):
    """What is kept of an earlier audit: little of what passed, all of what did not.

    Attributes:
        about: which audit it is.
        kept: its findings that are open or waived, by rule, subject and cause.
        seen: its organizations and keys.
        databases: the names of its existing databases by their ids, by organization; with those
            that it missed already.
        missing: the organizations that it missed already.
        closed: the ids of findings that had been open before it, and were not in it.
        closed_left_out: how many such ids were forgotten, as they were too many.
        known: what audits before it knew and it did not see, by organization.
        viewed: the organizations of which it compared the views of single regions.
        earlier: what a trend takes from it; None if it was not read from a record.
    """

    about: AuditReference
    kept: dict[Key, Finding]
    seen: Seen
    databases: dict[str, dict[str, str]]
    missing: frozenset[str] = frozenset()
    closed: tuple[str, ...] = ()
    closed_left_out: int = 0
    known: Mapping[str, KnownOrganization] = _NOTHING
    viewed: frozenset[str] = frozenset()
    earlier: EarlierAudit | None = None

    def organizations(self) -> dict[str, KnownOrganization]:
        """Return what it knows of each organization, by its id."""
        carried = {identity: known.name for identity, known in self.known.items()}
        names = {**{identity: identity for identity in self.missing}, **carried, **self.seen.names}
        keys = self._keys()
        return {
            identity: KnownOrganization(
                name=name,
                location=self._location,
                databases=self._databases(identity),
                keys=keys.get(identity, {}),
                captured_at=self.seen.captured.get(identity),
                has_views=identity in self.viewed,
            )
            for identity, name in names.items()
        }

    @property
    def _location(self) -> SourceLocation:
        return self.about.path, 1

    def _databases(self, identity: str) -> dict[str, str]:
        carried = self.known[identity].databases if identity in self.known else {}
        return {**self.databases.get(identity, {}), **carried}

    def _keys(self) -> dict[str, dict[KeyScope, tuple[Observation, ...]]]:
        """Return what was seen of each key scope: before this audit, and by it."""
        carried = {
            scope: seen for known in self.known.values() for scope, seen in known.keys.items()
        }
        keys: dict[str, dict[KeyScope, tuple[Observation, ...]]] = {}
        for scope in carried.keys() | self.seen.keys.keys():
            if seen := (*carried.get(scope, ()), *self._observed(scope)):
                in_order = tuple(sorted(seen, key=lambda observation: observation.at))
                keys.setdefault(scope.organization, {})[scope] = in_order
        return keys

    def _observed(self, scope: KeyScope) -> Iterator[Observation]:
        """Yield what this audit itself shows of ``scope``, if it read it and is dated."""
        at, ids = self.seen.captured.get(scope.organization), self.seen.keys.get(scope, {})
        if at is not None and (ids or self.seen.knows_all(scope)):
            yield Observation(at, tuple(sorted(ids.values())), *self._location[:2])


def key_of(finding: Finding) -> Key:
    """Return what identifies ``finding`` in every audit."""
    return finding.rule, finding.subject.path, finding.cause


def read_baseline(path: str | Path) -> Baseline:
    """Read the audit at ``path``, a report folder or its head.

    Raises RecordError if it is no whole record of a whole audit, as it was written.
    """
    record = read_record(path)
    head = _head(record)
    changes = head.changes or ChangesPart(closed=(), closed_left_out=0, known=())
    about = _about(record, head)
    baseline = build_baseline(about, _seen(head), _findings(record, everything=False))
    known = {entry.organization: _known(entry, (about.path, 1)) for entry in changes.known}
    return baseline._replace(
        closed=changes.closed,
        closed_left_out=changes.closed_left_out,
        known=known,
        viewed=_viewed(head),
        earlier=earlier_audit(record),
    )


def _viewed(head: ComparedHead) -> frozenset[str]:
    """Return the organizations that were recorded with the views of single regions."""
    return frozenset(
        organization.id
        for organization in head.population.organizations
        if any(comparison.what == "region-views" for comparison in organization.reconciliation)
    )


def _known(known: KnownPart, location: SourceLocation) -> KnownOrganization:
    """Return what the record carries along of an organization."""
    keys: dict[KeyScope, tuple[Observation, ...]] = {}
    for key in known.keys:
        scope = KeyScope(known.organization, key.type, key.provider, key.region)
        seen = Observation(key.at, key.key_ids, *location[:2])
        keys[scope] = (*keys.get(scope, ()), seen)
    databases = {database.id: database.name for database in known.databases}
    return KnownOrganization(known.name, location, databases, keys)


def build_baseline(about: AuditReference, seen: Seen, findings: Iterable[Finding]) -> Baseline:
    """Keep what a later audit is compared with: what did not pass, and what was seen."""
    kept: dict[Key, Finding] = {}
    databases: dict[str, dict[str, str]] = {}
    missing: set[str] = set()
    for finding in findings:
        seen.add(finding)
        owner = finding.subject.organization
        if finding.rule == DATABASES and finding.existing:
            databases.setdefault(owner, {})[finding.subject.database] = finding.name
        if finding.status not in {"pass", "not-applicable"}:
            kept.setdefault(key_of(finding), finding._replace(reason="", action=""))
            if lost := missing_database(finding):
                databases.setdefault(owner, {}).setdefault(lost, lost)
            elif finding.cause == ORGANIZATION_MISSING:
                missing.add(owner)
    return Baseline(about, kept, seen, databases, frozenset(missing))


class Later(NamedTuple):
    """A later audit that is read back, to be compared with a baseline.

    Attributes:
        about: which audit it is.
        seen: its organizations; their keys come with the findings.
        record: the record that holds its findings.
    """

    about: AuditReference
    seen: Seen
    record: Record

    def findings(self) -> Iterator[Finding]:
        """Yield every finding, without its evidence."""
        return _findings(self.record, everything=True)


def read_later(path: str | Path) -> Later:
    """Read the audit at ``path`` as the later one of two; raise RecordError as above."""
    record = read_record(path)
    head = _head(record)
    return Later(_about(record, head), _seen(head), record)


def refuse_unfit(old: AuditReference, as_of: datetime, *, is_example: bool) -> None:
    """Raise RecordError if an audit of the time ``as_of`` cannot be compared with ``old``."""
    refuse_unlike(old, is_example=is_example)
    if old.as_of >= as_of:
        found = f"an audit as of {utc(old.as_of)}"
        raise RecordError(f"{old.path}: found {found}, expected one of a time before {utc(as_of)}")


def refuse_unlike(old: AuditReference, *, is_example: bool) -> None:
    """Raise RecordError if only one of two audits is of a bundled example."""
    if old.is_example != is_example:
        kinds = {True: "of a bundled example", False: "of recorded or live organizations"}
        found, expected = kinds[old.is_example], kinds[is_example]
        raise RecordError(f"{old.path}: found an audit {found}, expected one {expected}, as this")


def _head(record: Record) -> ComparedHead:
    head = checked(record.path, ComparedHead, record.head)
    if head.settings.left_out:
        found = f"a partial run ({head.settings.left_out})"
        raise RecordError(f"{record.path}: found {found}, expected a whole audit")
    return head


def _about(record: Record, head: ComparedHead) -> AuditReference:
    settings = head.settings
    with relying_on(record):
        limits = tuple(banners(record.head))
    return AuditReference(
        path=record.path.as_posix(),
        report=head.report,
        as_of=settings.as_of,
        sha256=record.sha256,
        rules=head.criteria.hash,
        is_example=settings.example,
        banners=limits,
    )


def _seen(head: ComparedHead) -> Seen:
    seen = Seen()
    for organization in head.population.organizations:
        seen.add_organization(
            organization.id,
            organization.name,
            (gap.fact for gap in organization.gaps),
            organization.captured_at,
        )
    return seen


def _findings(record: Record, *, everything: bool) -> Iterator[Finding]:
    """Yield the findings; if not ``everything``, only open ones and those of keys and databases."""
    for number, line in enumerate(record.lines(), 1):
        begin = line[:64]
        is_open = not line.startswith(_COMPLYING)
        if everything or is_open or any(rule in begin for rule in _OF_POPULATION):
            yield decode_finding(line, f"{record.findings}:{number}")
