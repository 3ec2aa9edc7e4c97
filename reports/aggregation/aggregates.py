"""What the findings come to: counts, actions, the coverage matrix and the key plan."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from checks.engine.card import Severity
from checks.engine.finding import EVIDENCE_KINDS, KNOWN, STATUSES, Status
from inventory.terraform.scopes import terraform_scopes
from reports.aggregation.actions import Actions
from reports.aggregation.attested_passes import AttestedPasses
from reports.aggregation.coverage import Coverage
from reports.aggregation.coverage_states import NEEDED, ORDER, UNUSED
from reports.aggregation.id_set import IdSet
from reports.aggregation.key_plan import plan_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from checks.engine.finding import EvidenceKind, Finding
    from checks.engine.outcome import Gate
    from checks.engine.pass_series import PassSeries
    from inventory.model.key import KeyScope
    from inventory.model.organization import Organization
    from inventory.terraform.scopes import TerraformScope
    from reports.model.head import ActionEntry, NotEvaluatedEntry
    from reports.model.key_plan import CoverageRow, KeyPlan

_DECLARED = "astra-provided"


class Aggregates:
    """Adds findings up, one by one.

    Attributes:
        by_rule: how many findings there are, by status, rule and severity.
        attested: which passes rest on attestations alone.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.by_rule: Counter[tuple[Status, str, Severity]] = Counter()
        self.attested = AttestedPasses()
        self._known: Counter[tuple[Status, Severity]] = Counter()
        self._actions = Actions()
        self._coverage = Coverage()
        self._managed: dict[KeyScope, TerraformScope] = {}
        self._reasons: Counter[tuple[Status, str, str, str]] = Counter()
        self._declared: dict[str, IdSet] = {}
        self._kinds: Counter[EvidenceKind] = Counter()

    def add_organization(self, organization: Organization) -> None:
        """Take note of an organization of which findings will come."""
        self._actions.add_organization(organization)
        self._coverage.expect(organization)
        self._managed |= terraform_scopes(organization)

    def add(self, finding: Finding) -> None:
        """Count ``finding`` wherever it counts."""
        status, rule = finding.status, finding.rule
        self.by_rule[status, rule, finding.severity] += 1
        if finding.change == KNOWN:
            self._known[status, finding.severity] += 1
        if finding.reason:
            self._reasons[status, rule, finding.subject.organization, finding.reason] += 1
            if finding.reason == _DECLARED and finding.subject.database:
                self._declared_in(finding.subject.organization).add(finding.subject.database)
        if kind := finding.evidence_kind:
            self._kinds[kind] += 1
        self.attested.add(finding)
        self._actions.add(finding)
        self._coverage.add(finding)

    def add_series(self, series: PassSeries) -> None:
        """Count the passes of ``series``; as ``add`` with each."""
        pattern, count = series.pattern, len(series.ids)
        self.by_rule["pass", pattern.rule, pattern.severity] += count
        if kind := pattern.evidence_kind:
            self._kinds[kind] += count
        self.attested.add_series(series)
        self._coverage.add_series(series)

    def merge(self, other: Aggregates) -> None:
        """Add what ``other`` counted: findings of other organizations, which came after these."""
        self.by_rule.update(other.by_rule)
        self.attested.merge(other.attested)
        self._known.update(other._known)
        self._actions.merge(other._actions)
        self._coverage.merge(other._coverage)
        self._managed |= other._managed
        self._reasons.update(other._reasons)
        for organization, databases in other._declared.items():
            self._declared_in(organization).update(databases)
        self._kinds.update(other._kinds)

    def _declared_in(self, organization: str) -> IdSet:
        """Return the databases of ``organization`` that are declared to use Astra's keys."""
        ids = self._declared.get(organization)
        if ids is None:
            for complete in islice(reversed(self._declared.values()), 1):
                complete.pack()
            ids = self._declared[organization] = IdSet()
        return ids

    @property
    def counts(self) -> Counter[Status]:
        """Return how many findings there are of each status."""
        counts: Counter[Status] = Counter()
        for (status, _, _), count in self.by_rule.items():
            counts[status] += count
        return counts

    def by_status(self) -> dict[str, Counter[Status]]:
        """Return how many findings of each status each rule has; an empty count if it has none."""
        counts: dict[str, Counter[Status]] = defaultdict(Counter)
        for (status, rule, _), count in self.by_rule.items():
            counts[rule][status] += count
        return counts

    def passes_by_kind(self) -> dict[EvidenceKind, int]:
        """Return how many passes rest on each kind of evidence."""
        return {kind: self._kinds[kind] for kind in EVIDENCE_KINDS}

    def rules_without(self, reason: str) -> dict[str, int]:
        """Return how many subjects each rule did not judge for ``reason``."""
        counts: Counter[str] = Counter()
        for (_, rule, _, why), count in self._reasons.items():
            counts[rule] += count if why == reason else 0
        return {rule: count for rule, count in counts.items() if count}

    @property
    def declared(self) -> int:
        """Return how many different databases are declared to use Astra's keys."""
        return sum(map(len, self._declared.values()))

    @property
    def has_customer_key(self) -> bool:
        """Say whether any customer key was found to be registered."""
        counts = self.by_status()
        return bool(counts[UNUSED] or counts[NEEDED]["pass"] or counts[ORDER]["pass"])

    @property
    def is_any_encrypted(self) -> bool:
        """Say whether the key of any database is shown to have come first."""
        return self.by_status()[ORDER]["pass"] > 0

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

    def actions(self, names: Mapping[str, str]) -> list[ActionEntry]:
        """Return what to do, the most urgent first."""
        return self._actions.listed(names)

    def coverage(self, names: Mapping[str, str]) -> list[CoverageRow]:
        """Return the matrix: each organization's cells, by type, provider and region."""
        return self._coverage.rows(names)

    def key_plan(self, coverage: Sequence[CoverageRow]) -> KeyPlan:
        """Return how many keys are needed, registered, missing and unused, and what to do.

        ``coverage`` is the matrix.
        """
        return plan_keys(coverage, self._coverage.keys, self._managed)

    def not_evaluated(self) -> list[NotEvaluatedEntry]:
        """Return what was not judged, counted by status, rule, organization and reason."""
        ordered = sorted(
            self._reasons.items(), key=lambda item: (STATUSES.index(item[0][0]), item[0])
        )
        return [
            {
                "status": status,
                "rule": rule,
                "organization": organization,
                "reason": reason,
                "count": count,
            }
            for (status, rule, organization, reason), count in ordered
        ]
