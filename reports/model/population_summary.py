"""The head's blocks on what was audited: sources, organizations, evidence, attestations."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from inventory.model.gaps import CloudFact, Fact
from inventory.model.sources import FileFormat, Role


class BundleManifest(TypedDict):
    """How an evidence bundle was made, as its manifest says."""

    root: str
    previous: str | None
    tool: str
    address: str
    cloud_addresses: list[str]
    started: str
    ended: str
    requests: int
    failures: int
    redactions: int
    clock_seconds: float | None
    files: int


class SourceChainEntry(TypedDict):
    """Records in a row, each of which names the one before it; ``sha256`` is over their roots."""

    first: str
    records: int
    sha256: str


class SourceEntry(TypedDict):
    """A file or an evidence bundle that was read.

    ``clouds_of`` are the organizations, by their ids, of a record of clouds alone. ``chain`` is of
    the last of many earlier bundles in a row, of which only the first and the last are listed, and
    of a summary of bundles.
    """

    path: str
    role: Role
    format: FileFormat
    size: int
    sha256: str
    captured_at: str | None
    complete: bool
    example: bool
    organizations: int
    keys: int
    databases: int
    evidence: BundleManifest | None
    name: str
    notes: list[str]
    clouds_of: list[str]
    chain: NotRequired[SourceChainEntry]


class GapEntry(TypedDict):
    """What could not be read of an organization, and why."""

    fact: Fact
    reason: str
    detail: str


class PassEntry(TypedDict):
    """One of several times that the same list was read."""

    entries: int
    page_size: int


class TerminatedEntry(TypedDict):
    """How many databases only the list of terminated ones holds, and whether that is all."""

    entries: int
    complete: bool


class ReadingEntry(TypedDict):
    """How one fact was read from Astra; ``note`` names the passes, too."""

    fact: Fact | CloudFact | Literal["identity"]
    address: str
    requests: int
    answers: dict[str, int]
    entries: int | None
    sha256: str
    passes: list[PassEntry]
    terminated: TerminatedEntry | None
    note: str


class Route(TypedDict):
    """One of the ways by which something was counted; ``count`` is None if that is not known."""

    by: str
    count: int | None


class ReconciliationEntry(TypedDict):
    """The same things, counted by routes that do not depend on each other."""

    what: str
    rule: str
    routes: list[Route]
    agree: bool | None
    differences: list[str]
    differences_total: int


class OrganizationEntry(TypedDict):
    """An organization in numbers; None where a list was not recorded.

    ``owner`` is who answers for it, and empty if nobody states that.
    """

    id: str
    name: str
    owner: str
    captured_at: str | None
    keys: int | None
    planned_keys: int
    existing: int | None
    planned: int | None
    terminated: int | None
    gaps: list[GapEntry]
    readings: list[ReadingEntry]
    reconciliation: list[ReconciliationEntry]
    file: str
    line: int


class Totals(TypedDict):
    """The sums over all organizations; what was not recorded adds nothing."""

    organizations: int
    keys: int
    planned_keys: int
    existing: int
    planned: int
    terminated: int


class PopulationSummary(TypedDict):
    """What was audited."""

    sources: list[SourceEntry]
    organizations: list[OrganizationEntry]
    totals: Totals


class ExchangeEntry(TypedDict):
    """A request that is recorded in an evidence bundle, with its answer's time and hash.

    ``line`` is missing in a bundle of version 1, where an exchange has a file of its own.
    """

    path: str
    address: str
    outcome: str
    at: str
    sha256: str
    redactions: int
    line: NotRequired[int]


class BundleEntry(BundleManifest):
    """An evidence bundle that was audited as the present, and the index of what it holds."""

    path: str
    first_answer: str | None
    last_answer: str | None
    exchanges_total: int
    exchanges: list[ExchangeEntry]


class AttestationEntry(TypedDict):
    """What a person stated; ``current`` says whether it counts at the time of judgement.

    ``key`` and ``database`` are empty if it is not about one.
    """

    organization: str
    organization_id: str
    key: str
    database: str
    what: str
    statement: str
    by: str
    on: str
    due: str | None
    current: bool
    note: str | None
