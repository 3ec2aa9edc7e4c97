"""Databases as a program lists them: many in a row that differ in little, read in columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from inventory.database_lines.database_columns import DatabaseColumns
from inventory.database_lines.database_list import DatabaseList
from inventory.database_lines.database_reader import DatabaseReader
from inventory.model.database import Database
from tests.builders import uuid

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = "fleet.ndjson"

_WORDS: list[dict[str, Any]] = [
    {"type": "serverless", "provider": "aws"},
    {"type": "serverless", "provider": "aws", "status": "ACTIVE"},
    {"type": "serverless", "provider": "aws", "status": "PARKED"},
    {"type": "serverless", "provider": "aws", "status": "TERMINATED"},
    {"type": "managed-clusters", "provider": "azure"},
    {"provider": "azure", "tier": "serverless"},
    {"provider": "gcp", "tier": "unheard-of"},
]
_TIMES = st.sampled_from(
    [f"2026-0{month}-01T00:00:0{second}Z" for month in (3, 5, 6) for second in (0, 1)]
)
_PLACES = st.sampled_from([["us-east-1"], ["us-east-1"], ["eu-west-1"], ["eu-west-1", "us-east-1"]])


@st.composite
def _alike(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw databases that state the same fields, and differ in words, regions and times."""
    count = draw(st.sampled_from([1, 9, 20, 40]))
    words = draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3))
    words = [each for each in words if each.keys() == words[0].keys()]
    has_created, has_added = draw(st.booleans()), draw(st.booleans())
    made = []
    for _ in range(count):
        data = dict(draw(st.sampled_from(words)))
        if has_created:
            data["created_at"] = draw(_TIMES)
        added = {"added_at": draw(_TIMES)} if has_added else {}
        data["regions"] = [{"name": name} | added for name in draw(_PLACES)]
        made.append(data)
    return made


def database_lists() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Draw lists of databases as plain data, with many of the same fields in a row."""
    return st.lists(_alike(), max_size=4).map(_named)


def _named(groups: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    every = [data for group in groups for data in group]
    return [
        {"id": uuid(1_000 + number), "name": f"orders \\ {number}"} | data
        if number % 9 == 5
        else {"id": uuid(1_000 + number), "name": f"orders-{number}"} | data
        for number, data in enumerate(every)
    ]


VARIED = _named(
    [
        [
            words | times | {"regions": [{"name": name} | added for name in places]}
            for words in _WORDS[1:4]
            for places in (["us-east-1"], ["eu-west-1", "us-east-1"])
            for _ in range(6)
        ]
        for times in ({}, {"created_at": "2026-05-01T00:00:00Z"})
        for added in ({}, {"added_at": "2026-06-01T00:00:00Z"})
    ]
)
"""Databases of which many are read in columns: with and without times, gone, in two regions."""


def read_in_columns(databases: Iterable[dict[str, Any]]) -> DatabaseList:
    """Read ``databases`` as the lines of a file, with columns wherever these are of use."""
    lines = [json.dumps({"kind": "database"} | data, separators=(",", ":")) for data in databases]
    reader = DatabaseReader()
    for line in lines:
        reader.learn(f"{line}\n")
    text = "".join(f"{line}\n" for line in lines)
    parts: list[Database | DatabaseColumns] = []
    number = position = 0
    while position < len(text):
        found, count, position = reader.read(FILE, 1 + number, text, position)
        number += count
        parts += found
        if position < len(text):
            data = json.loads(lines[number])
            del data["kind"]
            number, position = number + 1, position + len(lines[number]) + 1
            parts.append(Database.model_validate(data).at(FILE, number))
    return DatabaseList(parts)
