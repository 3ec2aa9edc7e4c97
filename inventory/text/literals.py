"""A search for many literals at once: whether any of them is in a block of bytes.

Nearly every block holds none. The engine for regular expressions behind pydantic, which is in Rust,
searches for a few dozen literals in less than half of the time that ``in`` takes for one of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MOST_TOGETHER = 48
"""How many literals are searched for together: above 64 the engine takes a slower way."""

_PIECE = 131_072
"""How many bytes are searched at once: a larger copy of them would not stay in the cache."""


class LiteralSearch:
    """Searches for literals, which may be secret: its repr shows only how many there are."""

    __slots__ = ("_count", "_longest", "_searches")

    def __init__(self, literals: Iterable[bytes]) -> None:
        """Search for ``literals``; none of them is empty."""
        unique = [*dict.fromkeys(literals)]
        self._count = len(unique)
        self._longest = max(map(len, unique), default=0)
        self._searches = [
            _search_for(unique[start : start + _MOST_TOGETHER])
            for start in range(0, len(unique), _MOST_TOGETHER)
        ]

    def __repr__(self) -> str:
        """Show how many literals there are, and none of them."""
        return f"{type(self).__name__}({self._count} literals)"

    def __reduce__(self) -> str:
        """Refuse pickling: a secret could reach a file or another process by it."""
        raise TypeError("what is searched for is not written down")

    def is_in(self, block: bytes) -> bool:
        """Return whether any of the literals is in ``block``."""
        if not self._searches:
            return False
        return any(search(text) for text in self._texts(block) for search in self._searches)

    def _texts(self, block: bytes) -> Iterator[str]:
        """Yield ``block`` in pieces that overlap, so that each literal is whole in one of them.

        They have one character for each byte: any bytes are such a text, and UTF-8 is not.
        """
        view = memoryview(block)
        for start in range(0, len(block), _PIECE):
            yield str(view[start : start + _PIECE + self._longest - 1], "latin-1")


def _search_for(literals: Iterable[bytes]) -> Callable[[str], bool]:
    # Imported late: commands that read nothing have no need of pydantic, which takes long to load.
    from pydantic_core import SchemaValidator, core_schema  # noqa: PLC0415

    # No variable holds the pattern: a traceback with local variables would show the literals.
    return SchemaValidator(
        core_schema.str_schema(
            pattern="|".join([re.escape(literal.decode("latin-1")) for literal in literals]),
            regex_engine="rust-regex",
        )
    ).isinstance_python
