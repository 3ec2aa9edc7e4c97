"""One organization at one moment, merged from all files that describe it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.files.merging import contradiction, merge_keys
from inventory.index.organization_index import scope_of
from inventory.model.key import CustomerKey
from inventory.past.moments import DatabaseState, KeyState, KnownDatabase, Moment, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from inventory.model.database import Database
    from inventory.model.key import KeyScope
    from inventory.model.organization import Organization
    from inventory.model.sources import Source
    from inventory.past.timeline import OrganizationTimeline


class Snapshot(NamedTuple):
    """An organization at one moment; only what rules compare.

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

    def moment(self, organization: str) -> Moment:
        """Return what is kept of it; a database that is only planned is not."""
        own = self.file, self.line
        keys = {
            scope: (
                tuple(sorted(key.key_id for key in keys)),
                place_of(keys[0].file, keys[0].line, own),
            )
            for scope, keys in self.keys.items()
        }
        listed = place_of(*self.listed, own) if self.listed else None
        databases = tuple(
            _state(known, own) for known in self.databases.values() if not known.is_planned
        )
        state = KeyState(keys, listed, self.gaps)
        return Moment(organization, self.name, self.at, *own, state, databases)


def _state(known: KnownDatabase, own: tuple[str, int]) -> DatabaseState:
    place = place_of(known.file, known.line, own)
    return DatabaseState(known.id, known.name, known.is_terminated, known.status, place)


def time_of(source: Source, organization: Organization) -> datetime:
    """Return when ``organization`` was recorded; raise InventoryError if that is not known."""
    at = organization.captured_at or source.captured_at
    if at is None:
        expected = "a time: earlier records are ordered by it"
        raise InventoryError(
            [Problem(source.path, organization.line, "captured_at", "nothing", expected)]
        )
    return at


def take_snapshot(at: datetime, organization: Organization) -> Snapshot:
    """Keep of ``organization``, recorded at that time, what rules compare."""
    keys: dict[KeyScope, list[CustomerKey]] = defaultdict(list)
    for key in organization.keys or ():
        keys[scope_of(organization.id, key)].append(key)
    return Snapshot(
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


def stated_status(database: Database) -> str | None:
    """Return the status of ``database``; None if its record states none."""
    return database.status if "status" in database.stated() else None


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
                status=stated_status(database),
                is_planned=database.is_planned,
            )


def expand_timeline(timeline: OrganizationTimeline) -> Iterator[Snapshot]:
    """Yield each moment of a summary; a database is in the last one that showed it."""
    known: dict[datetime, dict[str, KnownDatabase]] = defaultdict(dict)
    for database in timeline.databases().values():
        known[database.at][database.id] = database
    for segment in timeline.segments:
        state = segment.keys
        for at, file, line in timeline.times_of(segment):
            own = file, line
            keys = {
                scope: tuple(_restored_key(scope, key_id, own) for key_id in key_ids)
                for scope, (key_ids, _) in state.keys.items()
            }
            listed = own if state.listed else None
            yield Snapshot(at, file, line, timeline.name, keys, listed, state.gaps, known[at])


def _restored_key(scope: KeyScope, key_id: str, own: tuple[str, int]) -> CustomerKey:
    fields = {"type": scope.type, "provider": scope.provider, "region": scope.region}
    return CustomerKey.model_validate({**fields, "key_id": key_id}).at(*own)


# --- several files of one moment ------------------------------------------------------------------


def merge_snapshots(one: Snapshot, two: Snapshot, problems: list[Problem]) -> Snapshot:
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
