"""What a comparison needs of the head of an audit; what is not named here is not read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from inventory.evidence.manifest import Sha256
from inventory.model.base import Count, Moment
from inventory.model.vocabulary import DatabaseType, Provider
from reports.record.reader import RecordPart

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")]


class GapPart(RecordPart):
    """A fact that could not be read."""

    fact: str


class ComparisonPart(RecordPart):
    """What was counted by several routes."""

    what: str


class OrganizationPart(RecordPart):
    """An organization of an audit."""

    id: str
    name: str
    captured_at: Moment | None
    gaps: tuple[GapPart, ...]
    reconciliation: tuple[ComparisonPart, ...]


class PopulationPart(RecordPart):
    """The organizations of an audit."""

    organizations: tuple[OrganizationPart, ...]


class SettingsPart(RecordPart):
    """How an audit was made."""

    as_of: Moment
    example: StrictBool
    left_out: str


class CriteriaPart(RecordPart):
    """By what an audit judged."""

    hash: Sha256


class KnownDatabasePart(RecordPart):
    """A database that an earlier audit knew."""

    id: str
    name: str


class KnownKeysPart(RecordPart):
    """The keys that an earlier record showed of a key scope."""

    type: DatabaseType
    provider: Provider
    region: str
    at: Moment
    key_ids: tuple[str, ...]


class KnownPart(RecordPart):
    """What earlier audits knew of an organization, and the baseline did not see."""

    organization: str
    name: str
    missing: StrictBool
    databases: tuple[KnownDatabasePart, ...]
    keys: tuple[KnownKeysPart, ...]


class ChangesPart(RecordPart):
    """What the baseline carries over."""

    closed: tuple[_Id, ...]
    closed_left_out: Count
    known: tuple[KnownPart, ...]


class ComparedHead(RecordPart):
    """The parts of a head that a comparison needs."""

    report: Sha256
    settings: SettingsPart
    criteria: CriteriaPart
    population: PopulationPart
    changes: ChangesPart | None
