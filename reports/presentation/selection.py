"""Which findings a report shows, chosen in one pass over ``findings.ndjson``."""

from __future__ import annotations

import json
from functools import cache
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, cast

from checks.engine.card import SEVERITIES
from checks.engine.finding import KNOWN, NOT_COMPLYING, OPEN, STATUSES
from checks.engine.outcome import Gate
from reports.presentation.sample import DEFAULT_SIZE
from reports.record.stored_lines import StoredLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from checks.engine.card import Severity
    from checks.engine.finding import Status
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, RuleEntry

    Lines = list[bytes]
    Counts = Mapping[tuple[str, str], int]

FOLDED: tuple[Status, ...] = ("pass", "not-applicable")
"""The statuses that are grouped by rule, each group folded."""

_INDEXED = 200
"""How many open findings, and how many waived ones, the index of a fleet lists itself."""

_LANES = 40
"""How many key scopes the timeline of that index draws."""

_KEYS = 40
"""How many keys that index lists."""

_INDEXED_ACROSS = 500
"""How many open findings across organizations it lists in addition, and how many waived ones."""

_ACROSS = b'"organization":"",'
"""What a line holds if its finding goes across organizations; free text has no plain quotes."""

_KNOWN = f',"change":"{KNOWN}",'.encode("ascii")
"""What a line holds if the baseline knows its finding."""

_CLOSED = tuple(
    f'{{"status":"{status}",'.encode("ascii") for status in STATUSES if status not in OPEN
)


class PageLimits(NamedTuple):
    """How much the page shows; what is beyond is counted.

    Attributes:
        open: findings that are open, the worst severities first.
        waived: findings that are waived.
        across: findings across organizations that are open, and as many that are waived, if those
            are counted apart from the others; else 0.
        folded: findings that pass or are not applicable, together.
        cells: cells of all coverage matrices together.
        whole_organizations: organizations up to which those in order have a row of their own.
        actions: groups of actions, the most urgent first.
        lanes: key scopes on the timeline, those with the worst orders first.
        keys: keys with their databases and their lives, those with the worst findings first.
        waivers: waivers.
        attestations: attestations.
        rows: sources, organizations, comparisons of counts, and organizations in which something
            was not evaluated, each.
        readings: organizations of which it is shown how they were read.
        exchanges: recorded answers, first those that open findings cite.
        plan: key scopes in each list of the key plan, and organizations in it.
        commands: key scopes of each kind of which it is shown what registers their keys.
        changes: findings and key scopes in each list of what changed since the baseline.
        organizations: organizations that the filter offers by name.
        full: open findings up to which each repeats the text of its rule.
        fleet: organizations above which each has a page of its own, and the page is their index.
        sample: databases drawn for an auditor to look at.
    """

    open: int = 5_000
    waived: int = 1_000
    across: int = 0
    folded: int = 5_000
    cells: int = 4_000
    whole_organizations: int = 50
    lanes: int = 100
    keys: int = 200
    actions: int = 200
    waivers: int = 1_000
    attestations: int = 500
    rows: int = 1_000
    readings: int = 200
    exchanges: int = 2_000
    plan: int = 500
    commands: int = 5
    changes: int = 200
    organizations: int = 500
    full: int = 1_000
    fleet: int = 100

    sample: int = DEFAULT_SIZE

    def of_index(self) -> PageLimits:
        """Return the limits of the index of a fleet: what is left out is on the other pages.

        Findings across organizations are on no other page.
        """
        return self._replace(
            open=_INDEXED,
            waived=_INDEXED,
            folded=0,
            cells=0,
            lanes=_LANES,
            keys=_KEYS,
            across=_INDEXED_ACROSS,
            readings=0,
            exchanges=0,
        )

    def of_organization(self) -> PageLimits:
        """Return the limits of the page of one organization of a fleet: it repeats little."""
        return self._replace(full=10, sample=0)


class Selection(NamedTuple):
    """The findings that are shown, parsed.

    Attributes:
        open: in error, failing or inconclusive; the most urgent first.
        waived: in the order of the file.
        folded: by status and rule, in the order of the file.
    """

    open: list[FindingRecord]
    waived: list[FindingRecord]
    folded: dict[tuple[str, str], list[FindingRecord]]


class FindingSelector:
    """Picks the findings to show from the lines of all findings: only these are parsed."""

    def __init__(self, rules: Sequence[RuleEntry], limits: PageLimits) -> None:
        """Pick as many as the ``limits`` allow."""
        self._limits = limits
        self._shares = share_out(_counts(rules), limits.folded)
        self._folded: dict[tuple[str, str], Lines] = {key: [] for key in self._shares}
        self._urgent, self._across = Urgent(limits.open), Urgent(limits.across)
        self._waived: Lines = []
        self._waived_across: Lines = []

    def wants(self, status: str, rule: str) -> bool:
        """Return whether a finding of this status and rule may be shown.

        Of a million findings nearly all are passes beyond the limit.
        """
        if status in NOT_COMPLYING:
            return True
        return len(self._folded[status, rule]) < self._shares[status, rule]

    def add(self, line: bytes) -> None:
        """Take the line of a finding."""
        status, rule, severity = line_fields(line)
        if status not in NOT_COMPLYING:
            if self.wants(status, rule):
                self._folded[status, rule].append(line)
            return
        is_apart = self._limits.across > 0 and _ACROSS in line
        if status in OPEN:
            urgent = self._across if is_apart else self._urgent
            urgent.add(urgency(status, severity), line)
        elif is_apart:
            self._waived_across += [line][: self._limits.across - len(self._waived_across)]
        else:
            self._waived += [line][: self._limits.waived - len(self._waived)]

    def finish(self) -> Selection:
        """Return the findings to show."""
        opened = merge(self._urgent.ranked(), self._across.ranked(), key=itemgetter(0))
        return Selection(
            _parse([line for _, line in opened]),
            _parse([*self._waived, *self._waived_across]),
            {key: _parse(group) for key, group in self._folded.items()},
        )


