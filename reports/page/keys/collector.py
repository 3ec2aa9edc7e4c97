"""Collects the keys of a page while findings and population are read for its timeline.

Both come organization by organization, so the findings about keys of one organization only are in
memory at a time, and of all keys only the worst are kept.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.finding import NOT_COMPLYING, OPEN
from checks.engine.identity import cached_escape, unescape
from inventory.model.key_ids import canonical
from reports.presentation.selection import urgency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from reports.model.finding_record import FindingRecord
    from reports.model.key_plan import CoverageCell, CoverageRow
    from reports.model.population_record import KeyLine
    from reports.page.timeline.deployments import Deployments
    from reports.page.timeline.lanes import Lane, LaneScope, OrganizationLanes

SMALL = 40
"""Up to how many keys all of them are shown, whatever their findings."""

MOST_ACROSS = 1_000
"""How many findings on keys of several organizations are kept, to be shown with each key."""

_KEY_KINDS = (b'"subject":{"kind":"key', b'"subject":{"kind":"planned-key"')
_ACROSS = "."
_NO_KEY_NEEDED = frozenset({"astra-provided", "not-applicable"})

Rank = tuple[int, int, int, int]


class CollectedKey(NamedTuple):
    """A key, registered or planned, or a key scope with databases and without a key.

    Attributes:
        rank: what sorts the worst first, then those that were read first.
        organization: the number of its organization.
        captured_at: when that was recorded; None if that is not known.
        scope: its key scope.
        line: its line; None if the key scope has none.
        databases: the databases of its key scope.
        cell: what coverage shows of its key scope; None if that is nothing.
        findings: the findings about it that are open or waived, the worst first.
        passes: how many findings about it pass.
    """

    rank: Rank
    organization: int
    captured_at: datetime | None
    scope: LaneScope
    line: KeyLine | None
    databases: Deployments
    cell: CoverageCell | None
    findings: list[FindingRecord]
    passes: int

    @property
    def is_in_order(self) -> bool:
        """Say whether nothing is open or waived, and its cloud showed all that it was asked."""
        return self.rank[0] == _IN_ORDER


_OPEN, _WAIVED, _UNREAD, _IN_ORDER = range(4)


class OrganizationKeyCount(NamedTuple):
    """How many keys an organization has: its id, its name, all, and those not in order."""

    id: str
    name: str
    keys: int
    doubtful: int


class KeyTotals(NamedTuple):
    """How many keys there are of which something is known.

    Attributes:
        observed: of how many their cloud showed something.
        unread: of how many of these something could not be read.
        looked: at how many somebody looked in the portal.
        never_used: how many registered ones were never used, as their clouds record.
        ending: how many are to be deleted, or expire.
    """

    observed: int
    unread: int
    looked: int
    never_used: int
    ending: int


class CollectedKeys(NamedTuple):
    """What was collected: the keys that may be shown, the worst first, and how many there are."""

    kept: list[CollectedKey]
    organizations: list[OrganizationKeyCount]
    totals: KeyTotals


class _Noted:
    """The findings about the keys of one organization, by what they are about."""

    def __init__(self) -> None:
        self.by_path: defaultdict[str, list[FindingRecord]] = defaultdict(list)
        self.by_key: defaultdict[str, list[FindingRecord]] = defaultdict(list)
        self.passes: Counter[str] = Counter()

    def add(self, finding: FindingRecord) -> None:
        subject = finding["subject"]
        if subject["kind"] == "key-id":
            self.by_key[canonical(subject.get("key", ""))].append(finding)
        else:
            self.by_path[subject["path"]].append(finding)


class KeyCollector:
    """Picks the keys from lanes, and the findings about them from the lines of findings."""

    def __init__(self, coverage: Iterable[CoverageRow], limit: int) -> None:
        """Keep at most ``limit`` keys, or all of few."""
        self._cells: dict[tuple[str, str, str, str], CoverageCell] = {
            (row["organization"], cell["type"], cell["provider"], cell["region"]): cell
            for row in coverage
            for cell in row["cells"]
        }
        self._limit = max(limit, SMALL)
        self._noted: dict[str, _Noted] = {}
        self._across: defaultdict[str, list[FindingRecord]] = defaultdict(list)
        self._across_left = MOST_ACROSS
        self._kept: list[CollectedKey] = []
        self._organizations: list[OrganizationKeyCount] = []
        self._numbers: Counter[str] = Counter()
        self._read = 0

    def watch(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield every line of the findings; take a note of those about keys and key scopes."""
        for line in lines:
            self.add_finding(line)
            yield line

    def add_finding(self, line: bytes) -> None:
        """Take the line of a finding: a note, if it is about a key or a key scope."""
        if any(kind in line for kind in _KEY_KINDS):
            self._note(line)

    def _note(self, line: bytes) -> None:
        # As in the reader of the timeline: status is the 4th part, and the path the 26th.
        parts = line.split(b'"', 26)
        status, path = parts[3].decode("ascii"), parts[25].decode("ascii")
        organization = path.partition("/")[0]
        if organization == _ACROSS:
            self._note_across(status, line)
        elif status == "pass":
            self._of(organization).passes[path] += 1
        elif status in NOT_COMPLYING:
            self._of(organization).add(json.loads(line))

    def _note_across(self, status: str, line: bytes) -> None:
        if status in NOT_COMPLYING and self._across_left:
            self._across_left -= 1
            finding: FindingRecord = json.loads(line)
            self._across[canonical(finding["subject"].get("key", ""))].append(finding)

    def _of(self, organization: str) -> _Noted:
        return self._noted.setdefault(organization, _Noted())

    # --- organizations ----------------------------------------------------------------------------

    def add(self, organization: OrganizationLanes) -> None:
        """Take the keys of an organization of which all findings were noted."""
        noted = self._noted.pop(organization.path, None) or _Noted()
        identity, number = unescape(organization.path), len(self._organizations)
        entries = [
            self._collect(lane, line, noted, (identity, organization, number))
            for lane in organization.lanes.values()
            for line in _lines_of(lane)
        ]
        self._kept += entries
        beyond = sum(lane.more_lines for lane in organization.lanes.values())
        doubtful = sum(not entry.is_in_order for entry in entries) + beyond
        count = OrganizationKeyCount(
            identity, organization.name, len(entries) + beyond, doubtful=doubtful
        )
        self._organizations.append(count)
        if len(self._kept) > 2 * self._limit:
            self._shrink()

    def _collect(
        self,
        lane: Lane,
        line: KeyLine | None,
        noted: _Noted,
        place: tuple[str, OrganizationLanes, int],
    ) -> CollectedKey:
        identity, organization, number = place
        self._read += 1
        self._count(line)
        cell = self._cells.get((identity, *lane.scope))
        findings = _findings_about(organization.path, lane, line, noted)
        return CollectedKey(
            rank=(*_rank(findings, cell, line), self._read),
            organization=number,
            captured_at=organization.captured_at,
            scope=lane.scope,
            line=line,
            databases=lane.databases,
            cell=cell,
            findings=findings,
            passes=noted.passes[line["path"]] if line else 0,
        )

    def _count(self, line: KeyLine | None) -> None:
        if line is None:
            return
        cloud = line.get("cloud")
        self._numbers["observed"] += cloud is not None
        self._numbers["looked"] += "portal" in line
        if cloud:
            is_registered = line["state"] == "registered"
            self._numbers["unread"] += "unread" in cloud
            self._numbers["never_used"] += is_registered and cloud.get("never_used", False)
            self._numbers["ending"] += "deletion_at" in cloud or "expires_at" in cloud

    def _shrink(self) -> None:
        self._kept = sorted(self._kept, key=lambda key: key.rank)[: self._limit]

    def finish(self) -> CollectedKeys:
        """Return what was collected; findings across organizations are added to each key."""
        self._shrink()
        kept = [self._with_across(key) for key in self._kept]
        numbers = {name: self._numbers[name] for name in KeyTotals._fields}
        return CollectedKeys(kept, self._organizations, KeyTotals(**numbers))

    def _with_across(self, key: CollectedKey) -> CollectedKey:
        identity = key.line.get("key_id") if key.line else None
        across = self._across.get(canonical(identity), []) if identity else []
        return key._replace(findings=_worst_first([*key.findings, *across]))


