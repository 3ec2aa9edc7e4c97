"""Groups of findings: what one pytest item answers for, and how it ends.

This is the one module of ``checks/`` that imports pytest, for the outcomes fail and skip.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from checks.engine.card import SEVERITIES, Card, Severity, rank
from checks.engine.finding import KNOWN, OPEN, STATUSES, Change, Finding, Status, subject_name
from inventory.text.display import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

Place = tuple[str, str, str, str]
"""The id of an organization, and a type, a provider and a region in it; each may be empty."""

SHOWN = 10
"""How many open findings an item names before it points to the report."""


class Gate(NamedTuple):
    """Which open findings stop a pipeline.

    Attributes:
        fail_on: the mildest severity of a failure that stops.
        allow_inconclusive: whether what could not be judged may go on.
        new_only: whether what is unchanged since the baseline may go on.
    """

    fail_on: Severity = "low"
    allow_inconclusive: bool = False
    new_only: bool = False

    def stops(self, status: Status, severity: Severity, change: Change = "") -> bool:
        """Return whether a finding of that status, severity and change stops a pipeline."""
        if self.new_only and change == KNOWN and status != "error":
            return False
        if status == "fail":
            return rank(severity) <= rank(self.fail_on)
        return status == "error" or (status == "inconclusive" and not self.allow_inconclusive)


class _OutcomeText(pytest.fail.Exception):  # type: ignore[name-defined,misc]  # pytest types it as Any
    """An outcome whose text is all there is to show: pytest adds no traceback."""

    def __init__(self, text: str) -> None:
        super().__init__(text, pytrace=False)


class Noncompliant(_OutcomeText):
    """A group holds a failure that stops."""


class Unjudged(_OutcomeText):
    """A group holds a finding that is inconclusive or in error, which stops."""


class Example(NamedTuple):
    """A finding that its group names; the texts are fit for a terminal.

    Attributes:
        rank: its status as a number, the most urgent first.
        status: its status.
        id: its id.
        organization: the id of the organization it is about; empty if it goes across them.
        text: its subject by name, and what was found.
        step: what resolves it; empty if no step is known.
        position: the place of its organization among those of a group; equal within one.
    """

    rank: int
    status: Status
    id: str
    organization: str
    text: str
    step: str
    position: int = 0

    def __str__(self) -> str:
        """Render the fact with its status, and what to do on a line of its own."""
        step = f"\n    To do: {self.step}." if self.step else ""
        return f"{self.text} [{self.status}]{step}"


class FindingGroup:
    """The findings of one rule about one subject, one organization, or all of the audit.

    Attributes:
        card: the rule.
        key: what the group is of: a subject's path, an organization's id, or empty for all.
        label: the same for people, escaped; the parameter in the node id.
        name: the subject's own name for people, if the group is of one that has any.
        counts: how many findings there are of each status.
        stopping: how many findings stop a pipeline, by status.
        known: how many would, if the baseline did not know them.
        organization_id: the organization's id, if all findings are of one.
        organization: its name.
        organizations: the names of all organizations that it has findings of, by their ids.
        type, provider, region: those of the subject, if the group is of one.
        open_in: the organization, type, provider and region of each open finding.
    """

    # A fleet has a group for each of its organizations and rules, as long as it is judged.
    __slots__ = (
        "_examples",
        "_worst",
        "card",
        "counts",
        "key",
        "known",
        "label",
        "name",
        "open_in",
        "organization",
        "organization_id",
        "organizations",
        "provider",
        "region",
        "stopping",
        "type",
    )

    def __init__(self, card: Card, key: str, label: str = "") -> None:
        """Make an empty group; ``add`` fills it."""
        self.card = card
        self.key = key
        self.label = label
        self.name = ""
        self.organization_id = self.organization = ""
        self.organizations: dict[str, str] = {}
        self.type = self.provider = self.region = ""
        self.counts: Counter[Status] = Counter()
        self.stopping: Counter[Status] = Counter()
        self.known = 0
        self._worst = len(SEVERITIES)
        self.open_in: set[Place] = set()
        self._examples: list[Example] = []

    def add(self, finding: Finding, gate: Gate) -> None:
        """Count ``finding``, and remember it if it is among the first and worst not compliant."""
        status = finding.status
        self.counts[status] += 1
        if status == "pass":
            return
        if status in OPEN:
            self._worst = min(self._worst, rank(finding.severity))
            subject = finding.subject
            place = subject.organization, subject.type, subject.provider, subject.region
            self.open_in.add(place)
            if gate.stops(status, finding.severity, finding.change):
                self.stopping[status] += 1
            elif gate.stops(status, finding.severity):
                self.known += 1
        order = STATUSES.index(status)
        if len(self._examples) < SHOWN or order < self._examples[-1].rank:
            self._remember([self._example(order, finding)])

    def add_passes(self, count: int) -> None:
        """Count as many passes."""
        self.counts["pass"] += count

    def _example(self, order: int, finding: Finding) -> Example:
        organization = self.organization or finding.subject.organization
        name = subject_name(organization, finding.subject, finding.name)
        text = f"{printable(name)}: {printable(finding.message)}"
        step = printable(finding.action.rstrip("."))
        return Example(
            rank=order,
            status=finding.status,
            id=finding.id,
            organization=finding.subject.organization,
            text=text,
            step=step,
        )

    def _remember(self, examples: list[Example]) -> None:
        """Keep the first of ``examples``, the most urgent status before others."""
        every = self._examples + examples
        self._examples = sorted(every, key=attrgetter("rank", "position"))[:SHOWN]

    def merge(self, other: FindingGroup, position: int = 0) -> None:
        """Add all findings of ``other``, whose organizations begin at ``position``."""
        self.counts.update(other.counts)
        self.stopping.update(other.stopping)
        self.known += other.known
        self._worst = min(self._worst, other._worst)
        self.organizations |= other.organizations
        self.open_in |= other.open_in
        self._remember(
            [example._replace(position=position + example.position) for example in other._examples]
        )

    @property
    def examples(self) -> list[Example]:
        """Return the findings that the text names, the most urgent status first."""
        return sorted(self._examples, key=attrgetter("rank", "text"))

    @property
    def unnamed(self) -> int:
        """Return how many findings that are no pass the text does not name."""
        return self.counts.total() - self.counts["pass"] - len(self._examples)

    @property
    def severity(self) -> Severity:
        """Return the worst severity of an open finding; the card's own if none is open."""
        return (*SEVERITIES, self.card.severity)[self._worst]

    @property
    def status(self) -> Status:
        """Return the status of the group: one that stops, else the first there is."""
        for status in STATUSES:
            if self.stopping[status]:
                return status
        return next((status for status in STATUSES if self.counts[status]), "not-applicable")

    def properties(self) -> list[tuple[str, str]]:
        """Return what pytest's own reports show of the group beside its id."""
        return [
            ("rule", self.card.id),
            ("status", self.status),
            ("severity", self.severity),
            ("organization", self.organization),
            ("type", self.type),
            ("provider", self.provider),
            ("region", self.region),
            ("findings", str(sum(self.counts.values()))),
        ]

    def text(self) -> str:
        """Return what was found: the facts first, the most urgent before others, then the rule."""
        if not self.counts:
            return f"{self.card.id} not applicable: {self.card.no_subject}"
        counted = ", ".join(f"{self.counts[s]:,} {s}" for s in STATUSES if self.counts[s])
        lines = [*map(str, self.examples)]
        tail = [f"… and {self.unnamed:,} more in the report"] if self.unnamed else []
        return "\n".join([*lines, *tail, f"{self.card.id} {self.card.title}: {counted}"])


def report_outcome(group: FindingGroup) -> None:
    """Report the outcome of ``group`` to pytest.

    Raises Noncompliant for a failure that stops; skips a group that has nothing to stop for and
    yet does not simply comply. What could not be judged never gets here: the fixture that
    provides the group has raised Unjudged before.
    """
    if group.stopping["fail"]:
        raise Noncompliant(group.text())
    if group.status != "pass":
        pytest.skip(group.text())


def require_judged(group: FindingGroup) -> FindingGroup:
    """Return ``group``; raise Unjudged if nothing but that stops."""
    stopping: Iterable[Status] = [
        status for status in ("error", "inconclusive") if group.stopping[status]
    ]
    if "error" in stopping or (stopping and not group.stopping["fail"]):
        raise Unjudged(group.text())
    return group
