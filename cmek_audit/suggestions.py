"""Suggestions for a word that is not known."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return a sentence with the ``known`` words most like ``word``, in any case.

    It is empty if there are none. Two words are alike from the ratio ``cutoff`` of difflib, between
    0 and 1.
    """
    by_lower = {name.lower(): name for name in known}
    similar = get_close_matches(word.lower(), by_lower, cutoff=cutoff)
    names = sorted(by_lower[match] for match in similar)
    return f" Did you mean {' or '.join(names)}?" if names else ""
