"""A few cases out of many in which every pair of classes still occurs: pairwise choice."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

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
