"""Answers on who may use a key, and what they quote."""

from __future__ import annotations

import pytest

from checks.access.answers import Clause, all_of, any_of, distinct

MATCHES = ("no", "maybe", "yes")


@pytest.mark.parametrize("one", MATCHES)
@pytest.mark.parametrize("other", MATCHES)
def test_all_is_the_worst_and_any_the_best(one: str, other: str) -> None:
    """All apply as far as the worst of them does, and any as far as the best."""
    pair = sorted((one, other), key=MATCHES.index)
    assert [all_of([one, other]), any_of([one, other])] == pair  # type: ignore[list-item]


def test_nothing_is_all_and_not_any() -> None:
    """Of none at all, all apply and not one does."""
    assert (all_of([]), any_of([])) == ("yes", "no")


def test_a_long_clause_is_cut() -> None:
    """A statement is quoted with its label, and no more of it than fits a sentence."""
    assert Clause("a", "statement 1", "{}").quote == "statement 1: {}"
    assert Clause("a", "the grants", "").quote == "the grants"
    assert Clause("a", "statement 1", "x" * 301).quote == f"statement 1: {'x' * 300}…"
    assert Clause("a", "statement 1", "x" * 300).quote == f"statement 1: {'x' * 300}"


def test_clauses_are_named_once() -> None:
    """What is quoted for several actions is quoted once, in its order."""
    one, two = Clause("1", "one", ""), Clause("2", "two", "")
    assert distinct([two, one, two]) == (two, one)
