"""What an earlier moment shows of an organization: its keys by scope, and its databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from inventory.model.key import KeyScope

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Observation(NamedTuple):
    """What a dated record shows of one key scope.

    Attributes:
        at: the record's time.
        key_ids: the registered key ids, sorted; empty if the scope had no key.
        file: the record's path.
        line: the key's line in it, or the organization's where there was no key.
        records: how many records in a row it represents: itself, and those before the next
            observation, which show the same.
    """

    at: datetime
    key_ids: tuple[str, ...]
    file: str
    line: int
    records: int = 1

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


class Place(NamedTuple):
    """Where something was read, relative to its organization, so that equal nights share it.

    Attributes:
        line: the line in ``path``; without a path, how far below the organization's line it is.
        path: the file; empty for the file of the organization.
        is_inside: whether the path begins at the folder of the organization's file.
    """

    line: int
    path: str = ""
    is_inside: bool = False

    def resolve(self, file: str, line: int) -> tuple[str, int]:
        """Return file and line, for an organization that was read from ``line`` of ``file``."""
        if not self.path:
            return file, line + self.line
        return (f"{_folder(file)}{self.path}" if self.is_inside else self.path), self.line


def place_of(file: str, line: int, owner: tuple[str, int]) -> Place:
    """Return the place of ``line`` in ``file``, relative to the ``owner``'s file and line."""
    own, first = owner
    if file == own:
        return Place(line - first)
    folder = _folder(own)
    is_inside = bool(folder) and file.startswith(folder)
    return Place(line, file.removeprefix(folder) if is_inside else file, is_inside)


def _folder(file: str) -> str:
    return file[: file.rfind("/") + 1]


class KeyState(NamedTuple):
    """What one moment shows of the keys of an organization.

    Attributes:
        keys: the key ids of each scope that has any, sorted, and where the first of them is.
        listed: where the organization is, if its keys were listed; None if nowhere.
        gaps: the facts that could not be read.
    """

    keys: Mapping[KeyScope, tuple[tuple[str, ...], Place]]
    listed: Place | None
    gaps: frozenset[str]

    def has_read(self, scope: KeyScope) -> bool:
        """Say whether the keys of ``scope`` are known, if only that there was none."""
        whole = self.listed is not None and f"{scope.type}-keys" not in self.gaps
        return whole or scope in self.keys

    def key_ids(self, scope: KeyScope) -> tuple[str, ...]:
        """Return the key ids of ``scope``; empty if it has no key."""
        known = self.keys.get(scope)
        return known[0] if known else ()

    def place(self, scope: KeyScope) -> Place | None:
        """Return where the key of ``scope`` is, or the organization without one."""
        known = self.keys.get(scope)
        return known[1] if known else self.listed


class DatabaseState(NamedTuple):
    """What one moment shows of a database; as ``KnownDatabase``, wherever it was read.

    Attributes:
        id: its id.
        name: its name.
        is_terminated: whether it was gone.
        status: its status, if the record states one.
        place: where it was read.
    """

    id: str
    name: str
    is_terminated: bool
    status: str | None
    place: Place


class Moment(NamedTuple):
    """One organization in one record.

    Attributes:
        organization: its id.
        name: its name.
        at: the record's time.
        file: the path of the first file that describes it.
        line: its line in that.
        keys: what is shown of its keys.
        databases: its existing databases that have an id.
    """

    organization: str
    name: str
    at: datetime
    file: str
    line: int
    keys: KeyState
    databases: tuple[DatabaseState, ...]


def microseconds(at: datetime) -> int:
    """Return a time as a whole number, which takes a fraction of the memory."""
    return (at - _EPOCH) // _MICROSECOND


def datetime_of(number: int) -> datetime:
    """Return the time that ``microseconds`` turned into ``number``."""
    return _EPOCH + timedelta(microseconds=number)
