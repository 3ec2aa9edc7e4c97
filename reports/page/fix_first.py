"""What to do, as the page shows it: the most urgent groups of actions, and all others by owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reports.presentation.action_groups import by_owner, first, group_actions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.model.head import ActionEntry
    from reports.model.population_summary import OrganizationEntry
    from reports.presentation.action_groups import ActionGroup


class FixFirst(NamedTuple):
    """The section of what to do.

    Attributes:
        first: the most urgent groups: what prevents, then what repairs, then what proves.
        others: each owner with the other groups of its organizations.
        other_count: how many other groups are shown.
        group_count: how many groups there are, those beyond the limit among them.
        hidden: how many actions are not shown.
    """

    first: list[ActionGroup]
    others: list[tuple[str, list[ActionGroup]]]
    other_count: int
    group_count: int
    hidden: int


def lay_out_actions(
    actions: Sequence[ActionEntry],
    organizations: Sequence[OrganizationEntry],
    total: int,
    limit: int,
) -> FixFirst:
    """Lay out ``actions``, which are all or the most urgent of ``total``.

    At most ``limit`` groups are shown.
    """
    groups = group_actions(actions, organizations)
    shown = groups[:limit]
    leading = first(shown)
    others = shown[len(leading) :]
    return FixFirst(
        first=leading,
        others=by_owner(others),
        other_count=len(others),
        group_count=len(groups),
        hidden=total - sum(len(group.actions) for group in shown),
    )
