"""What is known of the key of one key scope, by the findings located there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.catalogue import rule_of
from checks.engine.finding import COMPLYING, NOT_COMPLYING, OPEN
from inventory.model.key_ids import parse_key_id
from reports.aggregation.coverage_states import NEEDED, ORDER, PROOFS, STATES, UNUSED
from reports.aggregation.worst_finding import ShownFinding, Worst, shown, worse

if TYPE_CHECKING:
    from collections.abc import Collection

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
    finding: ShownFinding
    why: str


class ScopeCoverage:
    """What the findings located in one key scope come to.

    Attributes:
        state: what is known of its key.
        basis: the finding from which that follows.
        left_out: the worst of those that say that the cloud was not asked.
        lacking: the rules that prove a key, and judged nothing here yet.
        keys: the keys that are registered here.
        fitting: those of them whose ids name the scope.
        planned_keys: the keys that a plan would register here.
        needing: how many databases need the key, and how many of them exist.
        with_key: how many databases have it, and how many of them exist.
        unprotected: how many findings are of existing databases that run on Astra's keys.
        advisories: how many open findings are advisories.
    """

    __slots__ = (
        "_worst",
        "advisories",
        "basis",
        "fitting",
        "keys",
        "lacking",
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
        self.basis: ShownFinding | None = None
        self._worst = Worst()
        self.left_out: ShownFinding | None = None
        self.lacking = PROOFS
        self.keys: Collection[str] = ()
        self.fitting: Collection[str] = ()
        self.planned_keys: Collection[str] = ()
        self.needing, self.with_key = (0, 0), (0, 0)
        self.unprotected = self.advisories = 0

    def add(self, finding: Finding) -> None:
        """Take a finding that is located in the scope; one about a planned key proves nothing."""
        if finding.subject.kind == "planned-key":
            if finding.rule == _RIGHT_ID:
                name = finding.name or finding.subject.key
                self.planned_keys = _with(self.planned_keys, name)
        else:
            self._take_proof(finding)
        if finding.status in NOT_COMPLYING:
            self._take_failure(finding)

    def _take_proof(self, finding: Finding) -> None:
        """Take what a finding says of the key that is registered here."""
        status, rule = finding.status, finding.rule
        if rule in BASIS:
            self._take_basis(finding)
        if status in {"pass", "waived"} and rule in self.lacking:
            self.lacking = tuple(other for other in self.lacking if other != rule)
        if status == "pass" and rule == _RIGHT_ID:
            self.fitting = _with(self.fitting, _canonical(finding))
        if status in COMPLYING and finding.reason == _LEFT_OUT and rule in PROOFS:
            self.left_out = worse(self.left_out, shown(finding))

    def _take_basis(self, finding: Finding) -> None:
        counts = finding.databases, finding.existing
        if finding.rule == UNUSED:
            self.keys = _with(self.keys, _canonical(finding))
            self.with_key = max(self.with_key, counts)
        else:
            self.needing = self.needing[0] + counts[0], self.needing[1] + counts[1]
        states = BASIS[finding.rule]
        state = states.get((finding.status, finding.reason)) or states.get((finding.status, ""))
        if state is None or STATES.index(state) > STATES.index(self.state):
            return
        kept = self.basis if state == self.state else None
        self.state, self.basis = state, worse(kept, shown(finding))

    def _take_failure(self, finding: Finding) -> None:
        if finding.severity == "advisory":
            self.advisories += finding.status in OPEN
            return
        self._worst.add(finding)
        self.unprotected += is_unprotected(finding)

    @property
    def worst(self) -> ShownFinding | None:
        """Return the worst that is open or waived here, above an advisory."""
        return self._worst.finding

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many databases are deployed here, and how many of them exist."""
        return self.needing if any(self.needing) else self.with_key

    def assess(self, doubt: ShownFinding | None) -> WorstFinding | None:
        """Return what is known of the scope's key; ``doubt`` is what is open about the whole.

        None if no finding is about a key, and none is open.
        """
        if self.state == "covered" and self.basis:
            return self._assess_registered(self.basis, doubt)
        worst = self.worst or self.basis
        if self.state == "undetermined" and _is_open(doubt):
            worst = worse(worst, doubt)
        return WorstFinding(self.state, worst, worst.message) if worst else None

    def _assess_registered(self, basis: ShownFinding, doubt: ShownFinding | None) -> WorstFinding:
        """Assess a key that is registered, by the worst that is known of it."""
        if self.worst and self.worst.status in {"error", "fail"}:
            return WorstFinding("failing", self.worst, self.worst.message)
        if still_open := worse(*filter(_is_open, (self.worst, doubt))):
            return WorstFinding("unproven", still_open, still_open.message)
        if self.left_out:
            return WorstFinding("unproven", self.left_out, self.left_out.message)
        if self.lacking:
            why = f"Nothing was judged here by {' and '.join(self.lacking)}."
            return WorstFinding("unproven", basis, why)
        if waived := worse(self.worst, doubt):
            return WorstFinding("waived", waived, waived.message)
        return WorstFinding("covered", basis, basis.message)


def is_unprotected(finding: Finding) -> bool:
    """Say whether a database exists that runs on Astra's keys and should have a customer's.

    A waiver accepts that; it does not encrypt.
    """
    failed = finding.rule == ORDER and finding.status in {"fail", "waived"}
    return failed and finding.existing > 0


def _is_open(finding: ShownFinding | None) -> bool:
    return finding is not None and finding.status in OPEN


def _canonical(finding: Finding) -> str:
    return parse_key_id(finding.subject.key).canonical


def _with(names: Collection[str], name: str) -> Collection[str]:
    """Add ``name`` to some names: a tuple of one, which they nearly always are, or else a set.

    A set takes four times the memory.
    """
    if isinstance(names, set):
        names.add(name)
        return names
    if name in names:
        return names
    return {*names, name} if names else (name,)
