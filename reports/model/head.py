"""The head of the record, ``audit.json``.

Each field is described in ``reports/record/schemas/audit.schema.json``, which a test compares with
these types field for field.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from checks.engine.actions import Purpose, Who
from checks.engine.card import Basis, Need, Severity
from checks.engine.finding import EvidenceKind, Status
from checks.engine.grouping import Mode
from checks.engine.waivers import State
from reports.model.changes import ChangesSummary
from reports.model.key_plan import CoverageRow, KeyPlan
from reports.model.outcome import Outcome
from reports.model.population_summary import AttestationEntry, BundleEntry, PopulationSummary
from reports.model.protection import Protection
from reports.model.trend import TrendEntry

StatusCounts = dict[Status, int]
"""How many findings there are of each status, all of them named."""


class Verdict(TypedDict):
    """What the audit found, as a code and in words."""

    outcome: Outcome
    text: str
    exit_code: int


class Tool(TypedDict):
    """What wrote the record."""

    name: str
    version: str


class NamedFile(TypedDict):
    """A file that was read, by its path as it was given."""

    path: str
    sha256: str


class SettingsEntry(TypedDict):
    """How the audit was made; ``max_age_seconds`` is how old the newest fact may be.

    ``kms`` is ``recorded``, ``none``, ``auto`` or the clouds that were asked, as in ``aws,gcp``.
    ``rotation_days`` is how many days may be between two rotations of a key; None if it is enough
    that keys rotate.
    """

    as_of: str
    max_age_seconds: int
    kms: str
    rotation_days: int | None
    fail_on: Severity
    allow_inconclusive: bool
    grouping: Mode
    mode: Literal["live", "recorded"]
    example: bool
    default_example: bool
    left_out: str
    no_waivers: bool
    waiver_files: list[NamedFile]
    controls_file: NamedFile | None
    frameworks: list[str]
    fail_on_new: bool
    baseline_file: NamedFile | None
    history_files: list[NamedFile]
    terraform_organizations: list[str]
    terraform_source: str | None
    terraform_files: list[NamedFile]


class CauseEntry(TypedDict):
    """A cause of a failure, by its code with what it concerns."""

    cause: str
    meaning: str


class QuoteEntry(TypedDict):
    """A sentence of the vendor's documentation on which a rule rests."""

    sentence: str
    page: str
    heading: str


class ControlEntry(TypedDict):
    """A control to which a rule gives evidence."""

    framework: str
    id: str
    strength: Literal["direct", "supporting", "context"]


class ControlInWords(TypedDict):
    """A control in words; a text is empty if the file of controls does not say."""

    id: str
    title: str
    not_shown: str


class FrameworkEntry(TypedDict):
    """A framework, its controls to which rules give evidence, and what that evidence leaves open.

    A text is empty if the file of controls does not say.
    """

    name: str
    not_shown: str
    controls: list[ControlInWords]


class RuleEntry(TypedDict):
    """A rule's card, its controls, and how many findings it has."""

    id: str
    check: str
    title: str
    basis: Basis
    severity: Severity
    severity_planned: Severity | None
    subject: str
    needs: list[Need]
    causes: list[CauseEntry]
    rationale: str
    quotes: list[QuoteEntry]
    remediation: str
    no_subject: str
    controls: list[ControlEntry]
    counts: StatusCounts


class Criteria(TypedDict):
    """By what was judged."""

    hash: str
    rules: list[RuleEntry]
    frameworks: list[FrameworkEntry]


class ActionEntry(TypedDict):
    """The findings for which one step is: it closes those that fail, and lets others be judged.

    Actions of one code, purpose and organization are a group: ``group_databases`` counts the
    different databases that they concern together.
    """

    id: str
    text: str
    purpose: Purpose
    who: Who
    steps: list[str]
    organization: str
    name: str
    severity: Severity
    resolves: int
    databases: int
    group_databases: int
    names: list[str]
    statuses: dict[Status, int]
    rules: list[str]
    findings: list[str]


class NotEvaluatedEntry(TypedDict):
    """How many findings of one rule and organization could not be judged for one reason."""

    status: Status
    rule: str
    organization: str
    reason: str
    count: int


class WaiverEntry(TypedDict):
    """A waiver, where it was read, and what became of it."""

    id: str
    rule: str
    subject: str
    cause: str
    reason: str
    requested_by: str
    approved_by: str | None
    requested_on: str
    approved_on: str | None
    expires_on: str
    compensating_control: str
    ticket: str
    state: State
    file: str
    line: int


class PartEntry(TypedDict):
    """How many rest on attestations alone, and of how many."""

    attested: int
    total: int


class AttestedShare(TypedDict):
    """How much of what passes rests on attestations alone, and on how many people's.

    The databases are those that exist and were deployed after their key.
    """

    databases: PartEntry
    passes: dict[str, PartEntry]
    people: int


class EvidenceKinds(TypedDict):
    """On which kinds of evidence the audit rests.

    Attributes:
        passes: how many passes rest on each kind.
        databases: how many of the protected databases do, by their order of key and database; each
            by the weakest of its regions.
    """

    passes: dict[EvidenceKind, int]
    databases: dict[EvidenceKind, int]


class LinesFile(TypedDict):
    """A file of lines beside the head: its hash, its size in bytes, and how many lines it holds."""

    file: str
    sha256: str
    bytes: int
    count: int


class SettingSource(TypedDict):
    """An option that a variable or a file gave, not the command line."""

    option: str
    value: str | bool | list[str]
    source: str


class Provenance(TypedDict):
    """Who ran the audit, and with what. Older audits state no settings."""

    actor: str
    trigger: str
    link: str
    command: list[str]
    exit_code: int
    python: str
    platform: str
    packages: dict[str, str]
    commit: str
    dirty: bool | None
    settings: NotRequired[list[SettingSource]]


class Run(Provenance):
    """What differs from run to run; it is left out of the report's id."""

    started: str
    ended: str
    formats: list[str]


class HeadBody(TypedDict):
    """The head but for ``report``, the hash over it, and ``run``."""

    schema: str
    title: str
    tool: Tool
    verdict: Verdict
    settings: SettingsEntry
    counts: StatusCounts
    open: dict[Severity, int]
    protection: Protection
    population: PopulationSummary
    evidence: list[BundleEntry]
    criteria: Criteria
    actions: list[ActionEntry]
    actions_total: int
    coverage: list[CoverageRow]
    key_plan: KeyPlan
    changes: ChangesSummary | None
    trend: list[TrendEntry]
    not_evaluated: list[NotEvaluatedEntry]
    waivers: list[WaiverEntry]
    attestations: list[AttestationEntry]
    attested: AttestedShare
    evidence_kinds: EvidenceKinds
    findings: LinesFile
    population_file: LinesFile


class Head(HeadBody):
    """The head of a record; ``run`` is missing until the run ends."""

    report: str
    run: NotRequired[Run]
