"""Earlier moments: what was registered, and which databases were known, at dated points in time."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.bundles import bundles_in, is_bundle
from inventory.errors import InventoryError, Problem
from inventory.files import read_file
from inventory.models import KeyScope
from inventory.paths import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from inventory.models import CustomerKey, Database, Organization
    from inventory.sources import Source


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
    def place(self) -> tuple[str, int]:
        """Return file and line, as evidence."""
        return self.file, self.line


class KnownDatabase(NamedTuple):
    """An existing database as an earlier record knew it."""

    id: str
    name: str
    is_terminated: bool
    at: datetime
    file: str
    line: int


class _Moment(NamedTuple):
    at: datetime
    file: str
    line: int
    name: str
    keys: dict[KeyScope, tuple[CustomerKey, ...]]
    unread: frozenset[str]
    databases: tuple[KnownDatabase, ...]


class History:
    """All earlier records, by organization and in the order of time."""

    def __init__(
        self, moments: Iterable[tuple[str, _Moment]] = (), sources: Iterable[Source] = ()
    ) -> None:
        """Sort what ``read_history`` has read."""
        self.sources = tuple(sources)
        self._moments: dict[str, list[_Moment]] = defaultdict(list)
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
            if scope in moment.keys or f"{scope.type}-keys" not in moment.unread
        ]

    def scopes_with_keys(self, organization: str) -> list[KeyScope]:
        """Return each key scope in which an earlier record saw a key, in a fixed order."""
        return sorted(
            {scope for moment in self._moments.get(organization, ()) for scope in moment.keys}
        )

    def databases(self, organization: str) -> dict[str, KnownDatabase]:
        """Return each existing database of earlier records by id, as the latest of them knew it."""
        moments = self._moments.get(organization, ())
        return {known.id: known for moment in moments for known in moment.databases}

    def latest_file(self, organization: str) -> tuple[str, int]:
        """Return file and line of the latest record of ``organization``."""
        moment = self._moments[organization][-1]
        return moment.file, moment.line


def _observe(moment: _Moment, scope: KeyScope) -> Observation:
    keys = moment.keys.get(scope, ())
    line = keys[0].line if keys else moment.line
    return Observation(moment.at, tuple(sorted(key.key_id for key in keys)), moment.file, line)


def read_history(files: Iterable[str], present: Iterable[str] = ()) -> History:
    """Read earlier records, each organization dated by its own ``captured_at``, else its file's.

    Of a folder that holds evidence bundles each is taken, but those that are ``present``. Raises
    InventoryError if a record cannot be read, or has no date.
    """
    moments: list[tuple[str, _Moment]] = []
    sources: list[Source] = []
    for file in in_order(_spread(files, {Path(each).resolve() for each in present})):
        source, organizations, _ = read_file(file, "history")
        sources.append(source)
        moments += [(each.id, _moment(_time(source, each), each)) for each in organizations]
    return History(moments, sources)


def _spread(files: Iterable[str], present: set[Path]) -> Iterator[str]:
    for file in files:
        if Path(file).is_dir() and not is_bundle(file):
            for each in bundles_in(Path(file)):
                if each.resolve() not in present:
                    yield each.as_posix()
        else:
            yield file


def _time(source: Source, organization: Organization) -> datetime:
    at = organization.captured_at or source.captured_at
    if at is None:
        expected = "a time: history is dated by it"
        raise InventoryError(
            [Problem(source.path, organization.line, "captured_at", "nothing", expected)]
        )
    return at


def _moment(at: datetime, organization: Organization) -> _Moment:
    keys: dict[KeyScope, tuple[CustomerKey, ...]] = {}
    for key in organization.keys or ():
        scope = KeyScope(organization.id, key.type, key.provider, key.region)
        keys[scope] = (*keys.get(scope, ()), key)
    unread = frozenset(gap.fact for gap in organization.missing())
    databases = tuple(_known(at, organization.databases or ()))
    return _Moment(
        at, organization.file, organization.line, organization.name, keys, unread, databases
    )


def _known(at: datetime, databases: Iterable[Database]) -> Iterator[KnownDatabase]:
    for each in databases:
        if each.id is not None and not each.is_planned:
            yield KnownDatabase(each.id, each.name, each.is_terminated, at, each.file, each.line)
