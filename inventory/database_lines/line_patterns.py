"""Patterns of the lines of databases, each learned from a line that the full reader accepted.

A program writes the fields of all its databases in one order, or in a few. A regular expression for
such an order checks a whole line and picks its values in a third of the time that a parser takes.
"""

from __future__ import annotations

import json
import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.database_lines.database_columns import StatedFields
from inventory.model.base import SEEN

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = '{"kind":"database",'
_MOST_REGIONS = 16

_IDENTIFIER = r"[!#-\[\]-~]{1,2048}+"
_PLAIN = r"[!#-\[\]-~][ !#-\[\]-~]*+"
_TIME = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"

WORDS = ("type", "tier", "provider", "status")
"""The fields that many databases share."""

_DATABASE = {
    "id": _IDENTIFIER,
    "name": _PLAIN,
    "created_at": _TIME,
    "seen": SEEN.strip("^$"),
    **dict.fromkeys(WORDS, _PLAIN),
}
_REGION = {"name": _IDENTIFIER, "provider": _PLAIN, "added_at": _TIME}


class OwnFields(NamedTuple):
    """The positions of what each database has for itself among the groups of a pattern."""

    id: int
    name: int
    created: int
    seen: int


class LinePattern(NamedTuple):
    """The pattern of lines that have the same fields in the same order.

    A field that the lines lack has the position -1: the last group is no part of their match.

    Attributes:
        expression: matches one line, or nothing at all where the line is another.
        own: the positions of what each database has for itself.
        words: returns the words of a match, from its groups: the ``WORDS``, then name and provider
            of each region.
        added: the position of each region's time of addition.
        stated: the fields of the database and of its regions.
    """

    expression: re.Pattern[str]
    own: OwnFields
    words: Callable[[tuple[str | None, ...]], tuple[str | None, ...]]
    added: tuple[int, ...]
    stated: StatedFields


def learn_pattern(line: str) -> LinePattern | None:
    """Return the pattern of a line, which is of a valid database; None if it is not a plain one."""
    data = json.loads(line)
    del data["kind"]
    regions = data["regions"]
    is_plain = "id" in data and data.keys() <= {*_DATABASE, "regions"}
    if not is_plain or len(regions) > _MOST_REGIONS:
        return None
    if any(region.keys() - _REGION.keys() for region in regions):
        return None
    fields = _object_expression(data, _DATABASE).removeprefix(r"\{")
    expression = re.compile(f"{re.escape(PREFIX)}{fields}\n|()")
    own, words, named, added = (
        [expression.groupindex.get(name, 0) - 1 for name in names]
        for names in (
            ("id", "name", "created_at", "seen"),
            WORDS,
            [f"{name}_{at}" for at in range(len(regions)) for name in ("name", "provider")],
            [f"added_at_{at}" for at in range(len(regions))],
        )
    )
    pattern = LinePattern(
        expression=expression,
        own=OwnFields(*own),
        words=itemgetter(*words, *named),
        added=tuple(added),
        stated=StatedFields(set(data), tuple(map(set, regions))),
    )
    return pattern if expression.fullmatch(line) else None


def _object_expression(data: dict[str, Any], values: dict[str, str], end: str = "") -> str:
    """Return the expression of an object; the names of its groups have the ``end``."""
    fields = [
        f'"regions":{_list_expression(data[name])}'
        if name == "regions"
        else f'"{name}":"(?P<{name}{end}>{values[name]})"'
        for name in data
    ]
    return rf"\{{{','.join(fields)}\}}"


def _list_expression(regions: list[dict[str, Any]]) -> str:
    parts = [_object_expression(region, _REGION, f"_{at}") for at, region in enumerate(regions)]
    return rf"\[{','.join(parts)}\]"
