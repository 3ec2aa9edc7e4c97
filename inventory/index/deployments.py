"""Databases in their regions, by key scope: one by one, and in columns where many are alike."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar, overload

from inventory.database_lines.database_columns import pick
from inventory.model.base import NO_LOCATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from inventory.database_lines.database_columns import DatabaseColumns, DatabaseKind, Times
    from inventory.model.base import SourceLocation
    from inventory.model.database import Database, DatabaseRegion
    from inventory.model.key import KeyScope
    from inventory.model.organization import Expectation

T = TypeVar("T")


class Deployment(NamedTuple):
    """A database in one of its regions.

    Attributes:
        database: the database.
        region: the region, with the time it was added.
        scope: the key scope of the database's data there.
        expectation: the expected encryption there, by the region, the database or the policy.
        is_planned: whether the database, or this region of it, is only intended.
        deployed: when it was deployed there; None if that is not recorded.
        expects_customer_key: whether the database is to be encrypted by a customer key there.
    """

    database: Database
    region: DatabaseRegion
    scope: KeyScope
    expectation: Expectation
    is_planned: bool
    deployed: datetime | None
    expects_customer_key: bool

    @property
    def location(self) -> SourceLocation:
        """Return where it was read: the region's own location if it has one."""
        location = self.region.location if self.is_planned else NO_LOCATION
        return self.database.location if location == NO_LOCATION else location


class DeploymentColumns(Sequence[Deployment]):
    """Existing databases in one key scope, in columns.

    Attributes:
        examples: an example of each kind of them, of which id, name and times mean nothing.
    """

    def __init__(
        self,
        databases: DatabaseColumns,
        rows: Sequence[int],
        regions: Mapping[DatabaseKind, int],
        examples: Mapping[DatabaseKind, Deployment],
    ) -> None:
        """Take those of ``databases`` that are in ``rows``, and an example of each of their kinds.

        ``regions`` are the places of the scope's region among those of a kind.
        """
        self.examples = examples
        self._databases = databases
        self._rows = rows
        self._regions = regions

    def __len__(self) -> int:
        """Count the deployments."""
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Deployment: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Deployment]: ...
    def __getitem__(self, place: int | slice) -> Deployment | Sequence[Deployment]:
        """Return one deployment, or several."""
        if isinstance(place, slice):
            return self._of(self._rows[place])
        return self._of([self._rows[place]])[0]

    def __iter__(self) -> Iterator[Deployment]:
        """Yield each deployment."""
        return iter(self[:])

    def _of(self, rows: Sequence[int]) -> list[Deployment]:
        databases = self._databases
        made = zip(rows, databases.models(rows), strict=True)
        return [self._at(databases.kinds[row], row, database) for row, database in made]

    def _at(self, kind: DatabaseKind, row: int, database: Database) -> Deployment:
        region = self._regions[kind]
        return _deployment(self.examples[kind], region, database, self._databases.deployed[row])

    @cached_property
    def ids(self) -> Sequence[str]:
        """Return the ids of the databases."""
        return pick(self._databases.ids, self._rows)

    @cached_property
    def names(self) -> Sequence[str]:
        """Return the names of the databases."""
        return pick(self._databases.names, self._rows)

    @cached_property
    def locations(self) -> Sequence[SourceLocation]:
        """Return where the databases were read."""
        return pick(self._databases.locations, self._rows)

    @cached_property
    def deployed(self) -> Sequence[datetime | None]:
        """Return when each was deployed."""
        times = pick(self._databases.deployed, self._rows)
        if not any(self._regions.values()):  # nearly always, as most databases have one region
            return [time for time, *_ in times]
        kinds = pick(self._databases.kinds, self._rows)
        return [own[self._regions[kind]] for kind, own in zip(kinds, times, strict=True)]

    def select(self, condition: Callable[[Deployment], object]) -> DeploymentColumns:
        """Return those that meet ``condition``, which is asked once for each kind."""
        wanted = {kind: one for kind, one in self.examples.items() if condition(one)}
        if len(wanted) == len(self.examples):
            return self
        kinds = self._databases.kinds
        rows = [row for row in self._rows if kinds[row] in wanted] if wanted else []
        return DeploymentColumns(self._databases, rows, self._regions, wanted)


def _deployment(example: Deployment, region: int, database: Database, times: Times) -> Deployment:
    return example._replace(
        database=database, region=database.regions[region], deployed=times[region]
    )


