"""The worst of several findings: the one that a cell or an organization is shown by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.card import SEVERITIES, rank
from checks.engine.finding import STATUSES
from checks.engine.identity import finding_id

if TYPE_CHECKING:
    from checks.engine.card import Severity
    from checks.engine.finding import Finding, Status

_RANKS = {
    (status, severity): (severity == "advisory", STATUSES.index(status), rank(severity))
    for status in STATUSES
    for severity in SEVERITIES
}
"""What sorts the worst first; an advisory never comes before another finding."""


class ShownFinding(NamedTuple):
    """What is kept of a finding that may be shown; all of it takes twice the memory.

    Attributes:
        status: what was found.
        severity: of a failure here.
        rule: the rule's id.
        path: the path of its subject.
        cause: why the subject does not comply; empty if it does.
        message: the condition that was found.
    """

    status: Status
    severity: Severity
    rule: str
    path: str
    cause: str
    message: str

    @property
    def id(self) -> str:
        """Return the finding's id."""
        return finding_id(self.rule, self.path, self.cause)


def shown(finding: Finding) -> ShownFinding:
    """Keep of ``finding`` what is needed to show it."""
    return ShownFinding(
        finding.status,
        finding.severity,
        finding.rule,
        finding.subject.path,
        finding.cause,
        finding.message,
    )


class Worst:
    """Keeps the worst of the findings that it is given; of equals the same one in any order."""

    __slots__ = ("finding",)

    def __init__(self) -> None:
        """Start with none."""
        self.finding: ShownFinding | None = None

    def add(self, finding: Finding) -> None:
        """Keep ``finding`` if it is worse than the one that is kept.

        This is done for each open finding of an audit, so most are dismissed by their rank.
        """
        kept = self.finding
        if kept is not None:
            own, best = _RANKS[finding.status, finding.severity], _RANKS[kept.status, kept.severity]
            if own > best:
                return
            tie = finding.rule, finding.subject.path, finding.cause, finding.message
            if own == best and tie >= kept[2:]:
                return
        self.finding = shown(finding)


def worse(*findings: ShownFinding | None) -> ShownFinding | None:
    """Return the worst of findings of which any may be missing."""
    return min(filter(None, findings), key=_order, default=None)


def _order(finding: ShownFinding) -> tuple[object, ...]:
    return _RANKS[finding.status, finding.severity], finding[2:]
