"""Reads plain lines of databases, some thousand at a time; it accepts a line or leaves it.

What it accepts equals what the full reader makes of the same line. It reports no mistakes.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

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
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from inventory.database_lines.database_columns import StatedFields, Times
    from inventory.database_lines.line_patterns import LinePattern

    _Key = tuple[str | None, ...]
    _Row = tuple[str | None, ...]

MOST_KEPT = 4_096
MOST_PATTERNS = 64

LEAST_IN_COLUMNS = 8
"""How many databases in a row are worth columns."""

LEAST_OF_KIND = 4
"""How many of them have to be of a kind, on an average."""


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
        self._patterns: dict[int, list[_KnownPattern]] = {}
        self._learned = 0
        self._moments = _Moments()
        self.has_refused = False

    def learn(self, text: str) -> None:
        """Learn the pattern of a line that the full reader accepted, for the lines to come."""
        if self._learned < MOST_PATTERNS and not self.has_refused:
            self._learned += 1
            if pattern := learn_pattern(text):
                known = _KnownPattern(pattern, _Kinds(pattern.stated))
                self._patterns.setdefault(text.count('"'), []).append(known)

    def read(
        self, file: str, line: int, text: str, position: int
    ) -> tuple[Iterable[Database | DatabaseColumns], int, int]:
        """Read lines of ``text`` from ``position`` on, as far as they are plain.

        The first of them has the number ``line`` in ``file``. Returns their databases, how many
        these are, and the position after them.
        """
        found = _Found()
        count = -1
        while len(found.kinds) > count and text.startswith(PREFIX, position):
            count = len(found.kinds)
            # Lines of one pattern have as many quotes, so few patterns are tried.
            quotes = text.count('"', position, text.find("\n", position))
            for known in self._patterns.get(quotes, ()):
                rows, end = _rows_alike(known.pattern, text, position)
                if rows and self._add(known, rows, found):
                    position = end
                    break
        return found.in_columns_or_models(file, line), len(found.kinds), position

    def _add(self, known: _KnownPattern, rows: list[_Row], found: _Found) -> bool:
        """Add the databases in ``rows``; return False if the models refuse any of them."""
        try:
            found.add(known, rows, self._moments)
        except _RefusedError:
            self._patterns.clear()
            self.has_refused = True
        return not self.has_refused


class _KnownPattern(NamedTuple):
    """A pattern of lines, and the kinds of databases that such lines are of."""

    pattern: LinePattern
    kinds: _Kinds


class _Found:
    """The columns of the databases in lines in a row."""

    def __init__(self) -> None:
        self.kinds: list[DatabaseKind] = []
        self._ids: list[str] = []
        self._names: list[str] = []
        self._created: list[datetime | None] = []
        self._deployed: list[Times] = []
        self._seen: list[str | None] = []

    def add(self, known: _KnownPattern, rows: list[_Row], moments: _Moments) -> None:
        """Add databases; raise _RefusedError without adding any if the models refuse one."""
        pattern, time_of, columns = (
            known.pattern,
            moments.__getitem__,
            list(zip(*rows, strict=True)),
        )
        kinds = list(map(known.kinds.__getitem__, map(pattern.words, rows)))
        created = list(map(time_of, columns[pattern.own.created]))
        deployed = list(_deployed(pattern, created, columns, time_of))
        self.kinds += kinds
        self._ids += columns[pattern.own.id]
        self._names += columns[pattern.own.name]
        self._created += created
        self._deployed += deployed
        self._seen += columns[pattern.own.seen]

    def in_columns_or_models(self, file: str, line: int) -> Iterable[Database | DatabaseColumns]:
        """Return the databases, which were read from ``line`` on: as models if they are few."""
        count = len(self.kinds)
        columns = DatabaseColumns(
            kinds=self.kinds,
            ids=self._ids,
            names=self._names,
            created=self._created,
            deployed=self._deployed,
            seen=self._seen,
            locations=list(zip(repeat(file, count), range(line, line + count), strict=True)),
        )
        is_useful = count >= max(LEAST_IN_COLUMNS, LEAST_OF_KIND * len(columns.counts))
        return (columns,) if is_useful else columns


def _deployed(
    pattern: LinePattern,
    created: list[datetime | None],
    columns: Sequence[Sequence[str | None]],
    time_of: Callable[[str | None], datetime | None],
) -> Iterator[Times]:
    """Yield when each database was deployed in its regions.

    One that has a single region was made with it, if that has no time of its own.
    """
    added = [list(map(time_of, columns[place])) for place in pattern.added]
    is_made_with_region = len(added) == 1 and "added_at" not in pattern.stated.regions[0]
    return zip(*([created] if is_made_with_region else added), strict=True)


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


class _Kinds(dict["_Key", DatabaseKind]):
    """The kinds of databases whose lines state the same fields, by the words of each kind."""

    def __init__(self, stated: StatedFields) -> None:
        super().__init__()
        self._stated = stated

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
        kind = self[words] = DatabaseKind(example, self._stated)
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