class PlacedColumns(NamedTuple):
    """Databases in columns with their deployments.

    Attributes:
        databases: the databases.
        examples: the deployments of an example of each kind that is not terminated.
    """

    databases: DatabaseColumns
    examples: Mapping[DatabaseKind, tuple[Deployment, ...]]

    def by_scope(self) -> dict[KeyScope, DeploymentColumns]:
        """Return the deployments in each key scope, in the order of their databases."""
        rows: dict[KeyScope, list[int]] = {}
        regions: dict[KeyScope, dict[DatabaseKind, int]] = {}
        examples: dict[KeyScope, dict[DatabaseKind, Deployment]] = {}
        appending: dict[DatabaseKind, list[Callable[[int], None]]] = {}
        for kind, deployments in self.examples.items():
            for region, deployment in enumerate(deployments):
                scope = deployment.scope
                regions.setdefault(scope, {})[kind] = region
                examples.setdefault(scope, {})[kind] = deployment
                appending.setdefault(kind, []).append(rows.setdefault(scope, []).append)
        for row, kind in enumerate(self.databases.kinds):
            for append in appending.get(kind, ()):
                append(row)
        return {
            scope: DeploymentColumns(self.databases, rows[scope], regions[scope], examples[scope])
            for scope in rows
        }

    def select(
        self, condition: Callable[[tuple[Deployment, ...]], object]
    ) -> Iterator[tuple[Deployment, ...]]:
        """Yield the deployments of each database whose kind meets ``condition``, in their order."""
        wanted = {kind: some for kind, some in self.examples.items() if condition(some)}
        kinds, times = self.databases.kinds, self.databases.deployed
        rows = [row for row, kind in enumerate(kinds) if kind in wanted] if wanted else []
        for row, database in zip(rows, self.databases.models(rows), strict=True):
            yield tuple(
                _deployment(example, region, database, times[row])
                for region, example in enumerate(wanted[kinds[row]])
            )


class Deployments(Sequence[Deployment]):
    """The deployments in one key scope, in the order of their databases.

    Attributes:
        parts: single deployments, and columns of them.
    """

    def __init__(self, parts: Iterable[Deployment | DeploymentColumns] = ()) -> None:
        """Take the ``parts`` in their order."""
        self.parts = [*parts]

    def __len__(self) -> int:
        """Count the deployments."""
        return self._ends[-1] if self._ends else 0

    @cached_property
    def _ends(self) -> list[int]:
        """Return how many deployments there are up to the end of each part."""
        sizes = (len(part) if isinstance(part, DeploymentColumns) else 1 for part in self.parts)
        return list(accumulate(sizes))

    def __iter__(self) -> Iterator[Deployment]:
        """Yield each deployment."""
        for part in self.parts:
            if isinstance(part, DeploymentColumns):
                yield from part
            else:
                yield part

    @overload
    def __getitem__(self, place: int) -> Deployment: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Deployment]: ...
    def __getitem__(self, place: int | slice) -> Deployment | Sequence[Deployment]:
        """Return one deployment, or several."""
        if isinstance(place, slice):
            return list(self)[place]
        number = range(len(self))[place]
        at = bisect_right(self._ends, number)
        part = self.parts[at]
        before = self._ends[at - 1] if at else 0
        return part[number - before] if isinstance(part, DeploymentColumns) else part

    def examples(self) -> Iterator[Deployment]:
        """Yield one deployment of each kind; of a kind with several, id, name and times are none.

        Those that no columns hold are a kind each.
        """
        for part in self.parts:
            if isinstance(part, DeploymentColumns):
                yield from part.examples.values()
            else:
                yield part

    def select(self, condition: Callable[[Deployment], object]) -> Deployments:
        """Return the deployments that meet ``condition``, which is asked once for each kind.

        It must not look at an id, a name, a time or a location.
        """
        kept: list[Deployment | DeploymentColumns] = []
        for part in self.parts:
            if not isinstance(part, DeploymentColumns):
                if condition(part):
                    kept.append(part)
            elif some := part.select(condition):
                kept.append(some)
        return Deployments(kept)

    @property
    def ids(self) -> Sequence[str]:
        """Return what identifies each database."""
        return self._column(lambda one: one.database.identity, lambda part: part.ids)

    @property
    def names(self) -> Sequence[str]:
        """Return the name of each database."""
        return self._column(lambda one: one.database.name, lambda part: part.names)

    @property
    def locations(self) -> Sequence[SourceLocation]:
        """Return where each deployment was read."""
        return self._column(lambda one: one.location, lambda part: part.locations)

    @property
    def deployed(self) -> Sequence[datetime | None]:
        """Return when each was deployed; None where that is not recorded."""
        return self._column(lambda one: one.deployed, lambda part: part.deployed)

    def _column(
        self, of_one: Callable[[Deployment], T], of_many: Callable[[DeploymentColumns], Sequence[T]]
    ) -> Sequence[T]:
        columns = [
            of_many(part) if isinstance(part, DeploymentColumns) else (of_one(part),)
            for part in self.parts
        ]
        return columns[0] if len(columns) == 1 else list(chain.from_iterable(columns))


NO_DEPLOYMENTS = Deployments()
"""The deployments of a key scope that has none."""
