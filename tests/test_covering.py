"""Pairwise choice drops no class and no pair of classes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.covering import marked, pairwise

CASES = st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=60, unique=True)


@given(CASES)
def test_every_pair_is_kept(cases: list[tuple[int, int, int]]) -> None:
    """Whatever two classes occur together in some case, they do so in a chosen one."""
    chosen = pairwise(cases, *(lambda case, at=at: case[at] for at in range(3)))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert {(case[one], case[other]) for case in chosen} == {
            (case[one], case[other]) for case in cases
        }
    assert [case for case in cases if case in chosen] == chosen


def test_a_matrix_is_thinned() -> None:
    """Of a full matrix of five by five by five, a quarter is enough."""
    cases = [(a, b, c) for a in range(5) for b in range(5) for c in range(5)]
    chosen = pairwise(cases, *(lambda case, at=at: case[at] for at in range(3)))
    assert 25 <= len(chosen) <= 35


def test_what_is_not_typical_is_slow() -> None:
    """Every case stays a parameter, a pair as two; only those that are not typical are slow."""
    one, two = marked([(1, 2), (3, 4)], {(1, 2)})
    assert (one.values, list(one.marks)) == ((1, 2), [])
    assert (two.values, [mark.name for mark in two.marks]) == ((3, 4), ["slow"])
