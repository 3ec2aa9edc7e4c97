"""The line of each part of a JSON text, computed only when it is needed.

A Terraform plan has a million parts, but only some thousand lines are looked up. A table of all
lines would take more time and memory than everything else that is done with the plan. So only the
brackets are indexed, and a look-up steps over whole values by their closing brackets.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from inventory.text.line_numbers import LineNumbers

_Path = tuple[str | int, ...]

_REMEMBERED = 1_024
# Possessive quantifiers (``++``) never backtrack, so that hostile text takes linear time.
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_BRACKET = re.compile(rf'(?:[^"{{}}\[\]]++|{_STRING})*+([{{}}\[\]]|\Z)')
_SCALAR = re.compile(rf"{_STRING}|[^ \t\n\r,\]}}]++")
_SPACE = re.compile(r"[ \t\n\r]*+")
_decode = json.JSONDecoder().raw_decode


def part_lines(text: str, data: object) -> Mapping[_Path, int]:
    """Return the line of each part of ``text``, which is valid JSON and holds ``data``.

    The line of a part is that of its key, or its own first line if it is in a list. The line of the
    whole is 1.
    """
    first = text.find("\n")
    is_one_line = first < 0 or _end(_SPACE, text, first) == len(text)
    return _SingleLine(data) if is_one_line else _SeveralLines(text, data)


def walk(text: str) -> Iterator[tuple[_Path, int, bool]]:
    """Yield path and line of each part of ``text``, which is valid JSON, in order.

    The third value says whether the key is a duplicate. Every duplicate is yielded, although the
    data has only the last one.
    """
    index, numbers = _Index(text), LineNumbers(text)
    path: list[str | int] = []
    waiting = [(index.parts(index.root), set[str | int]())]
    while waiting:
        parts, names = waiting[-1]
        part = next(parts, None)
        del path[len(waiting) - 1 :]
        if part is None:
            waiting.pop()
            continue
        path.append(part.name)
        yield tuple(path), numbers.at(part.location), part.name in names
        names.add(part.name)
        waiting.append((index.parts(part.value), set()))


class _PartLines(Mapping[_Path, int]):
    """The lines of the parts of some data."""

    def __init__(self, data: object) -> None:
        self._data = data

    def __iter__(self) -> Iterator[_Path]:
        waiting: list[tuple[_Path, Any]] = [((), self._data)]
        while waiting:
            path, data = waiting.pop()
            yield path
            waiting += [((*path, name), data[name]) for name in _names(data)]

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _SingleLine(_PartLines):
    """The lines of a text on a single line, as ``terraform show -json`` prints it."""

    def __getitem__(self, path: _Path) -> int:
        data: Any = self._data
        for name in path:
            if isinstance(data, list) == isinstance(name, str) or name not in _names(data):
                raise KeyError(path)
            data = data[name]
        return 1


class _SeveralLines(_PartLines):
    """The lines of a text on several lines."""

    def __init__(self, text: str, data: object) -> None:
        super().__init__(data)
        self._text = text

    def __getitem__(self, path: _Path) -> int:
        if not path:
            return 1
        start = place = _end(_SPACE, self._text, 0)
        for name in path:
            _, place, start = self._parts(start)[name]
        return self._numbers.at(place)

    @cached_property
    def _numbers(self) -> LineNumbers:
        return LineNumbers(self._text)

    @cached_property
    def _parts(self) -> Callable[[int], dict[str | int, _Part]]:
        """Return a function from the start of a value to its parts.

        It is cached, as neighbouring look-ups share the lists and objects around them.
        """
        index = _Index(self._text)
        return lru_cache(_REMEMBERED)(lambda at: {part.name: part for part in index.parts(at)})


class _Part(NamedTuple):
    """A part of a text.

    Attributes:
        name: its key, or its position in a list.
        location: where its key begins, or its value if it is in a list.
        value: where its value begins.
    """

    name: str | int
    location: int
    value: int


class _Index:
    """The end of each object and list of a text, so that a reader can step over its contents.

    Attributes:
        root: where the whole value begins.
    """

    def __init__(self, text: str) -> None:
        self.root = _end(_SPACE, text, 0)
        self._text = text
        # Two flat arrays: a dictionary of a million positions would take ten times the memory. The
        # starts come in ascending order, so bisection finds one.
        self._starts = array("Q")
        self._ends = array("Q")
        opened: list[int] = []
        for bracket in _BRACKET.finditer(text):
            if bracket[1] in {"{", "["}:
                opened.append(len(self._starts))
                self._starts.append(bracket.end() - 1)
                self._ends.append(0)
            elif bracket[1]:
                self._ends[opened.pop()] = bracket.end()

    def parts(self, start: int) -> Iterator[_Part]:
        """Yield the parts of the value that begins at ``start``; a scalar has none."""
        text = self._text
        if text[start] not in "{[":
            return
        at, number = _end(_SPACE, text, start + 1), 0
        while text[at] not in "]}":
            name, value = number, at
            if text[start] == "{":
                name, colon = _decode(text, at)
                value = _end(_SPACE, text, _end(_SPACE, text, colon) + 1)
            yield _Part(name, at, value)
            at = _end(_SPACE, text, self._after(value))
            if text[at] == ",":
                at = _end(_SPACE, text, at + 1)
            number += 1

    def _after(self, start: int) -> int:
        """Return the position after the value that begins at ``start``."""
        if self._text[start] in "{[":
            return self._ends[bisect_left(self._starts, start)]
        return _end(_SCALAR, self._text, start)


def _names(data: object) -> Mapping[str, Any] | range:
    """Return the names of the parts of ``data``: keys, or positions."""
    if isinstance(data, dict):
        return data
    return range(len(data)) if isinstance(data, list) else range(0)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
