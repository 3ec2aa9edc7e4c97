"""What verifying a report needs of its head; what is not named here is compared and not read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from checks.engine.context import MOST_ROTATION_DAYS
from inventory.evidence.manifest import Sha256
from inventory.model.base import Count, Moment, WholeNumber
from inventory.model.sources import FileFormat, Role
from reports.record.reader import FindingsFile, PopulationFile, RecordPart


class NamedFile(RecordPart):
    """A file that an audit read, with the hash that it had."""

    path: str
    sha256: Sha256


class BundleEvidence(RecordPart):
    """What the record says of an evidence bundle: its root, its server, and its times (UTC)."""

    root: Sha256
    address: str
    started: Moment
    ended: Moment


class RecordedChain(RecordPart):
    """Bundles in a row, of which the sources list the first and the last."""

    first: str
    records: Annotated[WholeNumber, Field(ge=1, le=10**7)]
    sha256: Sha256


class RecordedSource(NamedFile):
    """A source of facts; ``size`` in bytes, of a bundle that of its inventory."""

    role: Role
    format: FileFormat
    name: str
    size: Count
    evidence: BundleEvidence | None
    chain: RecordedChain | None = None


class _Population(RecordPart):
    sources: tuple[RecordedSource, ...]


class RecordedSettings(RecordPart):
    """How the audit was made."""

    as_of: Moment
    max_age_seconds: Annotated[WholeNumber, Field(ge=0, le=10**10)]
    kms: str
    rotation_days: Annotated[WholeNumber, Field(ge=1, le=MOST_ROTATION_DAYS)] | None = None
    fail_on: str
    allow_inconclusive: StrictBool
    grouping: str
    mode: Literal["live", "recorded"]
    example: StrictBool
    default_example: StrictBool
    left_out: str
    no_waivers: StrictBool
    waiver_files: tuple[NamedFile, ...]
    controls_file: NamedFile | None
    frameworks: tuple[str, ...]
    fail_on_new: StrictBool
    baseline_file: NamedFile | None
    history_files: tuple[NamedFile, ...] = ()
    terraform_organizations: tuple[str, ...]
    terraform_source: str | None
    terraform_files: tuple[NamedFile, ...]


class _Verdict(RecordPart):
    outcome: str


class _Criteria(RecordPart):
    hash: Sha256


class _Tool(RecordPart):
    version: str


class RecordedHead(RecordPart):
    """The parts of a head that verifying needs."""

    report: Sha256
    tool: _Tool
    verdict: _Verdict
    settings: RecordedSettings
    population: _Population
    criteria: _Criteria
    findings: FindingsFile
    population_file: PopulationFile

    @property
    def bundles(self) -> tuple[RecordedSource, ...]:
        """Return the evidence bundles that were audited as the present."""
        sources = self.population.sources
        return tuple(source for source in sources if source.role == "inventory" and source.evidence)
