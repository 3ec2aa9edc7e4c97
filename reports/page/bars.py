"""Bars: numbers of a whole as pieces side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 1_000
"""The width of a bar, in units of its drawing."""

THINNEST = 12
"""The least width of a piece, so that it can be seen."""


class Piece(NamedTuple):
    """A piece of a bar.

    Attributes:
        css: the class that colours it.
        start: where it begins, of ``WIDTH``.
        width: how wide it is.
    """

    css: str
    start: int
    width: int


def lay_out_bar(numbers: Mapping[str, int]) -> list[Piece]:
    """Return a piece for each number that is not zero, by the class that colours it.

    The pieces fill the bar. A small number gets the least width that can be seen.
    """
    total = sum(numbers.values())
    widths = {
        css: max(THINNEST, WIDTH * number / total) for css, number in numbers.items() if number
    }
    scale = WIDTH / sum(widths.values()) if widths else 1
    pieces: list[Piece] = []
    end = 0.0
    for css, width in widths.items():
        start, end = end, end + width * scale
        pieces.append(Piece(css, round(start), round(end) - round(start)))
    return pieces
