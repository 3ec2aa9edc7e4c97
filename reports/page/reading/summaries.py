"""The lanes of organizations without their databases, which are only counted.

Of a fleet the page shows few lanes, and numbers of all others. So it is only counted how many of
the databases of a lane have each order: the head has the number of all, and the findings that do
not pass show the others. The lanes that the page shows are read again in whole. Where the counts do
not add up, as a database was not judged, nothing is guessed: all is read in whole then.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from checks.engine.identity import cached_escape
from reports.page.reading.runs import Wanted
from reports.page.timeline.deployments import Order, rank_of
from reports.page.timeline.lanes import OrganizationLanes
from reports.page.timeline.reader import LaneKeeper, order_of
from reports.record.layout import DATABASE_LINE, ORGANIZATION_LINE
from reports.record.stored_lines import all_begin, groups_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reports.model.head import Head
    from reports.model.key_plan import CoverageRow
    from reports.page.reading.runs import Run, Take
    from reports.page.timeline.reader import ReadLanes

_PLACE = re.compile(rb'"type":"([^"]*)","provider":"([^"]*)","region":')


class UnclearError(Exception):
    """Findings and population do not add up without a closer look."""


class OrderCounts:
    """What the findings of one organization show of the order of its databases.

    Attributes:
        passed: how many findings pass.
        orders: the other orders, by the path of their subject.
    """

    def __init__(self) -> None:
        """Start without findings."""
        self.passed = 0
        self.orders: dict[str, Order] = {}
        self._scopes: dict[str, str] = {}

    def count_passes(self, number: int) -> None:
        """Count findings that pass."""
        self.passed += number

    def note(self, line: bytes) -> None:
        """Take the line of a finding that does not pass."""
        path, order = order_of(line)
        known = self.orders.get(path)
        if known is None:
            self._scopes[path] = _scope_of(line, path)
        if known is None or rank_of(order.code) < rank_of(known.code):
            self.orders[path] = order

    def by_scope(self) -> dict[str, Counter[str]]:
        """Return how many databases in regions have each order, by key scope, but for passes."""
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for path, scope in self._scopes.items():
            if scope:
                counts[scope][self.orders[path].code] += 1
        return counts

    def unlisted(self) -> Iterator[tuple[str, Order]]:
        """Yield path and order of what is about the organization as a whole."""
        for path, scope in self._scopes.items():
            if not scope:
                yield path, self.orders[path]


def _scope_of(line: bytes, path: str) -> str:
    """Return the path of the key scope that a finding is about; empty if it is about all of them.

    Raises UnclearError if it is about a database whose key scope is not known.
    """
    owner, is_database, rest = path.partition("/database/")
    if "/" not in path:
        return ""
    place = _PLACE.search(line)
    if place is None or not is_database or rest.count("/") != 1:
        raise UnclearError
    kind, provider = (part.decode("ascii") for part in place.groups())
    return f"{owner}/{kind}/{provider}/{rest.partition('/')[2]}"


class CountedPopulation:
    """The population, of whose databases no line is read: the head has their number."""

    def __init__(
        self, head: Head, lines: Iterable[bytes], mixed: Iterable[range] | None = None
    ) -> None:
        """Read ``lines`` as far as organizations are asked for.

        Of a file, only the ``mixed`` parts are read, if it is known where not all are databases.
        """
        self._rows = {row["organization"]: row for row in head["coverage"]}
        self._entries = {entry["id"]: entry for entry in head["population"]["organizations"]}
        self._lines = _without_databases(groups_of(lines, mixed))
        self._next = next(self._lines, None)

    def read(self, path: str, found: OrderCounts) -> OrganizationLanes | None:
        """Return the lanes of the next organization; None at the end.

        What was ``found`` is about the one with that ``path``, and nothing about any other. Raises
        UnclearError if that does not add up.
        """
        if self._next is None:
            return None
        first = json.loads(self._next)
        organization = OrganizationLanes(first["path"], first)
        if first["id"] not in self._entries:
            raise UnclearError
        organization.terminated = self._entries[first["id"]]["terminated"] or 0
        self._read_keys(organization)
        scopes = _databases(organization.path, self._rows.get(first["id"]))
        _fill(organization, scopes, found if organization.path == path else OrderCounts())
        return organization

    def _read_keys(self, organization: OrganizationLanes) -> None:
        for line in self._lines:
            if line.startswith(ORGANIZATION_LINE):
                self._next = line
                return
            organization.add_key(json.loads(line))
        self._next = None


def _without_databases(groups: Iterable[Sequence[bytes]]) -> Iterator[bytes]:
    for group in groups:
        if not all_begin(group, DATABASE_LINE):
            yield from [line for line in group if not line.startswith(DATABASE_LINE)]


def _databases(path: str, row: CoverageRow | None) -> Iterator[tuple[str, int]]:
    """Yield the path of each key scope with databases, and how many it has."""
    for cell in row["cells"] if row else ():
        if cell["databases"]:
            region = cached_escape(cell["region"])
            yield f"{path}/{cell['type']}/{cell['provider']}/{region}", cell["databases"]


def _fill(
    organization: OrganizationLanes, scopes: Iterable[tuple[str, int]], found: OrderCounts
) -> None:
    """Give each lane its number of databases by order: those of no other order pass.

    Raises UnclearError if not as many findings pass.
    """
    counts, passed = found.by_scope(), 0
    for scope, number in scopes:
        orders = counts.pop(scope, Counter())
        after = number - orders.total()
        if after < 0:
            raise UnclearError
        passed += after
        orders.update({"after": after} if after else {})
        organization.lane_of_scope(scope).databases.undated.update(orders)
    if counts or passed != found.passed:
        raise UnclearError
    for path, order in found.unlisted():
        organization.add_unlisted(path, order)


class LaneCounter:
    """Counts lanes while findings are read; as the reader of the timeline, which reads them."""

    def __init__(
        self,
        population: CountedPopulation,
        limit: int,
        on_organization: Callable[[OrganizationLanes], None],
    ) -> None:
        """Read ``population`` as findings need it; keep at most ``limit`` lanes, or all of few."""
        self._keeper = LaneKeeper(limit, on_organization)
        self._population = population
        self._path = ""
        self._found = OrderCounts()

    def wants(self, run: Run, takers: Sequence[Take]) -> Wanted:
        """Return what is wanted of a run of findings about the order, beside other ``takers``."""
        if run.path != self._path:
            self._complete()
            self._path = run.path
        if run.status == "pass":
            return Wanted(takers, self._found.count_passes)
        return Wanted([*takers, self._found.note])

    def finish(self) -> ReadLanes:
        """Return the lanes once all findings were read; the rest of the population is read."""
        self._complete()
        while (organization := self._population.read("", OrderCounts())) is not None:
            self._keeper.keep(organization)
        return self._keeper.kept()

    def _complete(self) -> None:
        """Count the lanes of the organization of which all findings were read."""
        while self._path:
            organization = self._population.read(self._path, self._found)
            if organization is None:
                raise UnclearError
            self._keeper.keep(organization)
            if organization.path == self._path:
                self._path = ""
        self._found = OrderCounts()
