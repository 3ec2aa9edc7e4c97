"""Databases in columns: many that a file lists in a row, without a model for each of them.

A fleet has many databases that differ in little more than their ids, names and times. What reads
their columns takes a third of the time that it takes with models. Whatever else looks at a database
gets its model, which equals the one that the full reader makes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from inventory.database_lines.frozen_models import build_models
from inventory.model.database import Database, DatabaseRegion

if TYPE_CHECKING:
    from datetime import datetime

    from inventory.model.base import SourceLocation

T = TypeVar("T")

Times = tuple["datetime | None", ...]
"""When a database was deployed in each of its regions, in UTC; None where that is not recorded."""


class StatedFields(NamedTuple):
    """Which fields the line of a database states.

    Attributes:
        database: those of the database.
        regions: those of each of its regions.
    """

    database: set[str]
    regions: tuple[set[str], ...]


class DatabaseKind:
    """What many databases have in common; each kind is one object, and equals only itself.

    Attributes:
        example: a database of the kind; its id, its name, its times and its location mean nothing.
        stated: the fields that each of them states.
        regions: the fields of its regions.
    """

    __slots__ = ("example", "regions", "stated", "values")

    def __init__(self, example: Database, stated: StatedFields) -> None:
        """Take the kind of ``example``."""
        self.example = example
        self.stated = stated
        self.values: dict[str, Any] = dict(vars(example))
        self.regions: tuple[dict[str, Any], ...] = tuple(
            dict(vars(region)) for region in example.regions
        )

    def states_time(self, region: int) -> bool:
        """Return whether a region states when it was added."""
        return "added_at" in self.stated.regions[region]


@dataclass(eq=False, kw_only=True)
class DatabaseColumns(Sequence[Database]):
    """Databases that exist, or are terminated, in columns of equal length.

    Attributes:
        kinds: their kinds.
        ids: their ids.
        names: their names.
        created: when each was created, in UTC; None where that is not stated.
        deployed: when each was deployed in its regions.
        seen: where each was seen in the recorded answers; None where that is not stated.
        locations: where each was read.
    """

    kinds: Sequence[DatabaseKind]
    ids: Sequence[str]
    names: Sequence[str]
    created: Sequence[datetime | None]
    deployed: Sequence[Times]
    seen: Sequence[str | None]
    locations: Sequence[SourceLocation]
    _made: dict[int, Database] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        """Count the databases."""
        return len(self.kinds)

    @overload
    def __getitem__(self, place: int) -> Database: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Database]: ...
    def __getitem__(self, place: int | slice) -> Database | Sequence[Database]:
        """Return the model of one database, or of several; each is made once."""
        rows = range(len(self))[place]
        return self.models([rows])[0] if isinstance(rows, int) else self.models(rows)

    def models(self, rows: Sequence[int]) -> list[Database]:
        """Return the models of the databases in ``rows``; each is made once."""
        made = self._made
        missing = [row for row in rows if row not in made]
        if missing:
            made.update(zip(missing, self._build(missing), strict=True))
        return [made[row] for row in rows]

    @cached_property
    def counts(self) -> Counter[DatabaseKind]:
        """Return how many databases there are of each kind, in the order of their first ones."""
        return Counter(self.kinds)

    def move(self, locations: Sequence[SourceLocation]) -> None:
        """Set other locations; only for the reader that has just made it."""
        self.locations = locations

    def _build(self, rows: Sequence[int]) -> list[Database]:
        regions = list(map(self._regions_of, rows))
        stated = chain.from_iterable(self.kinds[row].stated.regions for row in rows)
        made = iter(build_models(DatabaseRegion, [*chain.from_iterable(regions)], stated))
        values = [
            self._values_of(row, tuple(next(made) for _ in own))
            for row, own in zip(rows, regions, strict=True)
        ]
        return build_models(Database, values, (self.kinds[row].stated.database for row in rows))

    def _regions_of(self, row: int) -> list[dict[str, Any]]:
        kind = self.kinds[row]
        return [
            {**region, "added_at": time if kind.states_time(place) else None}
            for place, (region, time) in enumerate(
                zip(kind.regions, self.deployed[row], strict=True)
            )
        ]

    def _values_of(self, row: int, regions: tuple[DatabaseRegion, ...]) -> dict[str, Any]:
        values = self.kinds[row].values.copy()
        values["id"], values["name"] = self.ids[row], self.names[row]
        values["created_at"], values["seen"] = self.created[row], self.seen[row]
        values["location"] = self.locations[row]
        values["regions"] = regions
        return values


def pick(column: Sequence[T], rows: Sequence[int]) -> Sequence[T]:
    """Return the entries of ``column`` in ``rows``, which are some of its numbers from 0 on."""
    if len(rows) == len(column):
        return column
    if len(rows) < 2:  # noqa: PLR2004 (of one number, itemgetter returns no tuple)
        return [column[row] for row in rows]
    picked: tuple[T, ...] = itemgetter(*rows)(column)
    return picked
