"""Earlier moments: what was registered, and which databases were known, at dated points in time."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import InventoryError, Problem
from inventory.files.evidence_layout import is_bundle, is_folder, read_folder
from inventory.files.file_kinds import HISTORIES, recognize_folder
from inventory.files.format_detection import INVENTORY, folder_problem
from inventory.files.merging import contradiction, merge_keys
from inventory.files.yaml_json import refuse
from inventory.model.key import KeyScope
from inventory.model.organization_index import scope_of
from inventory.opening import read_file
from inventory.system.paths import sorted_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from inventory.model.database import Database
    from inventory.model.key import CustomerKey
    from inventory.model.organization import Organization
    from inventory.model.sources import Source


class Observation(NamedTuple):
    """What a dated record says of one key scope.

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
    """What is kept of an organization at one moment: little, as there may be many nights.

    Attributes:
        at: the time.
        file: the path of the first file that describes it.
        line: the organization's line in that.
        name: the organization's name.
        keys: the keys of each scope that has any.
        listed: file and line of the organization where its keys are listed; None if nowhere.
        gaps: the facts of which some file says that they could not be read.
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
        self, moments: Iterable[tuple[str, _Snapshot]] = (), sources: Iterable[Source] = ()
    ) -> None:
        """Sort what ``read_history`` has read."""
        self.sources = tuple(sources)
        self._moments: dict[str, list[_Snapshot]] = defaultdict(list)
        for organization, moment in moments:
            self._moments[organization].append(moment)
        for each in self._moments.values():
            each.sort(key=lambda moment: (moment.at, moment.file))

    def organizations(self) -> dict[str, str]:
        """Return the name of each organization that was seen earlier, by its id."""
        return {each: moments[-1].name for each, moments in self._moments.items()}

    def times(self) -> list[tuple[datetime, str, int]]:
        """Return when each record of an organization was made, with its file and line."""
        every = [moment for moments in self._moments.values() for moment in moments]
        return [(each.at, each.file, each.line) for each in every]

    def observations(self, scope: KeyScope) -> list[Observation]:
        """Return what each record says of ``scope``; one that did not read the keys is silent."""
        return [
            _observe(moment, scope)
            for moment in self._moments.get(scope.organization, ())
            if moment.has_read(scope)
        ]

    def scopes_with_keys(self, organization: str) -> list[KeyScope]:
        """Return each key scope in which an earlier record saw a key, in a fixed order."""
        return sorted(
            {scope for moment in self._moments.get(organization, ()) for scope in moment.keys}
        )

    def databases(self, organization: str) -> dict[str, KnownDatabase]:
        """Return each existing database of earlier records by id, as the latest of them knew it."""
        moments = self._moments.get(organization, ())
        every = (known for moment in moments for known in moment.databases.values())
        return {known.id: known for known in every if not known.is_planned}

    def latest_file(self, organization: str) -> tuple[str, int]:
        """Return file and line of the latest record of ``organization``."""
        moment = self._moments[organization][-1]
        return moment.file, moment.line


def _observe(moment: _Snapshot, scope: KeyScope) -> Observation:
    keys = moment.keys.get(scope, ())
    file, line = (keys[0].file, keys[0].line) if keys else moment.listed or ("", 0)
    return Observation(moment.at, tuple(sorted(key.key_id for key in keys)), file, line)


def read_history(files: Iterable[str], present: Iterable[str] = ()) -> History:
    """Read earlier records, each organization dated by its own ``captured_at``, else its file's.

    Of a folder each record is taken, a bundle or a file, but those that are ``present``. Raises
    InventoryError if a folder holds anything else or no record at all, or if a record cannot be
    read, has no date, or contradicts another of its moment.
    """
    moments: dict[tuple[str, datetime], _Snapshot] = {}
    problems: list[Problem] = []
    sources: list[Source] = []
    for file in sorted_paths(_record_paths(files, {os.path.realpath(each) for each in present})):
        source, organizations, *_ = read_file(file, "history")
        sources.append(source)
        for organization in organizations:
            moment = _snapshot(_time(source, organization), organization)
            known = moments.get((organization.id, moment.at))
            merged = _merge(known, moment, problems) if known else moment
            moments[organization.id, moment.at] = merged
    refuse(problems)
    return History([(identity, moment) for (identity, _), moment in moments.items()], sources)


def check_folders(files: Iterable[str]) -> None:
    """Raise InventoryError if a folder of ``files`` holds anything but records; none is read.

    For a live audit, which asks first and reads its history then: an empty folder is no mistake
    yet, as the first record may come into it.
    """
    for file in filter(_holds_records, files):
        refuse(read_folder(Path(file)).problems())


def _holds_records(file: str) -> bool:
    """Say whether ``file`` is a folder of records, and not a record itself."""
    return is_folder(file) and not is_bundle(Path(file))


def _record_paths(files: Iterable[str], present: set[str]) -> Iterator[str]:
    for file in files:
        if _holds_records(file):
            records = _records_in(Path(file))
            yield from (
                record.as_posix() for record in records if os.path.realpath(record) not in present
            )
        else:
            yield file


def _records_in(folder: Path) -> tuple[Path, ...]:
    """Return the records that a folder holds; raise InventoryError for whatever else it holds.

    A record that is passed over could be the night in which a key was another one. A folder
    without any, not even that of the present, is the wrong one: it says nothing about the past.
    """
    if recognize_folder(folder).option not in {"", HISTORIES}:
        raise InventoryError([folder_problem(folder.as_posix(), INVENTORY)])
    content = read_folder(folder)
    refuse(content.problems())
    records = (*content.bundles, *content.records)
    if not records:
        expected = "an earlier record: without any, leave the option out"
        refuse([Problem(folder.as_posix(), 0, "", "a folder without records", expected)])
    return records


def _time(source: Source, organization: Organization) -> datetime:
    at = organization.captured_at or source.captured_at
    if at is None:
        expected = "a time: history is dated by it"
        raise InventoryError(
            [Problem(source.path, organization.line, "captured_at", "nothing", expected)]
        )
    return at


def _snapshot(at: datetime, organization: Organization) -> _Snapshot:
    keys: dict[KeyScope, list[CustomerKey]] = defaultdict(list)
    for key in organization.keys or ():
        keys[scope_of(organization.id, key)].append(key)
    place = organization.file, organization.line
    return _Snapshot(
        at=at,
        file=organization.file,
        line=organization.line,
        name=organization.name,
        keys={scope: tuple(own) for scope, own in keys.items()},
        listed=None if organization.keys is None else place,
        gaps=frozenset(gap.fact for gap in organization.gaps),
        databases={each.id: each for each in _known_databases(at, organization.databases or ())},
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
    """Merge what two files say of one moment, as those of the present are merged."""
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
        states = [("existing", "planned")[each.is_planned] for each in (one, two)]
        problems.append(contradiction(one, two, "state", *states))
    if two.status is None:
        return one
    if one.status not in {None, two.status}:
        problems.append(contradiction(one, two, "status", one.status, two.status))
    return one._replace(status=two.status, is_terminated=two.is_terminated)
