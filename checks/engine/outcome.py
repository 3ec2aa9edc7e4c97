"""Groups of findings: what one pytest item answers for, and how it ends.

This is the one module of ``checks/`` that imports pytest, for the outcomes fail and skip.
"""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from checks.engine.card import SEVERITIES, Card, Severity, rank
from checks.engine.finding import KNOWN, OPEN, STATUSES, Change, Finding, Status
from inventory.text.display import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        type, provider, region: those of the subject, if the group is of one.
    """

    def __init__(self, card: Card, key: str, label: str = "") -> None:
        """Make an empty group; ``add`` fills it."""
        self.card = card
        self.key = key
        self.label = label
        self.name = ""
        self.organization_id = self.organization = ""
        self.type = self.provider = self.region = ""
        self.counts: Counter[Status] = Counter()
        self.stopping: Counter[Status] = Counter()
        self.known = 0
        self._worst = len(SEVERITIES)
        self._examples: list[tuple[int, str]] = []

    def add(self, finding: Finding, gate: Gate) -> None:
        """Count ``finding``, and remember it if it is among the first and worst not compliant."""
        status = finding.status
        self.counts[status] += 1
        if status == "pass":
            return
        if status in OPEN:
            self._worst = min(self._worst, rank(finding.severity))
            if gate.stops(status, finding.severity, finding.change):
                self.stopping[status] += 1
            elif gate.stops(status, finding.severity):
                self.known += 1
        place = STATUSES.index(status)
        if len(self._examples) < SHOWN or place < self._examples[-1][0]:
            name = f" ({printable(finding.name)})" if finding.name else ""
            text = f"{status.upper()} {finding.subject.path}{name}: {printable(finding.message)}"
            self._remember([(place, text)])

    def _remember(self, examples: list[tuple[int, str]]) -> None:
        """Keep the first of ``examples``, the most urgent status before others."""
        self._examples = sorted(self._examples + examples, key=itemgetter(0))[:SHOWN]

    def merge(self, other: FindingGroup) -> None:
        """Add all findings of ``other``."""
        self.counts.update(other.counts)
        self.stopping.update(other.stopping)
        self.known += other.known
        self._worst = min(self._worst, other._worst)
        self._remember(other._examples)

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
        """Return what was found, one line for each finding that is not compliant."""
        if not self.counts:
            return f"{self.card.id} not applicable: {self.card.no_subject}"
        counted = ", ".join(f"{self.counts[s]:,} {s}" for s in STATUSES if self.counts[s])
        lines = [text for _, text in sorted(self._examples)]
        more = sum(self.counts.values()) - self.counts["pass"] - len(lines)
        tail = [f"… and {more:,} more in the report"] if more > 0 else []
        return "\n  ".join([f"{self.card.id} {self.card.title}: {counted}", *lines, *tail])


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
