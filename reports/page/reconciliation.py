"""The counts by independent routes, as the page shows them: what does not agree comes first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.model.population_summary import OrganizationEntry, ReconciliationEntry


class ComparedCount(NamedTuple):
    """A comparison, and the name of its organization."""

    name: str
    comparison: ReconciliationEntry


class ComparedKind(NamedTuple):
    """How many organizations agree on one thing that was counted.

    Attributes:
        what: what was counted.
        rule: the rule that reports a difference.
        agree: how many comparisons agree.
        differ: how many differ.
        unknown: how many could not be made, as not everything was read.
    """

    what: str
    rule: str
    agree: int
    differ: int
    unknown: int


class Reconciliation(NamedTuple):
    """All comparisons, in numbers and one by one.

    Attributes:
        kinds: the numbers for each thing that was counted.
        doubtful: comparisons that differ or could not be made.
        agreeing: comparisons that agree.
        total: how many comparisons there are.
        left: how many of them are in neither list.
    """

    kinds: list[ComparedKind]
    doubtful: list[ComparedCount]
    agreeing: list[ComparedCount]
    total: int
    left: int


def reconcile_counts(organizations: Sequence[OrganizationEntry], limit: int) -> Reconciliation:
    """Lay out at most ``limit`` comparisons, first those that do not agree."""
    compared = [
        ComparedCount(organization["name"], comparison)
        for organization in organizations
        for comparison in organization["reconciliation"]
    ]
    doubtful = [count for count in compared if count.comparison["agree"] is not True]
    agreeing = [count for count in compared if count.comparison["agree"] is True]
    shown = doubtful[:limit]
    room = limit - len(shown)
    return Reconciliation(
        kinds=_kinds(compared),
        doubtful=shown,
        agreeing=agreeing[:room],
        total=len(compared),
        left=max(0, len(compared) - limit),
    )


def _kinds(compared: Sequence[ComparedCount]) -> list[ComparedKind]:
    counts: dict[tuple[str, str], Counter[bool | None]] = {}
    for _, comparison in compared:
        counts.setdefault((comparison["what"], comparison["rule"]), Counter())[
            comparison["agree"]
        ] += 1
    return [
        ComparedKind(what, rule, count[True], count[False], count[None])
        for (what, rule), count in counts.items()
    ]
