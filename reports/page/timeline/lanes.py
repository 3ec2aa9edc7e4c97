"""The lanes of a timeline: one for each key scope with a key or a database."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.identity import cached_escape, unescape
from inventory.model.key_ids import canonical
from reports.page.timeline.deployments import (
    NOT_JUDGED,
    Deployments,
    deployment,
    is_doubtful,
    rank_of,
)
from reports.page.timeline.key_life import RegionLook
from reports.page.timeline.parsed_times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reports.model.cloud_record import PortalRegionRecord
    from reports.model.population_record import (
        DatabaseLine,
        KeyLine,
        OrganizationLine,
        RegionRecord,
    )
    from reports.page.timeline.deployments import Order

MOST_KEYS = 3
"""How many keys of one key scope are shown; more than one is a failure already."""

MOST_LINES = 12
"""How many lines of keys of one key scope are kept, registered and planned."""

_MOST_PORTAL_DAYS = 20

_NO_SCOPE = ""


class LaneScope(NamedTuple):
    """A key scope; ``type`` is empty where a plan does not show it."""

    type: str = ""
    provider: str = ""
    region: str = ""


class Lane:
    """One key scope of an organization: its keys and its databases.

    Attributes:
        scope: the key scope.
        keys: the lines of its registered keys, each key once, ``MOST_KEYS`` at most.
        more_keys: how many more different keys it has.
        planned_keys: what a plan does with keys there.
        lines: the lines of its keys, registered and planned, ``MOST_LINES`` at most.
        more_lines: how many more there are.
        portal_counts: what the portal showed of its databases, and of how many; the first ones.
        databases: its databases.
    """

    def __init__(self, scope: LaneScope) -> None:
        """Start without keys and databases."""
        self.scope = scope
        self.keys: list[KeyLine] = []
        self.more_keys = 0
        self.planned_keys: list[str] = []
        self.lines: list[KeyLine] = []
        self.more_lines = 0
        self.portal_counts: Counter[RegionLook] = Counter()
        self.databases = Deployments()
        self._key_ids: set[str] = set()

    def add_key(self, line: KeyLine) -> None:
        """Add a key; another version of a known one is no other key."""
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)
        else:
            self.more_lines += 1
        if line["state"] == "planned":
            if line["change"] not in self.planned_keys:
                self.planned_keys.append(line["change"])
            return
        key_id = canonical(line["key_id"])
        if key_id in self._key_ids:
            return
        if len(self.keys) < MOST_KEYS:
            self._key_ids.add(key_id)
            self.keys.append(line)
        else:
            self.more_keys += 1

    def add_look(self, look: PortalRegionRecord) -> None:
        """Add what the portal showed of a database."""
        seen = RegionLook(look["on"], look["key"], look["due"])
        if seen in self.portal_counts or len(self.portal_counts) < _MOST_PORTAL_DAYS:
            self.portal_counts[seen] += 1

    @property
    def rank(self) -> int:
        """Return what sorts the worst lanes first."""
        ranks = [rank_of(code) for code in self.databases.codes()]
        if self._has_doubtful_key():
            ranks.append(rank_of("unknown"))
        return min(ranks, default=rank_of("after"))

    @property
    def is_doubtful(self) -> bool:
        """Say whether it has a failure or a doubt, of a database or a key."""
        return self._has_doubtful_key() or any(map(is_doubtful, self.databases.codes()))

    def _has_doubtful_key(self) -> bool:
        return len(self.keys) > 1 or any(
            "contradiction" in key or not all(old["cases"] for old in key.get("replaced", ()))
            for key in self.keys
        )


class OrganizationLanes:
    """The lanes of one organization.

    Attributes:
        path: the organization's path.
        name: its name.
        captured_at: when it was recorded; None if that is not known.
        is_listed: whether the population lists it, and so its keys.
        is_incomplete: whether not all of it could be judged.
        terminated: how many of its databases are terminated: no lane has them.
        lanes: its lanes, by key scope.
        used: the subjects of the findings that its databases have.
    """

    def __init__(self, path: str, line: OrganizationLine | None = None) -> None:
        """Start without lanes; without its ``line`` only the ``path`` names the organization."""
        captured = line.get("captured_at") if line else None
        self.path = path
        self.name = line["name"] if line else unescape(path)
        self.captured_at = parse_time(captured) if captured else None
        self.is_listed = line is not None
        self.is_incomplete = False
        self.terminated = 0
        self.lanes: dict[str, Lane] = {}
        self.used: set[str] = set()

    def _lane(self, kind: str, provider: str, region: str) -> Lane:
        path = "/".join((self.path, kind, provider, cached_escape(region)))
        lane = self.lanes.get(path)
        if lane is None:
            lane = self.lanes[path] = Lane(LaneScope(kind, provider, region))
        return lane

    def lane_of_scope(self, scope: str) -> Lane:
        """Return the lane of the key scope with the path ``scope``."""
        _, kind, provider, region = scope.split("/")
        return self._lane(kind, provider, unescape(region))

    def _lane_without_scope(self) -> Lane:
        return self.lanes.setdefault(_NO_SCOPE, Lane(LaneScope()))

    def add_key(self, line: KeyLine) -> None:
        """Add a key to the lane of its key scope."""
        if "type" in line:
            self._lane(line["type"], line["provider"], line["region"]).add_key(line)
        else:
            self._lane_without_scope().add_key(line)

    def add_database(self, line: DatabaseLine, orders: Mapping[str, Order]) -> None:
        """Add a database to the lane of each of its regions, with what was found of it there."""
        if line["state"] == "terminated":
            self.terminated += 1
        elif "regions" in line:
            for region in line["regions"]:
                self._add_region(line, region, orders)
        else:
            order = self._order(line["path"], orders)
            planned = deployment(line["name"], None, order, is_planned=True)
            self._lane_without_scope().databases.add(planned)

    def _add_region(
        self, line: DatabaseLine, region: RegionRecord, orders: Mapping[str, Order]
    ) -> None:
        _, kind, provider, name = region["scope"].split("/")
        order = self._order(f"{line['path']}/{name}", orders)
        is_planned = region["state"] == "planned"
        time = region.get("added_at") or region.get("deployed_at")
        at = parse_time(time) if time and not is_planned else None
        found = deployment(line["name"], at, order, is_planned=is_planned)
        lane = self._lane(kind, provider, region["name"])
        lane.databases.add(found)
        if "portal" in region:
            lane.add_look(region["portal"])

    def _order(self, path: str, orders: Mapping[str, Order]) -> Order:
        order = orders.get(path, NOT_JUDGED)
        if order is not NOT_JUDGED:
            self.used.add(path)
        return order

    def add_unlisted(self, path: str, order: Order) -> None:
        """Add what was judged without being listed, by the ``path`` of the finding's subject.

        Nothing shows when it was deployed. A finding about the organization as a whole says that
        not everything of it could be judged.
        """
        _, is_database, rest = path.partition("/database/")
        if is_database:
            name = unescape(rest.partition("/")[0])
            found = deployment(name, None, order, is_planned=False)
            self._lane_without_scope().databases.add(found)
        elif order.code in {"broken", "failing", "unknown", "waived"}:
            self.is_incomplete = True
