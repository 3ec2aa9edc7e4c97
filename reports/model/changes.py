"""The head's block on what changed since the baseline."""

from __future__ import annotations

from typing import Literal, TypedDict, get_args

from checks.engine.card import Severity
from checks.engine.finding import Status
from inventory.model.vocabulary import DatabaseType, Provider

OpenClass = Literal["new", "reopened", "worsened", "unclear", "unchanged"]
Class = OpenClass | Literal["fixed", "superseded", "waived", "gone"]
CLASSES: tuple[Class, ...] = (*get_args(OpenClass), "fixed", "superseded", "waived", "gone")
"""What can become of a finding that is open in one of two audits."""

ChangeReason = Literal[
    "",
    "other-cause",
    "subject-absent",
    "partial-run",
    "organization-absent",
    "check-broke",
    "organization-unread",
    "facts-left-out",
    "more-unread",
]
"""Why there is no finding any more; or the last, why one is worse that looks the same."""

KeyChange = Literal["added", "replaced", "removed", "not_read"]
KEY_CHANGES: tuple[KeyChange, ...] = get_args(KeyChange)
"""What can become of the keys of a key scope; ``not_read`` is all that is not known."""


class BaselineEntry(TypedDict):
    """The earlier audit."""

    path: str
    report: str
    as_of: str
    sha256: str
    same_rules: bool


class ChangedFinding(TypedDict):
    """A finding that is open in this audit, in the baseline, or in both."""

    id: str
    rule: str
    cause: str
    status_before: Status | None
    status: Status | None
    severity: Severity
    severity_before: Severity | None
    organization: str
    path: str
    name: str
    message: str
    since: str
    audits: int
    reason: ChangeReason


class ChangedKeys(TypedDict):
    """A key scope whose keys are others than in the baseline."""

    organization: str
    name: str
    type: DatabaseType
    provider: Provider
    region: str
    before: list[str]
    after: list[str]


class KeyChanges(TypedDict):
    """The key scopes whose keys differ, by what became of them: counted, and the first by name."""

    counts: dict[KeyChange, int]
    lists: dict[KeyChange, list[ChangedKeys]]


class NamedOrganization(TypedDict):
    """An organization by its id and name."""

    organization: str
    name: str


class OrganizationsGone(TypedDict):
    """The organizations that only the baseline holds: how many, and the first by id."""

    count: int
    list: list[NamedOrganization]


class KnownDatabase(TypedDict):
    """A database that an earlier audit knew."""

    id: str
    name: str


class KnownKeys(TypedDict):
    """The keys that a record of the time ``at`` showed of a key scope."""

    type: DatabaseType
    provider: Provider
    region: str
    at: str
    key_ids: list[str]


class KnownEntry(TypedDict):
    """What audits before this one knew of an organization, and this one did not see."""

    organization: str
    name: str
    missing: bool
    databases: list[KnownDatabase]
    keys: list[KnownKeys]


class ComparedFindings(TypedDict):
    """What became of the findings and the keys of an earlier audit."""

    counts: dict[Class, int]
    not_judged_again: int
    lists: dict[Class, list[ChangedFinding]]
    keys: KeyChanges | None
    organizations_gone: OrganizationsGone


class ChangesSummary(ComparedFindings):
    """What changed since the baseline, and what the next audit has to know."""

    baseline: BaselineEntry
    known: list[KnownEntry]
    closed: list[str]
    closed_left_out: int
