"""A few cases out of many in which every pair of classes still occurs: pairwise choice."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence

    from _pytest.mark.structures import ParameterSet

T = TypeVar("T")


def pairwise(cases: Sequence[T], *classes: Callable[[T], Hashable]) -> list[T]:
    """Return cases that hold every pair of classes that occurs in ``cases``, in their order.

    The choice is greedy: the case that adds most pairs comes next, the first of several. It is not
    the smallest there is, but it is the same in every run.
    """
    pairs = {index: _pairs(case, classes) for index, case in enumerate(cases)}
    missing = set().union(*pairs.values())
    chosen: set[int] = set()
    while missing:
        best = max(pairs, key=lambda index: (len(pairs[index] & missing), -index))
        chosen.add(best)
        missing -= pairs.pop(best)
    return [cases[index] for index in sorted(chosen)]


def _pairs(case: T, classes: Sequence[Callable[[T], Hashable]]) -> set[Hashable]:
    values = [(number, classify(case)) for number, classify in enumerate(classes)]
    return set(combinations(values, 2)) if len(values) > 1 else set(values)


def marked(cases: Sequence[T], typical: Collection[T]) -> list[ParameterSet]:
    """Return every case as the parameters of a test; those that are not ``typical`` are slow."""
    return [_parameters(case, slow=case not in typical) for case in cases]


def _parameters(case: object, *, slow: bool) -> ParameterSet:
    values = case if type(case) is tuple else (case,)
    return pytest.param(*values, marks=pytest.mark.slow if slow else (), id=str(case))
