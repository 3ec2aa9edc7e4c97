"""What every judge gets beside the organization, and the texts that several of them use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from inventory.database_lines.database_list import ids_of
from inventory.history import History, Observation
from inventory.model.base import SourceLocation
from inventory.model.database_ids import DatabaseIds, pack, shared_ids
from inventory.model.key_ids import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.gaps import Gap
    from inventory.model.key import KeyScope
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey

Kms = Literal["recorded", "none"]

RECORDED_MAX_AGE = timedelta(days=30)
LIVE_MAX_AGE = timedelta(hours=24)
MOST_ROTATION_DAYS = 2_560  # no cloud has a longer period


_EMPTY: Mapping[Any, Any] = {}
"""A plain dict that nobody writes to: a read-only view could not be sent to another process."""


class KnownOrganization(NamedTuple):
    """What an earlier audit, the baseline, knew of an organization.

    Attributes:
        name: its name.
        location: where the baseline is.
        databases: the name of each existing database by its id.
        keys: what dated records showed of each key scope that had a key, in the order of time.
        captured_at: when the record that was audited was made; None if that is not known.
        has_views: whether it was recorded with the views of single regions.
    """

    name: str
    location: SourceLocation
    databases: Mapping[str, str] = _EMPTY
    keys: Mapping[KeyScope, tuple[Observation, ...]] = _EMPTY
    captured_at: datetime | None = None
    has_views: bool = False


class Context(NamedTuple):
    """What an audit judges by.

    Attributes:
        as_of: the time of judgement (UTC), for freshness, attestations and waivers.
        max_age: how old the newest fact about an organization may be.
        kms: ``none`` if the audit leaves out what the clouds' key management shows.
        rotation_days: the most days that may be between two rotations of a key; None if it is
            enough that keys rotate.
        history: the earlier records.
        baseline: the organizations that the audit which is the baseline knew, by their ids.
    """

    as_of: datetime
    max_age: timedelta = RECORDED_MAX_AGE
    kms: Kms = "recorded"
    history: History = History()
    baseline: Mapping[str, KnownOrganization] = _EMPTY
    rotation_days: int | None = None


class UsedKey(NamedTuple):
    """What is kept of a registered key: an entry with its statements takes ten times the memory.

    Attributes:
        key_id: its id.
        location: where it was read.
        databases: how many databases of its organization use the key, whatever its version.
        existing: how many of them exist.
    """

    key_id: str
    location: SourceLocation
    databases: int
    existing: int


class Summary(NamedTuple):
    """What is kept of an organization for the rules that go across organizations.

    Attributes:
        id: the organization's id.
        name: its name.
        keys: its registered keys.
        gaps: why the keys are not known to be all; empty if they are.
        location: where it was read.
        databases: the ids of its existing databases.
        planned_keys: the keys that a plan would register for it, with their ids.
    """

    id: str
    name: str
    keys: tuple[UsedKey, ...]
    gaps: tuple[Gap, ...]
    location: SourceLocation
    databases: DatabaseIds = DatabaseIds()
    planned_keys: tuple[PlannedKey, ...] = ()


def summarize(index: OrganizationIndex) -> Summary:
    """Keep of an organization what the rules across organizations need."""
    organization = index.organization
    gaps = tuple(gap for gap in organization.missing() if gap.fact.endswith("keys"))
    return Summary(
        organization.id,
        organization.name,
        tuple(_used_keys(index)),
        gaps,
        organization.location,
        pack(ids_of(organization.databases)),
        tuple(key for keys in index.planned_keys.values() for key in keys),
    )


def _used_keys(index: OrganizationIndex) -> Iterator[UsedKey]:
    counts = _databases_by_key(index)
    for key in index.organization.keys or ():
        yield UsedKey(key.key_id, key.location, *counts[canonical(key.key_id)])


def _databases_by_key(index: OrganizationIndex) -> dict[str, tuple[int, int]]:
    """Count the databases of each key once, also those that are in several of its scopes."""
    scopes: dict[str, list[KeyScope]] = {}
    for scope in index.keys:
        for key_id in index.key_ids(scope):
            scopes.setdefault(key_id, []).append(scope)
    return {key_id: _count(index, some) for key_id, some in scopes.items()}


def _count(index: OrganizationIndex, scopes: list[KeyScope]) -> tuple[int, int]:
    """Return how many databases are in ``scopes``, and how many of them exist in one of these.

    In one scope a database is once, so that what is indexed need not be gone through.
    """
    if len(scopes) == 1:
        count = len(index.scopes.get(scopes[0], ()))
        return count, count - index.planned[scopes[0]]
    databases: dict[int, bool] = {}
    for scope in scopes:
        for deployment in index.scopes.get(scope, ()):
            which = id(deployment.database)
            databases[which] = databases.get(which, False) or not deployment.is_planned
    return len(databases), sum(databases.values())


def shared_databases(organizations: Sequence[Summary]) -> dict[str, list[Summary]]:
    """Return the organizations that list each database which several list, by its id."""
    summaries = {organization.id: organization for organization in organizations}
    shared = shared_ids({identity: summary.databases for identity, summary in summaries.items()})
    return {database: [summaries[owner] for owner in owners] for database, owners in shared.items()}


def scope_label(organization: Organization, scope: KeyScope) -> str:
    """Name a key scope for people: ``acme-prod / serverless / aws / us-east-2``."""
    return f"{organization.name} / {scope.type} / {scope.provider} / {scope.region}"


@lru_cache(maxsize=4_096)  # many databases of a fleet were deployed at the same time
def utc(time: datetime) -> str:
    """Render a time in UTC, to the second where it has no finer part: ``2026-11-20T02:00:00Z``."""
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return f"{time.isoformat()[:-6]}Z"


def day(time: datetime) -> date:
    """Return the UTC day of ``time``."""
    return time.astimezone(UTC).date()


def fact_label(gap: Gap) -> str:
    """Return what a ``gap`` is of, in words: the facts are lists, such as "serverless keys"."""
    return gap.fact.replace("-", " ")


def gap_text(gap: Gap) -> str:
    """Render why a fact is missing: ``not-recorded (the record has no such list)``."""
    return f"{gap.reason} ({gap.detail})" if gap.detail else gap.reason
