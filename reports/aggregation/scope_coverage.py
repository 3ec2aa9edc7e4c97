"""What is known of the key of one key scope, by the findings located there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.catalogue import rule_of
from checks.engine.finding import COMPLYING, NOT_COMPLYING, OPEN
from inventory.model.key_ids import parse_key_id
from reports.aggregation.coverage_states import NEEDED, ORDER, PROOFS, STATES, UNUSED
from reports.aggregation.worst_finding import Worst, worse

if TYPE_CHECKING:
    from checks.engine.finding import Finding

_RIGHT_ID = rule_of("key-id")
_LEFT_OUT = "clouds-left-out"
BASIS: dict[str, dict[tuple[str, str], str]] = {
    NEEDED: {
        ("pass", ""): "covered",
        ("fail", ""): "missing",
        ("waived", ""): "missing",
        ("inconclusive", ""): "undetermined",
        ("inconclusive", "ordered-by-plan"): "missing",
        ("not-applicable", "astra-provided"): "astra-provided",
        ("not-applicable", "unsupported-combination"): "unsupported",
    },
    UNUSED: {
        ("fail", ""): "unused",
        ("waived", ""): "unused",
        ("inconclusive", ""): "spare",
        ("pass", ""): "spare",
    },
}
"""The state that follows from a finding of these rules, by its status and reason."""


class WorstFinding(NamedTuple):
    """What a cell says: its state, the finding that it leads to, and why in words."""

    state: str
    finding: Finding
    why: str


class ScopeCoverage:
    """What the findings located in one key scope come to."""

    __slots__ = (
        "_worst",
        "advisories",
        "basis",
        "fitting",
        "judged",
        "keys",
        "left_out",
        "needing",
        "planned_keys",
        "state",
        "unprotected",
        "with_key",
    )

    def __init__(self) -> None:
        """Start with no finding."""
        self.state = "in-question"
        self.basis: Finding | None = None
        self._worst = Worst()
        self.left_out: Finding | None = None
        self.judged: set[str] = set()
        self.keys: set[str] = set()
        self.fitting: set[str] = set()
        self.planned_keys: set[str] = set()
        self.needing, self.with_key = (0, 0), (0, 0)
        self.unprotected = self.advisories = 0

    def add(self, finding: Finding) -> None:
        """Take a finding that is located in the scope; one about a planned key proves nothing."""
        if finding.subject.kind == "planned-key":
            if finding.rule == _RIGHT_ID:
                self.planned_keys.add(finding.name or finding.subject.key)
        else:
            self._take_proof(finding)
        if finding.status in NOT_COMPLYING:
            self._take_failure(finding)

    def _take_proof(self, finding: Finding) -> None:
        """Take what a finding says of the key that is registered here."""
        status, rule = finding.status, finding.rule
        if rule in BASIS:
            self._take_basis(finding)
        if status in {"pass", "waived"}:
            self.judged.add(rule)
        if status == "pass" and rule == _RIGHT_ID:
            self.fitting.add(_canonical(finding))
        if status in COMPLYING and finding.reason == _LEFT_OUT and rule in PROOFS:
            self.left_out = worse(self.left_out, finding)

    def _take_basis(self, finding: Finding) -> None:
        counts = finding.databases, finding.existing
        if finding.rule == UNUSED:
            self.keys.add(_canonical(finding))
            self.with_key = max(self.with_key, counts)
        else:
            self.needing = self.needing[0] + counts[0], self.needing[1] + counts[1]
        states = BASIS[finding.rule]
        state = states.get((finding.status, finding.reason)) or states.get((finding.status, ""))
        if state is None or STATES.index(state) > STATES.index(self.state):
            return
        same = state == self.state
        self.state, self.basis = state, worse(self.basis, finding) if same else finding

    def _take_failure(self, finding: Finding) -> None:
        if finding.severity == "advisory":
            self.advisories += finding.status in OPEN
            return
        self._worst.add(finding)
        self.unprotected += is_unprotected(finding)

    @property
    def worst(self) -> Finding | None:
        """Return the worst that is open or waived here, above an advisory."""
        return self._worst.finding

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many databases are deployed here, and how many of them exist."""
        return self.needing if any(self.needing) else self.with_key

    def assess(self, doubt: Finding | None) -> WorstFinding | None:
        """Return what is known of the scope's key; ``doubt`` is what is open about the whole.

        None if no finding is about a key, and none is open.
        """
        if self.state == "covered" and self.basis:
            return self._assess_registered(self.basis, doubt)
        worst = self.worst or self.basis
        if self.state == "undetermined" and _is_open(doubt):
            worst = worse(worst, doubt)
        return WorstFinding(self.state, worst, worst.message) if worst else None

    def _assess_registered(self, basis: Finding, doubt: Finding | None) -> WorstFinding:
        """Assess a key that is registered, by the worst that is known of it."""
        lacking = [rule for rule in PROOFS if rule not in self.judged]
        if self.worst and self.worst.status in {"error", "fail"}:
            return WorstFinding("failing", self.worst, self.worst.message)
        if still_open := worse(*filter(_is_open, (self.worst, doubt))):
            return WorstFinding("unproven", still_open, still_open.message)
        if self.left_out:
            return WorstFinding("unproven", self.left_out, self.left_out.message)
        if lacking:
            return WorstFinding(
                "unproven", basis, f"Nothing was judged here by {' and '.join(lacking)}."
            )
        if waived := worse(self.worst, doubt):
            return WorstFinding("waived", waived, waived.message)
        return WorstFinding("covered", basis, basis.message)


def is_unprotected(finding: Finding) -> bool:
    """Say whether a database exists that runs on Astra's keys and should have a customer's.

    A waiver accepts that; it does not encrypt.
    """
    failed = finding.rule == ORDER and finding.status in {"fail", "waived"}
    return failed and finding.existing > 0


def _is_open(finding: Finding | None) -> bool:
    return finding is not None and finding.status in OPEN


def _canonical(finding: Finding) -> str:
    return parse_key_id(finding.subject.key).canonical
