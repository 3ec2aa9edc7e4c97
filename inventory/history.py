"""Earlier moments: what was registered, and which databases were known, at dated points in time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.files.merging import contradiction, merge_keys
from inventory.files.yaml_json import refuse
from inventory.history_files import find_records
from inventory.model.key import KeyScope
from inventory.model.organization_index import scope_of
from inventory.opening import holds_clouds_only, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from inventory.model.database import Database
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization
    from inventory.model.sources import Source


class Observation(NamedTuple):
    """What a dated record shows of one key scope.

    Attributes:
        at: the record's time.
        key_ids: the registered key ids, sorted; empty if the scope had no key.
        file: the record's path.
        line: the key's line in it, or the organization's where there was no key.
    """

    at: datetime
    key_ids: tuple[str, ...]
    file: str
    line: int

    @property
    def location(self) -> tuple[str, int]:
        """Return file and line, as evidence."""
        return self.file, self.line


class KnownDatabase(NamedTuple):
    """A database as an earlier record knew it.

    Attributes:
        id: its id.
        name: its name then.
        is_terminated: whether it was gone.
        at: the record's time.
        file: the record's path.
        line: the line of the database.
        status: its status, if the record states one.
        is_planned: whether it was only planned.
    """

    id: str
    name: str
    is_terminated: bool
    at: datetime
    file: str
    line: int
    status: str | None = None
    is_planned: bool = False


class _Snapshot(NamedTuple):
    """An organization at one moment; only what rules compare, as there may be many records.

    Attributes:
        at: the time.
        file: the path of the first file that describes it.
        line: the organization's line in that.
        name: the organization's name.
        keys: the keys of each scope that has any.
        listed: file and line of the organization where its keys are listed; None if nowhere.
        gaps: the facts that some file could not read.
        databases: the databases that have an id, by that.
    """

    at: datetime
    file: str
    line: int
    name: str
    keys: dict[KeyScope, tuple[CustomerKey, ...]]
    listed: tuple[str, int] | None
    gaps: frozenset[str]
    databases: dict[str, KnownDatabase]

    def has_read(self, scope: KeyScope) -> bool:
        """Say whether the keys of ``scope`` are known, if only that there was none."""
        whole = self.listed is not None and f"{scope.type}-keys" not in self.gaps
        return whole or scope in self.keys


class History:
    """All earlier records, by organization and in the order of time."""

    def __init__(
        self, snapshots: Iterable[tuple[str, _Snapshot]] = (), sources: Iterable[Source] = ()
    ) -> None:
        """Sort what ``read_history`` has read."""
        self.sources = tuple(sources)
        self._snapshots: dict[str, list[_Snapshot]] = defaultdict(list)
        for organization, snapshot in snapshots:
            self._snapshots[organization].append(snapshot)
        for recorded in self._snapshots.values():
            recorded.sort(key=lambda snapshot: (snapshot.at, snapshot.file))

    def organizations(self) -> dict[str, str]:
        """Return the name of each organization that was seen earlier, by its id."""
        return {
            organization: snapshots[-1].name for organization, snapshots in self._snapshots.items()
        }

    def times(self) -> list[tuple[datetime, str, int]]:
        """Return when each record of an organization was made, with its file and line."""
        return [
            (snapshot.at, snapshot.file, snapshot.line)
            for snapshots in self._snapshots.values()
            for snapshot in snapshots
        ]

    def observations(self, scope: KeyScope) -> list[Observation]:
        """Return what each record shows of ``scope``, if it has read the keys."""
        return [
            _observe(snapshot, scope)
            for snapshot in self._snapshots.get(scope.organization, ())
            if snapshot.has_read(scope)
        ]

    def scopes_with_keys(self, organization: str) -> list[KeyScope]:
        """Return each key scope in which an earlier record saw a key, in a fixed order."""
        return sorted(
            {scope for snapshot in self._snapshots.get(organization, ()) for scope in snapshot.keys}
        )

    def databases(self, organization: str) -> dict[str, KnownDatabase]:
        """Return each existing database of earlier records by id, as the latest of them knew it."""
        snapshots = self._snapshots.get(organization, ())
        # The snapshots are in the order of time, so a later one replaces what an earlier one knew.
        databases = (known for snapshot in snapshots for known in snapshot.databases.values())
        return {database.id: database for database in databases if not database.is_planned}

    def latest_file(self, organization: str) -> tuple[str, int]:
        """Return file and line of the latest record of ``organization``."""
        snapshot = self._snapshots[organization][-1]
        return snapshot.file, snapshot.line


def _observe(snapshot: _Snapshot, scope: KeyScope) -> Observation:
    keys = snapshot.keys.get(scope, ())
    file, line = (keys[0].file, keys[0].line) if keys else snapshot.listed or ("", 0)
    return Observation(snapshot.at, tuple(sorted(key.key_id for key in keys)), file, line)


def read_history(files: Iterable[str], present: Iterable[str] = ()) -> History:
    """Read earlier records, each organization dated by its own ``captured_at``, else its file's.

    A folder gives each record in it, a bundle or a file, except those that are ``present``. Reports
    of audits are no records of this kind. Raises InventoryError if a folder holds anything else or
    no record at all, or if a record cannot be read, has no date, or contradicts another of its
    moment.
    """
    snapshots: dict[tuple[str, datetime], _Snapshot] = {}
    problems: list[Problem] = []
    sources: list[Source] = []
    for file in find_records(files, present):
        if holds_clouds_only(file):  # it shows nothing of what was registered or deployed
            continue
        source, organizations, *_ = read_file(file, "history")
        sources.append(source)
        for organization in organizations:
            snapshot = _snapshot(_time(source, organization), organization)
            known = snapshots.get((organization.id, snapshot.at))
            merged = _merge(known, snapshot, problems) if known else snapshot
            snapshots[organization.id, snapshot.at] = merged
    refuse(problems)
    by_organization = [(identity, snapshot) for (identity, _), snapshot in snapshots.items()]
    return History(by_organization, sources)


def _time(source: Source, organization: Organization) -> datetime:
    at = organization.captured_at or source.captured_at
    if at is None:
        expected = "a time: earlier records are ordered by it"
        raise InventoryError(
            [Problem(source.path, organization.line, "captured_at", "nothing", expected)]
        )
    return at


def _snapshot(at: datetime, organization: Organization) -> _Snapshot:
    keys: dict[KeyScope, list[CustomerKey]] = defaultdict(list)
    for key in organization.keys or ():
        keys[scope_of(organization.id, key)].append(key)
    return _Snapshot(
        at=at,
        file=organization.file,
        line=organization.line,
        name=organization.name,
        keys={scope: tuple(registered) for scope, registered in keys.items()},
        listed=None if organization.keys is None else (organization.file, organization.line),
        gaps=frozenset(gap.fact for gap in organization.gaps),
        databases={
            database.id: database for database in _known_databases(at, organization.databases or ())
        },
    )


def _known_databases(at: datetime, databases: Iterable[Database]) -> Iterator[KnownDatabase]:
    for database in databases:
        if database.id is not None:
            yield KnownDatabase(
                id=database.id,
                name=database.name,
                is_terminated=database.is_terminated,
                at=at,
                file=database.file,
                line=database.line,
                status=database.status if "status" in database.stated() else None,
                is_planned=database.is_planned,
            )


# --- several files of one moment ------------------------------------------------------------------


def _merge(one: _Snapshot, two: _Snapshot, problems: list[Problem]) -> _Snapshot:
    """Merge two files of one moment, by the rules for files of the present."""
    if one.name != two.name:
        problems.append(contradiction(one, two, "name", one.name, two.name))
    keys = dict(one.keys)
    for scope, others in two.keys.items():
        keys[scope] = merge_keys(keys.get(scope, ()), others, problems)
    databases = dict(one.databases)
    for identity, other in two.databases.items():
        known = databases.get(identity)
        databases[identity] = _merge_database(known, other, problems) if known else other
    return one._replace(
        keys=keys,
        listed=one.listed or two.listed,
        gaps=one.gaps | two.gaps,
        databases=databases,
    )


def _merge_database(
    one: KnownDatabase, two: KnownDatabase, problems: list[Problem]
) -> KnownDatabase:
    if one.name != two.name:
        problems.append(contradiction(one, two, "name", one.name, two.name))
    if one.is_planned != two.is_planned:
        states = ["planned" if database.is_planned else "existing" for database in (one, two)]
        problems.append(contradiction(one, two, "state", *states))
    if two.status is None:
        return one
    if one.status not in {None, two.status}:
        problems.append(contradiction(one, two, "status", one.status, two.status))
    return one._replace(status=two.status, is_terminated=two.is_terminated)
