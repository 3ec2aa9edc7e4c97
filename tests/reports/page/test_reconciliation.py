"""How the page chooses among comparisons of counts."""

from __future__ import annotations

from typing import Any

from reports.page.reconciliation import ComparedKind, reconcile_counts


def _organization(name: str, *agree: bool | None) -> Any:  # noqa: ANN401 (a part of the record)
    comparisons = [
        {"what": "databases", "rule": "CMEK-14", "agree": is_equal} for is_equal in agree
    ]
    return {"name": name, "reconciliation": comparisons}


ORGANIZATIONS = [
    _organization("a", True),
    _organization("b"),
    _organization("c", True, None, False),
]


def test_what_does_not_agree_is_apart() -> None:
    """Comparisons keep the order of the record, in one list that agrees and one that does not."""
    reconciled = reconcile_counts(ORGANIZATIONS, 4)
    assert [count.name for count in reconciled.agreeing] == ["a", "c"]
    assert [count.comparison["agree"] for count in reconciled.doubtful] == [None, False]
    assert (reconciled.total, reconciled.left) == (4, 0)


def test_each_kind_is_counted() -> None:
    """Each thing that was counted has its numbers, whatever is listed one by one."""
    kinds = [ComparedKind("databases", "CMEK-14", agree=2, differ=1, unknown=1)]
    assert reconcile_counts(ORGANIZATIONS, 0).kinds == kinds


def test_what_needs_a_look_comes_first() -> None:
    """Where not all fits, what does not agree is shown, and the rest is counted."""
    reconciled = reconcile_counts(ORGANIZATIONS, 3)
    assert [count.comparison["agree"] for count in reconciled.doubtful] == [None, False]
    assert [count.name for count in reconciled.agreeing] == ["a"]
    assert reconciled.left == 1
