"""The worst of several findings: the one that a cell or an organization is shown by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import SEVERITIES, rank
from checks.engine.finding import STATUSES

if TYPE_CHECKING:
    from checks.engine.finding import Finding

_RANKS = {
    (status, severity): (severity == "advisory", STATUSES.index(status), rank(severity))
    for status in STATUSES
    for severity in SEVERITIES
}
"""What sorts the worst first; an advisory never comes before another finding."""


class Worst:
    """Keeps the worst of the findings that it is given; of equals the same one in any order."""

    __slots__ = ("_rank", "_tie", "finding")

    def __init__(self) -> None:
        """Start with none."""
        self.finding: Finding | None = None
        self._rank = (True, len(STATUSES), 0)
        self._tie = ("", "", "", "")

    def add(self, finding: Finding) -> None:
        """Keep ``finding`` if it is worse than the one that is kept.

        This is done for each open finding of an audit, so most are dismissed by their rank.
        """
        own = _RANKS[finding.status, finding.severity]
        if own > self._rank:
            return
        tie = finding.rule, finding.subject.path, finding.cause, finding.message
        if own < self._rank or tie < self._tie:
            self.finding, self._rank, self._tie = finding, own, tie


def worse(*findings: Finding | None) -> Finding | None:
    """Return the worst of findings of which any may be missing."""
    worst = Worst()
    for finding in findings:
        if finding:
            worst.add(finding)
    return worst.finding
