"""The line of each part of a JSON text, found when somebody asks for it.

A plan of Terraform has a million parts, and the lines of some thousands are asked for. A table of
all of them would take more time and memory than everything else that is done with the plan.
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
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_BRACKET = re.compile(rf'(?:[^"{{}}\[\]]++|{_STRING})*+([{{}}\[\]]|\Z)')
_SCALAR = re.compile(rf"{_STRING}|[^ \t\n\r,\]}}]++")
_SPACE = re.compile(r"[ \t\n\r]*+")
_decode = json.JSONDecoder().raw_decode


def part_lines(text: str, data: object) -> Mapping[_Path, int]:
    """Return the line of each part of ``text``, which is valid JSON and holds ``data``.

    The line of a part is that of its key, or of its own start if it is in a list. That of the whole
    is 1.
    """
    first = text.find("\n")
    is_one_line = first < 0 or _end(_SPACE, text, first) == len(text)
    return _SingleLine(data) if is_one_line else _SeveralLines(text, data)


def walk(text: str) -> Iterator[tuple[_Path, int, bool]]:
    """Yield path and line of each part of ``text``, which is valid JSON, in its order.

    The third is whether its object had the same key before. Each of such parts is yielded, while
    data holds the last one only.
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
    """The lines of a text that has only one, as ``terraform show -json`` prints it."""

    def __getitem__(self, path: _Path) -> int:
        data: Any = self._data
        for name in path:
            if isinstance(data, list) == isinstance(name, str) or name not in _names(data):
                raise KeyError(path)
            data = data[name]
        return 1


class _SeveralLines(_PartLines):
    """The lines of a text that has several."""

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
        """Return what finds the parts of a value, and remembers some: of the lists around it."""
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
    """Where each object and list of a text ends, so that what is inside need not be read.

    Attributes:
        root: where the whole value begins.
    """

    def __init__(self, text: str) -> None:
        self.root = _end(_SPACE, text, 0)
        self._text = text
        self._starts = array("Q")
        self._ends = array("Q")
        opened: list[int] = []
        for found in _BRACKET.finditer(text):
            if found[1] in {"{", "["}:
                opened.append(len(self._starts))
                self._starts.append(found.end() - 1)
                self._ends.append(0)
            elif found[1]:
                self._ends[opened.pop()] = found.end()

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
    """Return how the parts of ``data`` are called: by keys, or by positions."""
    if isinstance(data, dict):
        return data
    return range(len(data)) if isinstance(data, list) else range(0)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
