"""Line numbers of positions in a text."""

from __future__ import annotations

from itertools import accumulate

_BLOCK = 4_096


class LineNumbers:
    """Counts newlines: once for all blocks of a text, then within one block for each look-up."""

    def __init__(self, text: str) -> None:
        """Count the lines before each block of ``text``."""
        self._text = text
        counts = (text.count("\n", at, at + _BLOCK) for at in range(0, len(text), _BLOCK))
        self._before = list(accumulate(counts, initial=0))

    def at(self, position: int) -> int:
        """Return the line of ``position``, counted from 1."""
        block, rest = divmod(position, _BLOCK)
        return 1 + self._before[block] + self._text.count("\n", position - rest, position)
