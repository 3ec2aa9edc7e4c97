"""The head's blocks on keys: coverage by key scope, and the key plan."""

from __future__ import annotations

from typing import TypedDict

from checks.engine.card import Severity
from checks.engine.finding import EvidenceKind, Status
from inventory.model.vocabulary import DatabaseType, Provider
from reports.model.protection import Protection


class Reason(TypedDict):
    """The finding that a statement rests on, and what it says."""

    finding: str
    rule: str
    status: Status
    severity: Severity
    message: str


class ScopeEntry(TypedDict):
    """A key scope of an organization that is named elsewhere."""

    type: DatabaseType
    provider: Provider
    region: str


class CoverageCell(Reason, ScopeEntry):
    """A key scope, with the worst finding about it: no cell looks better than that.

    ``unprotected`` counts existing databases whose key was missing, late or unused, and
    ``protected`` the databases, existing and planned, that are proven to be encrypted by the key in
    this scope.
    """

    state: str
    databases: int
    existing: int
    unprotected: int
    protected: int
    keys: int
    planned_keys: list[str]
    advisories: int


class CoverageRow(TypedDict):
    """An organization with its key scopes.

    Attributes:
        complete: False if an open finding says that not all of it was read and judged.
        counts: how many of its findings are open or waived, by status.
        open: how many of its findings are open, by severity.
        protection: how many of its databases are proven to be encrypted by a customer key.
        proven_by: on which kind of evidence the protected ones rest, each by the weakest of its
            regions.
        worst: the worst of these; None if there is none.
    """

    organization: str
    name: str
    complete: bool
    counts: dict[Status, int]
    open: dict[Severity, int]
    protection: Protection
    proven_by: dict[EvidenceKind, int]
    worst: Reason | None
    cells: list[CoverageCell]


class KeyNumbers(TypedDict):
    """Numbers of keys and key scopes; ``unprotected`` counts existing databases."""

    needed: int
    registered: int
    missing: int
    undetermined: int
    failing: int
    unproven: int
    waived: int
    unused: int
    astra_provided: int
    unsupported: int
    unprotected: int


NUMBERS = tuple(KeyNumbers.__annotations__)
"""The names of the numbers."""


class OrganizationKeys(KeyNumbers):
    """The numbers of one organization, and whether its databases and keys are all known."""

    organization: str
    name: str
    databases_known: bool
    keys_known: bool


class TerraformAddresses(TypedDict):
    """What Terraform manages in a key scope, by address."""

    databases: list[str]
    creates: list[str]
    holds: list[str]


class ListedScope(ScopeEntry):
    """A key scope that the key plan lists, with how many databases it concerns."""

    organization: str
    name: str
    databases: int
    existing: int
    terraform: TerraformAddresses | None


class SharedKey(TypedDict):
    """A key that several key scopes share, where it is not known whose own it is."""

    organization: str
    name: str
    key: str
    scopes: list[ScopeEntry]


class KeyLists(TypedDict):
    """The key scopes of the key plan by name, and the keys that several of them share."""

    missing: list[ListedScope]
    undetermined: list[ListedScope]
    unused: list[ListedScope]
    shared: list[SharedKey]


class KeyStep(TypedDict):
    """How a key is made for the key scopes of one type and provider that lack one, or may."""

    type: DatabaseType
    provider: Provider
    missing: int
    shared: int
    undetermined: int
    unsupported: int
    regions: list[str]
    page: str
    address: str
    steps: list[str]


class KeyPlan(KeyNumbers):
    """How many keys there are and should be, of all and of each organization."""

    organizations: list[OrganizationKeys]
    lists: KeyLists
    steps: list[KeyStep]