class Urgent:
    """Keeps the most urgent of any number of lines, and drops the others.

    Attributes:
        total: how many lines there were.
    """

    def __init__(self, limit: int) -> None:
        """Keep at most ``limit`` lines."""
        self.total = 0
        self._left = limit
        self._by_rank: dict[tuple[int, int], Lines] = {}

    def add(self, rank: tuple[int, int], line: bytes) -> None:
        """Add ``line``; the smaller its ``rank``, the more urgent it is."""
        self.total += 1
        if not self._left:
            last = max(self._by_rank, default=rank)
            if rank >= last:
                return
            self._drop(last)
        self._by_rank.setdefault(rank, []).append(line)
        self._left -= 1

    def _drop(self, rank: tuple[int, int]) -> None:
        self._by_rank[rank].pop()
        self._left += 1
        if not self._by_rank[rank]:
            del self._by_rank[rank]

    def ranked(self) -> list[tuple[tuple[int, int], bytes]]:
        """Return the kept lines with their ranks, the most urgent first."""
        return [(rank, line) for rank in sorted(self._by_rank) for line in self._by_rank[rank]]

    def lines(self) -> Lines:
        """Return the kept lines, the most urgent first, equals in the order they came in."""
        return [line for _, line in self.ranked()]


def shown_frameworks(head: Head) -> frozenset[str]:
    """Return the names of the frameworks that the reports of an audit show."""
    every = (framework["name"] for framework in head["criteria"]["frameworks"])
    return frozenset(head["settings"]["frameworks"] or every)


def count_open(head: Head) -> int:
    """Return how many findings of an audit are open."""
    return sum(head["counts"][status] for status in OPEN)


def open_lines(
    lines: Iterable[bytes], total: int | None = None
) -> Iterator[tuple[Status, Severity, bytes]]:
    """Yield status and severity of each finding that is open, with its line.

    Where there are ``total`` of them, nothing more is read after the last one.
    """
    found = lines.without(_CLOSED) if isinstance(lines, StoredLines) else _without_closed(lines)
    for line in islice(found, total):
        status, _, severity = line_fields(line)
        yield cast("Status", status), cast("Severity", severity), line


def _without_closed(lines: Iterable[bytes]) -> Iterator[bytes]:
    return (line for line in lines if not line.startswith(_CLOSED))


def recorded_gate(head: Head) -> Gate:
    """Return what stopped a pipeline in the audit with this ``head``."""
    settings = head["settings"]
    return Gate(settings["fail_on"], settings["allow_inconclusive"], settings["fail_on_new"])


def stops(gate: Gate, status: Status, severity: Severity, line: bytes) -> bool:
    """Return whether the finding of a ``line``, which is not parsed, stops a pipeline."""
    # Looking for the bytes is enough: a quote in a text of the finding would be escaped.
    return gate.stops(status, severity, KNOWN if _KNOWN in line else "")


def most_urgent(lines: Iterable[bytes], limit: int, total: int | None = None) -> Lines:
    """Return the lines of the most urgent of the open findings, at most ``limit``.

    They are not parsed: parsed, each takes many times as much memory.
    """
    urgent = Urgent(limit)
    for status, severity, line in open_lines(lines, total):
        urgent.add(urgency(status, severity), line)
    return urgent.lines()


def share_out(counts: Counts, limit: int) -> dict[tuple[str, str], int]:
    """Share ``limit`` among groups: the small ones get all they need, the large ones alike."""
    shares: dict[tuple[str, str], int] = {}
    left = limit
    # From the smallest group on, each may take an equal part of what is left: what a small group
    # does not need is left to the larger ones.
    for place, (key, count) in enumerate(
        sorted(counts.items(), key=lambda item: (item[1], item[0]))
    ):
        shares[key] = min(count, left // (len(counts) - place))
        left -= shares[key]
    return shares


def _counts(rules: Sequence[RuleEntry]) -> dict[tuple[str, str], int]:
    return {(status, rule["id"]): rule["counts"][status] for status in FOLDED for rule in rules}


def line_fields(line: bytes) -> tuple[str, str, str]:
    """Return status, rule and severity of a line."""
    # {"status":"…","rule":"…","id":"…","severity":"…": a value is every fourth part.
    parts = line.split(b'"', 16)
    return parts[3].decode("ascii"), parts[7].decode("ascii"), parts[15].decode("ascii")


@cache
def urgency(status: str, severity: str) -> tuple[int, int]:
    """Return what sorts the worst severities first, and equals by their status."""
    return SEVERITIES.index(severity), STATUSES.index(status)


def _parse(lines: Sequence[bytes]) -> list[FindingRecord]:
    return [json.loads(line) for line in lines]
