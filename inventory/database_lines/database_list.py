"""The databases of an organization: models, and columns of those that differ in little.

Whoever counts databases, or looks for a few among them, asks once for all that are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, overload

from inventory.database_lines.database_columns import DatabaseColumns
from inventory.model.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class DatabaseList(Sequence[Database]):
    """Databases in the order of their file; equal to a tuple of the same ones.

    Attributes:
        parts: single databases, and columns of databases.
    """

    def __init__(self, parts: Iterable[Database | DatabaseColumns]) -> None:
        """Take the ``parts`` in their order."""
        self.parts = tuple(parts)
        sizes = (len(part) if isinstance(part, DatabaseColumns) else 1 for part in self.parts)
        self._count = sum(sizes)

    def __len__(self) -> int:
        """Count the databases."""
        return self._count

    def __iter__(self) -> Iterator[Database]:
        """Yield the model of each database."""
        for part in self.parts:
            if isinstance(part, DatabaseColumns):
                yield from part[:]
            else:
                yield part

    @overload
    def __getitem__(self, place: int) -> Database: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Database]: ...
    def __getitem__(self, place: int | slice) -> Database | Sequence[Database]:
        """Return the models of one database, or of several."""
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        """Compare the databases with those of another list, or of a tuple."""
        if isinstance(other, DatabaseList | tuple):
            return tuple(self) == tuple(other)
        return NotImplemented

    def __hash__(self) -> int:
        """Return the hash of the tuple of the same databases."""
        return hash(tuple(self))


def parts_of(databases: Sequence[Database] | None) -> Iterable[Database | DatabaseColumns]:
    """Return the parts of ``databases``; without columns these are the databases themselves."""
    return databases.parts if isinstance(databases, DatabaseList) else databases or ()


def count_kinds(databases: Sequence[Database] | None) -> Iterator[tuple[Database, int]]:
    """Yield a database of each kind, and how many of the kind there are.

    Of a kind with several, the id, the name, the times and the location mean nothing. Databases
    that only models hold are a kind each.
    """
    for part in parts_of(databases):
        if isinstance(part, DatabaseColumns):
            for kind, count in part.counts.items():
                yield kind.example, count
        else:
            yield part, 1


def select(
    databases: Sequence[Database] | None, condition: Callable[[Database], object]
) -> Iterator[Database]:
    """Yield the databases that meet ``condition``, which is asked once for each kind.

    It must not look at an id, a name, a time or a location.
    """
    for part in parts_of(databases):
        if isinstance(part, DatabaseColumns):
            wanted = {kind for kind in part.counts if condition(kind.example)}
            if wanted:
                rows = [row for row, kind in enumerate(part.kinds) if kind in wanted]
                yield from part.models(rows)
        elif condition(part):
            yield part


def ids_of(databases: Sequence[Database] | None) -> list[str]:
    """Return the ids of ``databases``, without those that have none yet."""
    if not isinstance(databases, DatabaseList):
        return [database.id for database in databases or () if database.id]
    by_part = (
        part.ids if isinstance(part, DatabaseColumns) else filter(None, (part.id,))
        for part in databases.parts
    )
    return list(chain.from_iterable(by_part))
