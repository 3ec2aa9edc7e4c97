"""What could not be evaluated, grouped by the reason: who must act, and for which organizations."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import STATUSES
from reports.presentation import labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from checks.engine.finding import Status
    from reports.model.head import NotEvaluatedEntry


class AffectedOrganization(NamedTuple):
    """An organization in which something could not be evaluated for one reason.

    Attributes:
        name: its name.
        step: what to do there.
        rules: the rules that could not be evaluated, each with the number of its findings.
        total: how many findings these are together.
    """

    name: str
    step: str
    rules: list[tuple[str, int]]
    total: int


class ReasonGroup(NamedTuple):
    """All findings of one status and reason.

    Attributes:
        status: their status.
        reason: the reason code.
        meaning: what it means.
        who: who must act.
        step: what to do: that of the organization if there is only one.
        total: how many findings there are.
        organizations: the organizations that they are about, the most findings first.
        left: how many more of these there are.
    """

    status: Status
    reason: str
    meaning: str
    who: str
    step: str
    total: int
    organizations: list[AffectedOrganization]
    left: int


def group_by_reason(
    entries: Iterable[NotEvaluatedEntry],
    organization_name: Callable[[str], str],
    step_for: Callable[[str, str], str],
    limit: int,
) -> list[ReasonGroup]:
    """Group what was not evaluated, and name at most ``limit`` organizations in all groups.

    ``step_for`` returns what to do about a reason in an organization. What does not apply is left
    out: nobody has to act.
    """
    wanted = [entry for entry in entries if entry["status"] != "not-applicable"]
    wanted.sort(key=_by_reason)
    groups = [
        _group(list(group), organization_name, step_for)
        for _, group in groupby(wanted, key=_by_reason)
    ]
    room, shown = limit, []
    for group in groups:
        kept = group.organizations[:room]
        room -= len(kept)
        shown.append(group._replace(organizations=kept, left=len(group.organizations) - len(kept)))
    return shown


def _by_reason(entry: NotEvaluatedEntry) -> tuple[int, str]:
    return STATUSES.index(entry["status"]), entry["reason"]


def _group(
    entries: Sequence[NotEvaluatedEntry],
    organization_name: Callable[[str], str],
    step_for: Callable[[str, str], str],
) -> ReasonGroup:
    code = entries[0]["reason"]
    known = labels.reason(code)
    by_organization: dict[str, list[tuple[str, int]]] = {}
    for entry in entries:
        rules = by_organization.setdefault(entry["organization"], [])
        rules.append((entry["rule"], entry["count"]))
    organizations = [
        AffectedOrganization(
            organization_name(identity),
            step_for(code, identity),
            rules,
            sum(count for _, count in rules),
        )
        for identity, rules in by_organization.items()
    ]
    organizations.sort(key=lambda affected: -affected.total)
    return ReasonGroup(
        status=entries[0]["status"],
        reason=code,
        meaning=known.meaning,
        who=known.who,
        step=organizations[0].step if len(organizations) == 1 else known.step,
        total=sum(entry["count"] for entry in entries),
        organizations=organizations,
        left=0,
    )
