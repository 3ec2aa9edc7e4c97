"""A finding as the record holds it: one line of ``findings.ndjson``."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from checks.engine.card import Severity
from checks.engine.finding import Change, EvidenceKind, Kind, Status
from inventory.model.base import SourceLocation
from inventory.model.vocabulary import DatabaseType, Provider


class SubjectRecord(TypedDict):
    """What a finding is about; ``path`` is its identity, under which a waiver names it."""

    kind: Kind
    path: str
    organization: str
    type: NotRequired[DatabaseType]
    provider: NotRequired[Provider]
    region: NotRequired[str]
    database: NotRequired[str]
    key: NotRequired[str]


class FindingRecord(TypedDict):
    """A finding; its fields are those of ``checks.engine.finding.Finding``, empty ones left out.

    JSON has no tuples: each location in ``evidence`` is a list there. ``rests_on`` is the kind of
    evidence of each pass; records of earlier versions do not have it.
    """

    status: Status
    rule: str
    id: str
    severity: Severity
    subject: SubjectRecord
    cause: NotRequired[str]
    name: NotRequired[str]
    message: str
    rests_on: NotRequired[EvidenceKind]
    reason: NotRequired[str]
    action: NotRequired[str]
    action_id: NotRequired[str]
    waiver: NotRequired[str]
    change: NotRequired[Change]
    since: NotRequired[str]
    audits: NotRequired[int]
    databases: NotRequired[int]
    existing: NotRequired[int]
    evidence: list[SourceLocation]
