"""Reads plain lines of databases, some thousand at a time; it accepts a line or leaves it.

What it accepts equals what the full reader makes of the same line. It reports no mistakes.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from pydantic import ValidationError

from inventory.database_lines.database_columns import DatabaseColumns, DatabaseKind
from inventory.database_lines.line_patterns import (
    PREFIX,
    WORDS,
    learn_pattern,
)
from inventory.model.base import read_moment
from inventory.model.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from inventory.database_lines.line_patterns import LinePattern

    _Key = tuple[str | None, ...]
    _Row = tuple[str | None, ...]

MOST_KEPT = 4_096
MOST_PATTERNS = 64

LEAST_IN_COLUMNS = 8
"""How many databases in a row are worth columns."""


class _RefusedError(Exception):
    """A line has words or times that the models refuse."""


class DatabaseReader:
    """Reads databases in lines.

    Words that many databases share, such as type, provider and region, are validated by the models
    once, and kept once.

    Attributes:
        has_refused: whether a line had words or times that the models refuse. Then its file has a
            mistake, and nothing more is read here: the full reader reports it.
    """

    def __init__(self) -> None:
        """Begin without any pattern."""
        self._patterns: dict[int, list[LinePattern]] = {}
        self._learned = 0
        self._kinds = _Kinds()
        self._moments = _Moments()
        self.has_refused = False

    def learn(self, text: str) -> None:
        """Learn the pattern of a line that the full reader accepted, for the lines to come."""
        if self._learned < MOST_PATTERNS and not self.has_refused:
            self._learned += 1
            if pattern := learn_pattern(text):
                self._patterns.setdefault(text.count('"'), []).append(pattern)

    def read(
        self, file: str, line: int, text: str, position: int
    ) -> tuple[list[Database | DatabaseColumns], int, int]:
        """Read lines of ``text`` from ``position`` on, as far as they are plain.

        The first of them has the number ``line`` in ``file``. Returns their databases, how many
        these are, and the position after them.
        """
        found: list[Database | DatabaseColumns] = []
        number, last = 0, -1
        while number > last and text.startswith(PREFIX, position):
            last = number
            # Lines of one pattern have as many quotes, so few patterns are tried.
            quotes = text.count('"', position, text.find("\n", position))
            for pattern in self._patterns.get(quotes, ()):
                rows, end = _rows_alike(pattern, text, position)
                columns = self._usual_columns(pattern, rows, file, line + number)
                if columns:
                    found += _in_columns_or_models(columns)
                    number, position = number + len(columns), end
                    break
        return found, number, position

    def _usual_columns(
        self, pattern: LinePattern, rows: list[_Row], file: str, line: int
    ) -> DatabaseColumns | None:
        """Return the databases in ``rows``; None if the models refuse one of them."""
        try:
            return self._columns(pattern, rows, file, line) if rows else None
        except _RefusedError:
            self._patterns.clear()
            self.has_refused = True
            return None

    def _columns(
        self, pattern: LinePattern, rows: list[_Row], file: str, line: int
    ) -> DatabaseColumns:
        own, time_of = pattern.own, self._moments.__getitem__
        columns = list(zip(*rows, strict=True))
        return DatabaseColumns(
            stated=pattern.stated,
            kinds=list(map(self._kinds.__getitem__, map(pattern.words, rows))),
            ids=columns[own.id],
            names=columns[own.name],
            created=list(map(time_of, columns[own.created])),
            added=[list(map(time_of, columns[place])) for place in pattern.added],
            seen=columns[own.seen],
            locations=list(zip(repeat(file), range(line, line + len(rows)))),
        )


def _rows_alike(pattern: LinePattern, text: str, position: int) -> tuple[list[_Row], int]:
    """Read lines of ``text`` from ``position`` on, as long as they match.

    Returns their values, and the position after them.
    """
    rows: list[_Row] = []
    # Where no line matches, the expression matches nothing, and the last group is not None.
    for match in pattern.expression.finditer(text, position):  # pragma: no branch
        row = match.groups()
        if row[-1] is not None:
            break
        rows.append(row)
        position = match.end()
    return rows, position


def _in_columns_or_models(columns: DatabaseColumns) -> Iterable[Database | DatabaseColumns]:
    """Return the models of databases for which columns are of no use.

    Those of several regions are looked at one by one, and a few in a row cost more in columns.
    """
    is_useful = len(columns.added) == 1 and len(columns) >= LEAST_IN_COLUMNS
    return (columns,) if is_useful else columns.models


class _Kinds(dict["_Key", DatabaseKind]):
    """The kinds of databases, by the words that those of a kind share."""

    def __missing__(self, words: _Key) -> DatabaseKind:
        """Learn a kind from the models; raise _RefusedError if these refuse the words."""
        named = dict(zip(WORDS, words, strict=False))
        places = zip(*[iter(words[len(WORDS) :])] * 2, strict=True)
        regions = [_stated({"name": name, "provider": provider}) for name, provider in places]
        try:
            example = Database.model_validate(
                {"id": "any", "name": "any", "regions": regions, **_stated(named)}
            )
        except ValidationError:
            raise _RefusedError from None
        if len(self) >= MOST_KEPT:
            self.clear()
        kind = self[words] = DatabaseKind(example)
        return kind


def _stated(data: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in data.items() if value is not None}


class _Moments(dict["str | None", "datetime | None"]):
    """The times that texts state; None for none."""

    def __missing__(self, text: str | None) -> datetime | None:
        """Read a time; raise _RefusedError if it is none."""
        moment = read_moment(text)
        if text is not None and moment is None:
            raise _RefusedError
        if len(self) >= MOST_KEPT:
            self.clear()
        self[text] = moment
        return moment
