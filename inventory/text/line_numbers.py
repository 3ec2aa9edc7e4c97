"""The line of a position in a text."""

from __future__ import annotations

from itertools import accumulate

_BLOCK = 4_096


class LineNumbers:
    """Counts newlines: once in each block of a text, and then in one block for each question."""

    def __init__(self, text: str) -> None:
        """Count the lines before each block of ``text``."""
        self._text = text
        counts = (text.count("\n", at, at + _BLOCK) for at in range(0, len(text), _BLOCK))
        self._before = list(accumulate(counts, initial=0))

    def at(self, position: int) -> int:
        """Return the line of ``position``, counted from 1."""
        block, rest = divmod(position, _BLOCK)
        return 1 + self._before[block] + self._text.count("\n", position - rest, position)
