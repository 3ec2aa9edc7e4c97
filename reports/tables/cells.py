"""The cells of tables: values of the record, made harmless and short enough for a spreadsheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import Status
from inventory.text.display import printable
from reports.presentation.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 30_000
"""How many characters of a text a cell holds; a spreadsheet takes 32,767.

What is between the two is for the code points of characters that cannot be seen.
"""

_LONGEST_LINE = 10_000

SEPARATOR = "; "
"""What is between several values in one cell."""

_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b"
"""Equals, plus, minus and at, also in full width and small."""

_FIRST = frozenset(f" {_SIGNS}")
_FORMULA = re.compile(f"(^|;)( *[{re.escape(_SIGNS)}])")
"""Where a spreadsheet may take text for a formula.

One whose language separates lists by semicolons begins a new cell after each of them.
"""


class FindingCell(NamedTuple):
    """The id of a finding, which may lead to the page that shows it.

    Attributes:
        id: the finding's id.
        organization: the id of its organization; empty if it goes across organizations.
        status: its status.
    """

    id: str
    organization: str
    status: Status


Cell = str | int | FindingCell | None
"""A value as it is shown; None if it is not known, or does not apply."""


def harmless(value: Cell) -> Cell:
    """Return ``value`` with a text of at most ``LONGEST`` characters that can all be seen.

    An empty text is None.
    """
    if not value:
        return None if value == "" else value
    if isinstance(value, str):
        # Nearly all of the millions of texts in a large table are so.
        if len(value) <= LONGEST and value.isascii() and value.isprintable():
            return value
        return plain(value, LONGEST)
    if isinstance(value, FindingCell):
        return value._replace(id=plain(value.id, LONGEST))
    return value


def shown(value: object) -> str | int | None:
    """Return a value of the record as a cell; raise TypeError if it is no single value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    raise TypeError(f"found {type(value).__name__}, expected a text, a number, yes or no")


def joined(values: Iterable[str]) -> str:
    """Return several texts as one; those that are empty are left out."""
    return SEPARATOR.join(filter(None, values))


def defused(text: str) -> str:
    """Return ``text`` with an apostrophe before each sign by which a formula would begin."""
    if text[:1] in _FIRST or ";" in text:
        return _FORMULA.sub(r"\1'\2", text)
    return text


def one_line(text: str) -> str:
    """Return ``text`` as a cell on one line, cut to 10,000 characters, that is no formula."""
    return defused(printable(" ".join(text.splitlines()), _LONGEST_LINE))
