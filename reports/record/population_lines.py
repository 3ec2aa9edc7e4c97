"""What was judged, a line each: organizations, keys and databases in ``population.ndjson``.

The lines of an organization add up to its numbers in the head.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote
from typing import TYPE_CHECKING, NamedTuple, TypeVar, get_args

from checks.engine.context import utc
from checks.engine.finding import (
    organization_subject,
    planned_database_subject,
    planned_key_subject,
    undetermined_key_subject,
)
from checks.engine.identity import escape, escape_all, join
from inventory.database_lines.database_columns import DatabaseColumns
from inventory.database_lines.database_list import parts_of
from inventory.index.organization_index import scope_of
from inventory.model.database import deployed_at
from inventory.model.vocabulary import DatabaseType
from inventory.text.canonical_json import compact_json
from reports.aggregation.expected_databases import undetermined_databases
from reports.record.encoding import cached_quote, quote_all
from reports.record.key_facts import portal_of_region
from reports.record.key_lines import add_cloud_facts, registered_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from checks.engine.context import Context
    from inventory.database_lines.database_columns import DatabaseKind, Times
    from inventory.model.base import Located, SourceLocation
    from inventory.model.database import Database, DatabaseRegion, Encryption
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey, UndeterminedKey
    from inventory.model.terraform_managed import UndeterminedDatabase
    from reports.model.population_record import DatabaseLine, KeyLine, OrganizationLine


_TOGETHER = 1_000
"""How many databases are rendered together."""

_NOTHING = quote("")

L = TypeVar("L", "KeyLine", "DatabaseLine")


def population_lines(organization: Organization, context: Context) -> Iterator[str]:
    """Yield the line of ``organization``, then those of its keys, then those of its databases.

    ``context`` holds the earlier records, which may show a key before the present one does.
    """
    yield compact_json(_organization(organization))
    yield from map(compact_json, registered_keys(organization, context))
    for planned_key in organization.managed.planned_keys:
        yield compact_json(_planned_key(organization, planned_key, context))
    for undetermined_key in organization.managed.undetermined_keys:
        yield compact_json(_undetermined_key(organization, undetermined_key))
    yield from _encode_databases(organization)
    for undetermined in undetermined_databases(organization):
        yield compact_json(_undetermined_database(organization, undetermined))


def _organization(organization: Organization) -> OrganizationLine:
    line: OrganizationLine = {
        "kind": "organization",
        "path": organization_subject(organization.id).path,
        "id": organization.id,
        "name": organization.name,
        "file": organization.file,
        "line": organization.line,
    }
    if organization.captured_at:
        line["captured_at"] = utc(organization.captured_at)
    return line


# --- keys -----------------------------------------------------------------------------------------


def _planned_key(organization: Organization, key: PlannedKey, context: Context) -> KeyLine:
    line: KeyLine = {
        "kind": "key",
        "path": planned_key_subject(scope_of(organization.id, key), key).path,
        "organization": organization.id,
        "state": "planned",
        "type": key.type,
        "provider": key.provider,
        "region": key.region,
        "change": key.change,
        "file": key.file,
        "line": key.line,
    }
    if key.key_id:
        line["key_id"] = key.key_id
    add_cloud_facts(line, organization, key, context)
    return _with_plan(line, key, key.missing)


def _undetermined_key(organization: Organization, key: UndeterminedKey) -> KeyLine:
    line: KeyLine = {
        "kind": "key",
        "path": undetermined_key_subject(organization.id, key).path,
        "organization": organization.id,
        "state": "planned",
        "name": key.name,
        "change": key.change,
        "file": key.file,
        "line": key.line,
    }
    return _with_plan(line, key, key.missing)


def _with_plan(line: L, entry: Located, missing: str) -> L:
    """Add what a plan does not show of ``entry``, and the address by which Terraform manages it."""
    if missing:
        line["missing"] = missing
    if entry.resource:
        line["address"] = entry.resource
    return line


# --- databases ------------------------------------------------------------------------------------


def _encode_databases(organization: Organization) -> Iterator[str]:
    """Yield the lines of the databases; what many of them have in common is rendered once."""
    encoder = _DatabaseEncoder(organization)
    waiting: list[Database] = []
    for part in parts_of(organization.databases):
        if isinstance(part, DatabaseColumns) or len(waiting) == _TOGETHER:
            yield from encoder.encode(waiting)
            waiting.clear()
        if isinstance(part, DatabaseColumns):
            yield from encoder.encode_columns(part)
        else:
            waiting.append(part)
    yield from encoder.encode(waiting)


class _DatabaseEncoder:
    """Puts the lines of one organization's databases together by hand, as those of findings are.

    There may be as many as databases in a fleet, of which many are in the same regions.
    """

    def __init__(self, organization: Organization) -> None:
        policy, identity = organization.policy, organization.id
        self._expected = {kind: policy.of(kind).encryption for kind in get_args(DatabaseType)}
        self._organization = identity
        self._regions: dict[tuple[str, str, str], str] = {}
        self._begin = f'{{"kind":"database","path":"{escape(identity)}/database/'
        self._owner = f'","organization":{quote(identity)},"state":"'

    def encode(self, databases: Sequence[Database]) -> list[str]:
        """Return the lines of ``databases``."""
        columns = (
            escape_all([database.id or database.identity for database in databases]),
            quote_all([database.id or "" for database in databases]),
            quote_all([database.name for database in databases]),
        )
        return list(map(self._line, databases, *columns))

    def encode_columns(self, databases: DatabaseColumns) -> Iterator[str]:
        """Yield the lines of ``databases``; what those of a kind share is rendered once."""
        shared = {kind: self._shared(kind) for kind in databases.counts}
        of_kind = [shared[kind] for kind in databases.kinds]
        columns = (
            *(of_kind, escape_all(databases.ids), quote_all(databases.ids)),
            *(quote_all(databases.names), _in_words(databases.created)),
            list(map(_encode_regions, of_kind, databases.deployed)),
            map(_location, databases.locations),
        )
        begin = self._begin
        return (
            f'{begin}{path}{kind.state}{identity},"name":{name}{kind.place}{created}{kind.end}'
            f"{regions}],{location}}}"
            for kind, path, identity, name, created, regions, location in zip(*columns, strict=True)
        )

    def _shared(self, kind: DatabaseKind) -> _SharedText:
        """Render what the databases of ``kind`` have in common."""
        database = kind.example
        state = "terminated" if database.is_terminated else "existing"
        created, end = ("", "")
        if "created_at" in kind.stated.database:
            created, end = '"created_at":"', '",'
        return _SharedText(
            state=f'{self._owner}{state}","id":',
            place=f',"type":"{database.type}","provider":"{database.provider}",{created}',
            end=f'{end}"regions":[',
            regions=tuple(
                f"{self._region_begin(database, region)}{state}{_time_field(kind, place)}"
                for place, region in enumerate(database.regions)
            ),
            encryption=f'","encryption":"{self._expected[database.type]}"}}',
            shows_time=any(_time_field(kind, place) for place in range(len(kind.regions))),
        )

    def _line(self, database: Database, path: str, identity: str, name: str) -> str:
        """Render ``database``, whose path is escaped; its id and its name are quoted."""
        kind, provider, created = database.type, database.provider, database.created_at
        gone = database.status != "ACTIVE" and database.is_terminated
        state = "terminated" if gone else database.state
        known = f'"id":{identity},' if identity != _NOTHING else ""
        added = f'"created_at":"{utc(created)}",' if created else ""
        expected = database.encryption or self._expected[kind]
        regions = [self._region(database, region, state, expected) for region in database.regions]
        return (
            f'{self._begin}{path}{self._owner}{state}",{known}"name":{name},"type":"{kind}",'
            f'"provider":"{provider}",{added}"regions":[{",".join(regions)}],'
            f"{_location(database.location)}}}"
        )

    def _region(
        self, database: Database, region: DatabaseRegion, state: str, expected: Encryption
    ) -> str:
        begin = self._region_begin(database, region)
        if state == "existing":
            state = region.state
        added = look = ""
        if (at := region.added_at) is not None:
            added = f'","added_at":"{utc(at)}'
        elif state == "existing" and (deployed := deployed_at(database, region)):
            added = f'","deployed_at":"{utc(deployed)}'
        if region.portal:
            look = f',"portal":{compact_json(portal_of_region(region.portal))}'
        return f'{begin}{state}{added}","encryption":"{region.encryption or expected}"{look}}}'

    def _region_begin(self, database: Database, region: DatabaseRegion) -> str:
        """Render name and key scope of a region, up to its state."""
        place = database.type, region.provider or database.provider, region.name
        begin = self._regions.get(place)
        if begin is None:
            scope = join(self._organization, *place)
            begin = f'{{"name":{quote(region.name)},"scope":"{scope}","state":"'
            self._regions[place] = begin
        return begin


class _SharedText(NamedTuple):
    """What the lines of databases of a kind have in common.

    Attributes:
        state: what is before the id.
        place: what is between the name and the time of creation.
        end: what is between that and the regions.
        regions: what is before the time of each region.
        encryption: what is after it.
        shows_time: whether any region shows a time.
    """

    state: str
    place: str
    end: str
    regions: tuple[str, ...]
    encryption: str
    shows_time: bool


def _time_field(kind: DatabaseKind, region: int) -> str:
    """Render what is before the time of a region; empty if it shows none.

    Of a database that is gone, only the region's own time is shown.
    """
    if kind.states_time(region):
        return '","added_at":"'
    is_made_with_region = len(kind.regions) == 1 and "created_at" in kind.stated.database
    return '","deployed_at":"' if is_made_with_region and not kind.example.is_terminated else ""


def _encode_regions(kind: _SharedText, times: Times) -> str:
    if len(times) == 1:
        text = utc(times[0]) if kind.shows_time and times[0] else ""
        return f"{kind.regions[0]}{text}{kind.encryption}"
    return ",".join(
        f"{begin}{utc(time) if time else ''}{kind.encryption}"
        for begin, time in zip(kind.regions, times, strict=True)
    )


def _in_words(times: Sequence[datetime | None]) -> list[str]:
    return [utc(time) if time else "" for time in times]


def _location(location: SourceLocation) -> str:
    """Render where an entry was read, and the address by which Terraform manages it."""
    encoded = f'"file":{cached_quote(location[0])},"line":{location[1]}'
    if len(location) == 2:  # noqa: PLR2004 (a file and a line, without an address)
        return encoded
    return f'{encoded},"address":{quote(location[2])}'


def _undetermined_database(
    organization: Organization, database: UndeterminedDatabase
) -> DatabaseLine:
    line: DatabaseLine = {
        "kind": "database",
        "path": planned_database_subject(organization.id, database).path,
        "organization": organization.id,
        "state": "planned",
        "name": database.name,
        "file": database.file,
        "line": database.line,
    }
    return _with_plan(line, database, database.missing)
