"""How the page chooses among readings and comparisons."""

from __future__ import annotations

from typing import Any

from reports.page.population_tables import population_tables


def _organization(name: str, *agree: bool | None, read: bool = True) -> Any:  # noqa: ANN401 (a part of the record)
    return {
        "name": name,
        "gaps": [] if False not in agree else [{"fact": "databases"}],
        "readings": [{"fact": "databases"}] if read else [],
        "reconciliation": [{"agree": is_equal} for is_equal in agree],
    }


ORGANIZATIONS = [
    _organization("a", True),
    _organization("b", read=False),
    _organization("c", True, None, False),
]


def test_everything_is_shown_in_its_order() -> None:
    """Where all fits, organizations and comparisons stand as the record has them."""
    routes = population_tables(ORGANIZATIONS, 2, 4)
    assert [organization["name"] for organization in routes.read] == ["a", "c"]
    assert [(count.name, count.comparison["agree"]) for count in routes.compared] == [
        ("a", True),
        ("c", True),
        ("c", None),
        ("c", False),
    ]
    assert (routes.read_left, routes.compared_left) == (0, 0)


def test_what_needs_a_look_comes_first() -> None:
    """Where not all fits, gaps and what does not agree are shown, and the rest is counted."""
    routes = population_tables(ORGANIZATIONS, 1, 2)
    assert [organization["name"] for organization in routes.read] == ["c"]
    assert [count.comparison["agree"] for count in routes.compared] == [None, False]
    assert (routes.read_left, routes.compared_left) == (1, 2)
