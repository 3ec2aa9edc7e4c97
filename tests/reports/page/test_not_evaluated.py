"""What could not be evaluated, grouped by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.page.not_evaluated import AffectedOrganization, ReasonGroup, group_by_reason
from reports.presentation import labels

if TYPE_CHECKING:
    from checks.engine.finding import Status
    from reports.model.head import NotEvaluatedEntry


def _entry(
    rule: str, organization: str, reason: str, count: int, status: Status = "inconclusive"
) -> NotEvaluatedEntry:
    return {
        "status": status,
        "rule": rule,
        "organization": organization,
        "reason": reason,
        "count": count,
    }


ENTRIES = [
    _entry("CMEK-01", "a", "refused", 1),
    _entry("CMEK-05", "a", "refused", 2),
    _entry("CMEK-05", "b", "refused", 4),
    _entry("CMEK-06", "a", "alias", 1),
    _entry("CMEK-07", "a", "refused", 9, "not-applicable"),
    _entry("CMEK-09", "c", "check-broke", 1, "error"),
]


def _groups(limit: int) -> list[ReasonGroup]:
    return group_by_reason(
        ENTRIES, str.upper, lambda code, organization: f"{code} in {organization}", limit
    )


def test_one_group_a_reason() -> None:
    """Errors come first; a reason has its findings, and its organizations by their findings."""
    broke, alias, refused = _groups(10)
    assert (broke.status, broke.reason, broke.total) == ("error", "check-broke", 1)
    assert (alias.reason, alias.total) == ("alias", 1)
    assert refused == ReasonGroup(
        status="inconclusive",
        reason="refused",
        meaning=labels.reason("refused").meaning,
        who=labels.reason("refused").who,
        step=labels.reason("refused").step,
        total=7,
        organizations=[
            AffectedOrganization("B", "refused in b", [("CMEK-05", 4)], 4),
            AffectedOrganization("A", "refused in a", [("CMEK-01", 1), ("CMEK-05", 2)], 3),
        ],
        left=0,
    )


def test_the_step_of_a_single_organization_is_its_own() -> None:
    """Where a reason concerns one organization only, the row has the step for that one."""
    assert [group.step for group in _groups(10)[:2]] == ["check-broke in c", "alias in a"]


def test_organizations_are_bounded() -> None:
    """Beyond the limit organizations are counted, and no group and no finding is lost."""
    groups = _groups(3)
    assert [(len(group.organizations), group.left) for group in groups] == [(1, 0), (1, 0), (1, 1)]
    assert sum(group.total for group in groups) == 9
    assert [group.left for group in _groups(0)] == [1, 1, 2]


def test_nothing() -> None:
    """What does not apply is nobody's to act on."""
    assert group_by_reason(ENTRIES[4:5], str.upper, lambda *_: "", 10) == []
