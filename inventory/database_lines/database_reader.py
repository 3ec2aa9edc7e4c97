"""Reads plain lines of databases, some thousand at a time; it accepts a line or leaves it.

What it accepts equals what the full reader makes of the same line. It reports no mistakes.
"""

from __future__ import annotations

from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from inventory.database_lines.frozen_models import build_models
from inventory.database_lines.line_patterns import (
    PREFIX,
    WORDS,
    LinePattern,
    learn_pattern,
)
from inventory.model.base import read_moment
from inventory.model.database import Database, DatabaseRegion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    _Key = tuple[str | None, ...]
    _Values = dict[str, Any]

MOST_KEPT = 4_096
MOST_PATTERNS = 64


class _UnusualError(Exception):
    """A line has words or times that need the full reader."""


class DatabaseReader:
    """Reads databases in lines.

    Words that many databases share, such as type, provider and region, are validated by the models
    once, and kept once.
    """

    def __init__(self) -> None:
        """Begin without any pattern."""
        self._patterns: dict[int, list[LinePattern]] = {}
        self._learned = 0
        self._words = _Words()
        self._moments = _Moments()

    def learn(self, text: str) -> None:
        """Learn the pattern of a line that the full reader accepted, for the lines to come."""
        if self._learned < MOST_PATTERNS:
            self._learned += 1
            if pattern := learn_pattern(text):
                self._patterns.setdefault(text.count('"'), []).append(pattern)

    def read(self, file: str, line: int, text: str, position: int) -> tuple[list[Database], int]:
        """Read lines of ``text`` from ``position`` on, as far as they are plain.

        The first of them has the number ``line`` in ``file``. Returns their databases, and the
        position after them.
        """
        found = _Found(file, line)
        count = -1
        while len(found.databases) > count and text.startswith(PREFIX, position):
            count = len(found.databases)
            # Lines of one pattern have as many quotes, so few patterns are tried.
            quotes = text.count('"', position, text.find("\n", position))
            for pattern in self._patterns.get(quotes, ()):
                position = self._read_alike(pattern, text, position, found)
                if len(found.databases) > count:
                    break
        return found.build(), position

    def _read_alike(self, pattern: LinePattern, text: str, position: int, found: _Found) -> int:
        """Read lines as long as they match ``pattern`` and have no unusual value."""
        identity, name, created, seen = pattern.own
        words, moments, added = self._words, self._moments, pattern.added
        line = first = found.line + len(found.databases)
        try:
            for match in pattern.expression.finditer(text, position):
                row = match.groups()
                if row[-1] is not None:
                    break
                shared, regions = words[pattern.words(row)]
                values = shared.copy()
                values["id"], values["name"] = row[identity], row[name]
                values["created_at"], values["seen"] = moments[row[created]], row[seen]
                values["location"] = (found.file, line)
                values["regions"] = [
                    {**region, "added_at": moments[row[at]]}
                    for region, at in zip(regions, added, strict=True)
                ]
                found.databases.append(values)
                position = match.end()
                line += 1
        except _UnusualError:
            pass
        found.add_run(pattern, line - first)
        return position


class _Found:
    """What was found in lines of ``file`` from ``line`` on, before it becomes models."""

    def __init__(self, file: str, line: int) -> None:
        self.file = file
        self.line = line
        self.databases: list[_Values] = []
        self._runs: list[tuple[LinePattern, int]] = []

    def add_run(self, pattern: LinePattern, length: int) -> None:
        """Add that as many of the databases, one after the other, have the pattern."""
        self._runs.append((pattern, length))

    def build(self) -> list[Database]:
        """Return the databases."""
        values = [region for database in self.databases for region in database["regions"]]
        stated = chain.from_iterable(pattern.regions * length for pattern, length in self._runs)
        made = iter(build_models(DatabaseRegion, values, stated))
        for database, regions in zip(self.databases, self._grouped(made), strict=True):
            database["regions"] = regions
        stated = chain.from_iterable(repeat(run.stated, length) for run, length in self._runs)
        return build_models(Database, self.databases, stated)

    def _grouped(self, regions: Iterator[DatabaseRegion]) -> Iterator[tuple[DatabaseRegion, ...]]:
        """Yield the regions of each database."""
        for pattern, length in self._runs:
            # ``zip`` takes one from the same iterator for each region that a database has.
            yield from islice(zip(*[regions] * len(pattern.regions), strict=False), length)


class _Words(dict["_Key", "tuple[_Values, tuple[_Values, ...]]"]):
    """The values that databases with the same words share, and those of their regions."""

    def __missing__(self, words: _Key) -> tuple[_Values, tuple[_Values, ...]]:
        """Learn them from the models; raise _UnusualError if these refuse the words."""
        named = dict(zip(WORDS, words, strict=False))
        places = zip(*[iter(words[len(WORDS) :])] * 2, strict=True)
        regions = [_stated({"name": name, "provider": provider}) for name, provider in places]
        try:
            database = Database.model_validate(
                {"id": "any", "name": "any", "regions": regions, **_stated(named)}
            )
        except ValidationError:
            raise _UnusualError from None
        if len(self) >= MOST_KEPT:
            self.clear()
        shared = dict(vars(database)), tuple(dict(vars(region)) for region in database.regions)
        self[words] = shared
        return shared


def _stated(data: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in data.items() if value is not None}


class _Moments(dict["str | None", "datetime | None"]):
    """The times that texts state; None for none."""

    def __missing__(self, text: str | None) -> datetime | None:
        """Read a time; raise _UnusualError if it is none."""
        moment = read_moment(text)
        if text is not None and moment is None:
            raise _UnusualError
        if len(self) >= MOST_KEPT:
            self.clear()
        self[text] = moment
        return moment
