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
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from inventory.database_lines.frozen_models import build_models
from inventory.model.database import Database, DatabaseRegion

if TYPE_CHECKING:
    from datetime import datetime

    from inventory.model.base import SourceLocation

T = TypeVar("T")


class DatabaseKind:
    """What many databases have in common; each kind is one object, and equals only itself.

    Attributes:
        example: a database of the kind; its id, its name, its times and its location mean nothing.
        regions: the fields of its regions.
    """

    __slots__ = ("example", "regions", "values")

    def __init__(self, example: Database) -> None:
        """Take the kind of ``example``."""
        self.example = example
        self.values: dict[str, Any] = dict(vars(example))
        self.regions: tuple[dict[str, Any], ...] = tuple(
            dict(vars(region)) for region in example.regions
        )


class StatedFields(NamedTuple):
    """Which fields the lines of databases state.

    Attributes:
        database: those of the database.
        regions: those of each of its regions.
    """

    database: set[str]
    regions: tuple[set[str], ...]


@dataclass(eq=False, kw_only=True)
class DatabaseColumns(Sequence[Database]):
    """Databases of the same stated fields, in columns of equal length.

    Attributes:
        stated: the fields that each of them states.
        kinds: their kinds.
        ids: their ids.
        names: their names.
        created: when each was created, in UTC; None for all of them if they do not state it.
        added: when each of their regions was added, region by region; likewise.
        seen: where each was seen in the recorded answers; likewise.
        locations: where each was read.
    """

    stated: StatedFields
    kinds: Sequence[DatabaseKind]
    ids: Sequence[str]
    names: Sequence[str]
    created: Sequence[datetime | None]
    added: Sequence[Sequence[datetime | None]]
    seen: Sequence[str | None]
    locations: Sequence[SourceLocation]
    _single: dict[int, Database] = field(default_factory=dict, init=False)

    def __len__(self) -> int:
        """Count the databases."""
        return len(self.kinds)

    @overload
    def __getitem__(self, place: int) -> Database: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Database]: ...
    def __getitem__(self, place: int | slice) -> Database | Sequence[Database]:
        """Return the model of one database, or of several; each is made once."""
        if isinstance(place, slice):
            return self.models[place]
        if "models" in vars(self):
            return self.models[place]
        row = range(len(self))[place]
        if row not in self._single:
            self._single[row] = self._models([row])[0]
        return self._single[row]

    @cached_property
    def models(self) -> list[Database]:
        """Return the models of all of them."""
        models = self._models(range(len(self)))
        for row, known in self._single.items():
            models[row] = known
        return models

    @cached_property
    def counts(self) -> Counter[DatabaseKind]:
        """Return how many databases there are of each kind, in the order of their first ones."""
        return Counter(self.kinds)

    @cached_property
    def deployed(self) -> Sequence[datetime | None]:
        """Return when each was deployed in its region; only for databases of one region.

        A database of one region was made with it.
        """
        (added,) = self.added
        return added if "added_at" in self.stated.regions[0] else self.created

    def move(self, locations: Sequence[SourceLocation]) -> None:
        """Set other locations; only for the reader that has just made it."""
        self.locations = locations

    def _models(self, rows: Sequence[int]) -> list[Database]:
        regions = [self._regions_of(row) for row in rows]
        made = iter(
            build_models(
                DatabaseRegion,
                [region for of_one in regions for region in of_one],
                self.stated.regions * len(rows),
            )
        )
        # ``zip`` takes one from the same iterator for each region that a database has.
        grouped = zip(*[made] * len(self.stated.regions), strict=True)
        values = [self._values_of(row, of_one) for row, of_one in zip(rows, grouped, strict=True)]
        return build_models(Database, values, repeat(self.stated.database, len(rows)))

    def _regions_of(self, row: int) -> list[dict[str, Any]]:
        regions = self.kinds[row].regions
        return [
            {**region, "added_at": added[row]}
            for region, added in zip(regions, self.added, strict=True)
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