def _lines_of(lane: Lane) -> list[KeyLine] | list[None]:
    """Return the lines of a lane's keys; None once if it has databases that need a key."""
    if lane.lines:
        return lane.lines
    needed = lane.databases.codes() - _NO_KEY_NEEDED
    return [None] if needed and lane.scope.type else []


def _findings_about(
    path: str, lane: Lane, line: KeyLine | None, noted: _Noted
) -> list[FindingRecord]:
    """Return what was found of a key, of its id, and of its key scope, the worst first."""
    if not (noted.by_path or noted.by_key):
        return []
    kind, provider, region = lane.scope
    paths = ["/".join((path, kind, provider, cached_escape(region)))] if kind else []
    keys = []
    if line:
        paths.append(line["path"])
        keys = [canonical(line["key_id"])] if "key_id" in line else []
    found = chain(*(noted.by_path.get(one, ()) for one in paths))
    return _worst_first([*found, *chain(*(noted.by_key.get(one, ()) for one in keys))])


def _worst_first(findings: Iterable[FindingRecord]) -> list[FindingRecord]:
    return sorted(findings, key=_urgency)


def _urgency(finding: Mapping[str, Any]) -> tuple[bool, tuple[int, int]]:
    return finding["status"] not in OPEN, urgency(finding["status"], finding["severity"])


def _rank(
    findings: list[FindingRecord], cell: CoverageCell | None, line: KeyLine | None
) -> tuple[int, int, int]:
    """Return what sorts the worst first: by findings, those of its databases too, then by facts."""
    known: list[Mapping[str, Any]] = [*findings]
    if cell and cell["status"] in NOT_COMPLYING:
        known.append(cell)
    if known:
        is_closed, (severity, status) = min(map(_urgency, known))
        return _WAIVED if is_closed else _OPEN, severity, status
    unread = bool(line and "unread" in line.get("cloud", {}))
    return _UNREAD if unread else _IN_ORDER, 0, 0
