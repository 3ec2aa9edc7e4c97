"""The section of what to do: five groups in full, the others by owner, the rest counted."""

from __future__ import annotations

from reports.page.fix_first import lay_out_actions
from tests.reports.presentation.test_action_groups import ORGANIZATIONS, an_action

ACTIONS = [
    *(an_action(f"make-key-usable:one/k{number}") for number in range(3)),
    *(an_action(f"attest-plan:o{number}", organization=f"o{number}") for number in range(5)),
    an_action("attest-plan:two", organization="two"),
    an_action("attest-usable:two/k", organization="two"),
]


def test_five_groups_come_first_and_the_others_by_owner() -> None:
    """The first five groups are apart; the others have their owners, last those without one."""
    laid_out = lay_out_actions(ACTIONS, ORGANIZATIONS, len(ACTIONS), 100)
    assert [(group.code, group.organization) for group in laid_out.first] == [
        ("make-key-usable", "one"),
        *(("attest-plan", f"o{number}") for number in range(4)),
    ]
    assert [
        (owner, [(group.code, group.organization) for group in groups])
        for owner, groups in laid_out.others
    ] == [
        ("data@acme.example", [("attest-plan", "two"), ("attest-usable", "two")]),
        ("", [("attest-plan", "o4")]),
    ]
    assert (laid_out.other_count, laid_out.group_count, laid_out.hidden) == (3, 8, 0)


def test_what_is_not_shown_is_counted() -> None:
    """Groups beyond the limit, and actions that the record does not list, are counted."""
    laid_out = lay_out_actions(ACTIONS, ORGANIZATIONS, 1_000, 6)
    assert (len(laid_out.first), laid_out.other_count) == (5, 1)
    assert (laid_out.group_count, laid_out.hidden) == (8, 1_000 - 8)


def test_few_are_all_first() -> None:
    """Without further groups nothing is folded; without any nothing is shown."""
    laid_out = lay_out_actions(ACTIONS[:1], ORGANIZATIONS, 1, 100)
    assert (len(laid_out.first), laid_out.others, laid_out.hidden) == (1, [], 0)
    assert lay_out_actions([], [], 0, 100) == ([], [], 0, 0, 0)
