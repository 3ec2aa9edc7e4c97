"""Reads the lanes of a timeline from findings and population, each of them once.

Both are sorted by organization, so one organization is in memory at a time, and of all lanes only
the worst are kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.catalogue import rule_of
from checks.engine.finding import STATUSES
from checks.engine.identity import reason_of, unescape
from reports.page.timeline.deployments import Order, rank_of
from reports.page.timeline.lanes import OrganizationLanes
from reports.record.layout import ORGANIZATION_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from reports.page.timeline.lanes import Lane

SMALL = 40
"""Up to how many lanes all of them are shown, whatever their orders."""

_STATUSES = {"error": "broken", "inconclusive": "unknown", "waived": "waived", "pass": "after"}
_CAUSES = {"older-than-key": "older-than-key", "without-key": "without-key"}


class KeptLane(NamedTuple):
    """A lane that may be shown.

    Attributes:
        rank: what sorts the worst first, then those that were read first.
        organization: the number of its organization.
        captured_at: when that was recorded; None if that is not known.
        is_listed: whether the population lists its keys.
        lane: the lane.
    """

    rank: tuple[int, int]
    organization: int
    captured_at: datetime | None
    is_listed: bool
    lane: Lane


class CountedOrganization(NamedTuple):
    """How many lanes an organization has.

    Attributes:
        id: the organization's id.
        name: its name.
        lanes: how many lanes it has.
        doubtful: how many of them have a failure or a doubt.
        is_incomplete: whether not all of it could be judged.
    """

    id: str
    name: str
    lanes: int
    doubtful: int
    is_incomplete: bool


class ReadLanes(NamedTuple):
    """What was read for a timeline.

    Attributes:
        kept: the lanes that may be shown, the worst first.
        organizations: every organization, in the order of the record.
        terminated: how many databases no lane has, as they are terminated.
    """

    kept: list[KeptLane]
    organizations: list[CountedOrganization]
    terminated: int


class LaneKeeper:
    """Keeps the worst of all lanes, organization by organization, and counts the others."""

    def __init__(
        self,
        limit: int,
        on_organization: Callable[[OrganizationLanes], None] = lambda _: None,
    ) -> None:
        """Keep at most ``limit`` lanes, or all of few; give on each organization that is kept."""
        self._on_organization = on_organization
        self._limit = max(limit, SMALL)
        self._kept: list[KeptLane] = []
        self._organizations: list[CountedOrganization] = []
        self._terminated = 0
        self._lanes = 0

    def keep(self, organization: OrganizationLanes) -> None:
        """Take the lanes of an organization, of which all is known."""
        self._on_organization(organization)
        lanes = list(organization.lanes.values())
        number = len(self._organizations)
        doubtful = sum(lane.is_doubtful for lane in lanes)
        self._organizations.append(
            CountedOrganization(
                id=unescape(organization.path),
                name=organization.name,
                lanes=len(lanes),
                doubtful=doubtful,
                is_incomplete=organization.is_incomplete,
            )
        )
        self._terminated += organization.terminated
        for lane in lanes:
            self._lanes += 1
            rank = lane.rank, self._lanes
            place = organization.captured_at, organization.is_listed
            self._kept.append(KeptLane(rank, number, *place, lane))
        if len(self._kept) > 2 * self._limit:
            self._shrink()

    def _shrink(self) -> None:
        self._kept = sorted(self._kept, key=lambda kept: kept.rank)[: self._limit]

    def kept(self) -> ReadLanes:
        """Return the lanes that may be shown, and the numbers of all."""
        self._shrink()
        return ReadLanes(self._kept, self._organizations, self._terminated)


class TimelineReader:
    """Picks what a timeline needs from the findings while they are read for something else."""

    def __init__(
        self,
        population: Iterable[bytes],
        limit: int,
        on_organization: Callable[[OrganizationLanes], None] = lambda _: None,
    ) -> None:
        """Read ``population`` as findings need it; keep at most ``limit`` lanes, or all of few.

        Each organization is given to ``on_organization`` once all that is known of it was read.
        """
        self._keeper = LaneKeeper(limit, on_organization)
        self._population = _Population(population)
        self._path = ""
        self._orders: dict[str, Order] = {}
        rule = rule_of("key-first")
        self._prefixes = tuple(
            f'{{"status":"{status}","rule":"{rule}",'.encode("ascii") for status in STATUSES
        )

    def watch(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield every line of the findings; take a note of those about the order."""
        for line in lines:
            if line.startswith(self._prefixes):
                self.add(line)
            yield line

    def finish(self) -> ReadLanes:
        """Return the lanes once all findings were read; the rest of the population is read."""
        self._complete()
        while (organization := self._population.read({})) is not None:
            self._keeper.keep(organization)
        return self._keeper.kept()

    def add(self, line: bytes) -> None:
        """Take the line of a finding about the order."""
        path, order = order_of(line)
        organization = path.partition("/")[0]
        if organization != self._path:
            self._complete()
            self._path = organization
        known = self._orders.get(path)
        if known is None or rank_of(order.code) < rank_of(known.code):
            self._orders[path] = order

    def _complete(self) -> None:
        """Make the lanes of the organization of which all findings were read."""
        if not self._orders:
            return
        organization = self._read_up_to(self._path)
        for path, order in self._orders.items():
            if path not in organization.used:
                organization.add_unlisted(path, order)
        self._keeper.keep(organization)
        self._orders = {}

    def _read_up_to(self, path: str) -> OrganizationLanes:
        """Read organizations up to that of ``path``, of which the findings are known."""
        while (organization := self._population.read(self._orders)) is not None:
            if organization.path == path:
                return organization
            self._keeper.keep(organization)
        return OrganizationLanes(path)


class _Population:
    """The lines of the population, read organization by organization."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._next = next(self._lines, None)

    def read(self, orders: Mapping[str, Order]) -> OrganizationLanes | None:
        """Return the lanes of the next organization; None at the end."""
        if self._next is None:
            return None
        first = json.loads(self._next)
        organization = OrganizationLanes(first["path"], first)
        for line in self._lines:
            if line.startswith(ORGANIZATION_LINE):
                self._next = line
                return organization
            entry = json.loads(line)
            if entry["kind"] == "key":
                organization.add_key(entry)
            else:
                organization.add_database(entry, orders)
        self._next = None
        return organization


def order_of(line: bytes) -> tuple[str, Order]:
    """Return what a finding about the order is about, and the order that it shows."""
    # {"status":"…","rule":"…","id":"…","severity":"…","subject":{"kind":"…","path":"…": no
    # text of these holds a quotation mark, so the path is the 26th part.
    parts = line.split(b'"', 26)
    code = _code(parts[3].decode("ascii"), line)
    return parts[25].decode("ascii"), Order(code, parts[11].decode("ascii"))


def _code(status: str, line: bytes) -> str:
    """Return the code of ``labels.ORDER`` for the finding in ``line``."""
    if status == "fail":
        # A quotation mark inside of a text is escaped, so this is the name of a field.
        cause = line.partition(b',"cause":"')[2].partition(b'"')[0].decode("ascii")
        return _CAUSES.get(reason_of(cause), "failing")
    if status == "not-applicable":
        declared = b',"reason":"astra-provided"' in line
        return "astra-provided" if declared else "not-applicable"
    return _STATUSES[status]
