"""What the findings come to: counts, actions, the coverage matrix and the key plan."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.card import Severity
from checks.finding import KNOWN, STATUSES, Status
from reports.actions import Actions
from reports.coverage import Coverage
from reports.key_plan import plan_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.finding import Finding
    from checks.group import Gate
    from inventory.models import Organization


class Tallies:
    """Adds findings up, one by one.

    Attributes:
        by_rule: how many findings there are, by status, rule and severity.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.by_rule: Counter[tuple[Status, str, Severity]] = Counter()
        self._known: Counter[tuple[Status, Severity]] = Counter()
        self._actions = Actions()
        self._coverage = Coverage()
        self._reasons: Counter[tuple[str, str, str, str]] = Counter()

    def meet(self, organization: Organization) -> None:
        """Take note of an organization of which findings will come."""
        self._actions.spread.add(organization)

    def add(self, finding: Finding) -> None:
        """Count ``finding`` wherever it counts."""
        status, rule = finding.status, finding.rule
        self.by_rule[status, rule, finding.severity] += 1
        if finding.change == KNOWN:
            self._known[status, finding.severity] += 1
        if finding.reason:
            self._reasons[status, rule, finding.subject.organization, finding.reason] += 1
        self._actions.add(finding)
        self._coverage.add(finding)

    @property
    def counts(self) -> Counter[str]:
        """Return how many findings there are of each status."""
        counts: Counter[str] = Counter()
        for (status, _, _), count in self.by_rule.items():
            counts[status] += count
        return counts

    def stopping(self, gate: Gate) -> Counter[str]:
        """Count the findings that stop a pipeline, by status."""
        stops: Counter[str] = Counter()
        for (status, _, severity), count in self.by_rule.items():
            if gate.stops(status, severity):
                stops[status] += count
        for (status, severity), count in self._known.items():
            if gate.stops(status, severity) and not gate.stops(status, severity, KNOWN):
                stops[status] -= count
        return stops

    @property
    def action_count(self) -> int:
        """Return how many actions there are."""
        return len(self._actions)

    def actions(self, names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return what to do, the most urgent first."""
        return self._actions.listed(names)

    def coverage(self, names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the matrix: each organization's cells, by type, provider and region."""
        return self._coverage.rows(names)

    def key_plan(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return how many keys are needed, registered, missing and idle, which, and what to do."""
        return plan_keys(self.coverage(names), self._coverage.keys)

    def not_evaluated(self) -> list[dict[str, Any]]:
        """Return what was not judged, counted by status, rule, organization and reason."""
        fields = ("status", "rule", "organization", "reason")
        ordered = sorted(
            self._reasons.items(), key=lambda item: (STATUSES.index(item[0][0]), item[0])
        )
        return [{**dict(zip(fields, key, strict=True)), "count": count} for key, count in ordered]
