"""Plain lines of databases, read fast: each is accepted as the full reader would, or left."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from pydantic import ValidationError

from inventory.database_lines import database_reader
from inventory.database_lines.database_columns import DatabaseColumns
from inventory.database_lines.database_list import DatabaseList
from inventory.database_lines.database_reader import DatabaseReader
from inventory.files.ndjson_lines import BadLineError, parse_line
from inventory.model.database import Database
from tests.builders import database_data

SEEN = "exchanges/0001/0002.json:7"
PLAIN = [
    database_data(),
    database_data(status="PARKED", seen=SEEN, tier="serverless"),
    database_data(regions=["us-east-1", {"name": "r2", "provider": "gcp"}], type="Classic"),
    database_data(created_at="2026-06-01T00:00:00.123456Z", regions=["a", "b", "c"]),
    {name: value for name, value in database_data(tier="A5").items() if name != "type"},
    dict(reversed(database_data(provider="Google Cloud").items())),
]


def as_line(database: dict[str, Any]) -> str:
    """Return the line of a database."""
    return json.dumps({"kind": "database"} | database, separators=(",", ":")) + "\n"


def slowly(line: str) -> Database | None:
    """Read a line by way of plain data; None if that refuses it."""
    try:
        data = parse_line(line.encode("utf-8", "surrogateescape"))
        assert data.pop("kind", None) == "database"
        return Database.model_validate(data)
    except (BadLineError, ValidationError, AssertionError):
        return None


def everything(database: Database | None) -> object:
    """Return all that a database is, hidden parts included."""
    if database is None:
        return None
    own = {name: value for name, value in vars(database).items() if name != "location"}
    sets = [part.model_fields_set for part in (database, *database.regions)]
    inside = [list(vars(region).items()) for region in database.regions]
    return list(own.items()), sets, inside, database.model_dump_json()


def read(reader: DatabaseReader, text: str, line: int = 1) -> tuple[list[Database], int]:
    """Return the models of the databases that ``reader`` reads, and the position after them."""
    parts, number, position = reader.read("a.ndjson", line, text, 0)
    databases = [*DatabaseList(parts)]
    assert len(databases) == number
    return databases, position


def taught(lines: list[str]) -> DatabaseReader:
    """Return a reader that has learned the patterns of some lines."""
    reader = DatabaseReader()
    for line in lines:
        reader.learn(line)
    return reader


@pytest.mark.parametrize("count", [3, 20])
@pytest.mark.parametrize("data", PLAIN)
def test_plain_lines_are_read_at_once(data: dict[str, Any], count: int) -> None:
    """Lines of a known pattern are read as the full reader reads them, each with its location."""
    line = as_line(data)
    databases, position = read(taught([line]), line * count + "{}\n", 7)
    assert position == len(line) * count
    assert [everything(database) for database in databases] == [everything(slowly(line))] * count
    places = [("a.ndjson", at) for at in range(7, 7 + count)]
    assert [database.location for database in databases] == places


def test_patterns_may_alternate() -> None:
    """Lines of several known patterns are read in their order."""
    lines = [as_line(data | {"id": f"d{at}"}) for at, data in enumerate([*PLAIN, *PLAIN])]
    databases, position = read(taught(lines), "".join(lines))
    assert position == len("".join(lines))
    assert list(map(everything, databases)) == [everything(slowly(line)) for line in lines]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"type":"serverless"', '"type":"server"'),
        ('"provider":"aws"', '"provider":"ibm"'),
        ('"created_at":"2026-06-01T', '"created_at":"2026-13-01T'),
        ('"created_at":"2026-06-01T', '"created_at":"2009-06-01T'),
        ('"added_at":"2026-06-01T', '"added_at":"2026-06-31T'),
        ('"id":"', '"id":" '),
        ('"name":"acme', '"name":"\\u0061cme'),
        ('"name":"acme', '"name":"acme","name":"acme'),
        ("}\n", "} \n"),
        ("}\n", "}\r\n"),
        ("}\n", "}"),
    ],
)
def test_other_lines_are_left(before: str, after: str) -> None:
    """A line with a value that the models refuse, or in another form, is left."""
    line = as_line(database_data())
    other = line.replace(before, after, 1)
    assert other != line
    reader = taught([line])
    databases, position = read(reader, line + other + line)
    expected = ([], 0) if reader.has_refused else ([slowly(line)], len(line))
    assert (databases, position) == expected


def test_after_a_refused_line_nothing_is_read() -> None:
    """A line that the models refuse is a mistake in its file, which the full reader reports."""
    line = as_line(database_data())
    reader = taught([line])
    assert read(reader, line.replace('"aws"', '"ibm"')) == ([], 0)
    assert reader.has_refused
    reader.learn(line)
    assert read(reader, line) == ([], 0)


def test_many_in_a_row_are_columns() -> None:
    """Many databases in a row are kept in columns; a few, and many kinds, as models."""
    lines = [as_line(database_data(regions=regions)) for regions in (["a"], ["a", "b"], ["c"])]
    for count, kinds, are_columns in ((7, 1, False), (8, 1, True), (11, 3, False), (12, 3, True)):
        text = "".join(islice(cycle(lines[:kinds]), count))
        parts, number, _ = taught(lines).read("a.ndjson", 1, text, 0)
        assert number == count
        assert list(map(type, parts)) == [DatabaseColumns] if are_columns else [Database] * count


def test_a_database_in_one_region_twice_is_left() -> None:
    """Two equal regions are not accepted."""
    known = as_line(database_data(regions=["a", "b"]))
    twice = as_line(database_data(regions=["a", "a"]))
    assert read(taught([known]), twice) == ([], 0)


def test_a_tier_that_contradicts_the_type_is_left() -> None:
    """The type must be that of the tier."""
    known = as_line(database_data(tier="serverless"))
    other = as_line(database_data(tier="A5"))
    assert read(taught([known]), other) == ([], 0)


def test_few_patterns_words_and_times_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However varied the lines are, what the reader keeps stays small, and they are read alike."""
    monkeypatch.setattr(database_reader, "MOST_KEPT", 2)
    monkeypatch.setattr(database_reader, "MOST_PATTERNS", 1)
    lines = [
        as_line(database_data(status=f"S{at}", created_at=f"2026-06-0{at}T00:00:00Z"))
        for at in range(1, 8)
    ]
    reader = taught([*lines, as_line(database_data())])
    databases, _ = read(reader, "".join(lines))
    assert list(map(everything, databases)) == [everything(slowly(line)) for line in lines]
    assert read(reader, as_line(database_data())) == ([], 0)


def mutations(lines: list[str], count: int) -> Iterator[str]:
    """Yield lines that differ from plain ones in one place, or in a few."""
    source = random.Random(15)
    pieces = [piece for line in lines for piece in line.strip().replace(",", "\0").split("\0")]
    odd = '"\\ \t\r{}[]:,z0Z+-.\u00e9\udcff\u2028\x00\x7f\ufeff'
    words = ["null", "true", "1", '""', "\\u0061", "  ", "A5", "planned", *pieces]
    for _ in range(count):
        line = source.choice(lines)[:-1]
        for _ in range(source.choice((1, 1, 1, 2, 3))):
            at, size = source.randrange(len(line) + 1), source.choice((0, 0, 1, 1, 2, 9))
            more = source.choice((source.choice(odd), source.choice(words), "", ","))
            if source.random() < 0.3:
                more = source.choice((line[at : at + 9], source.choice(line or " ")))
            line = line[:at] + more + line[at + size :]
        yield f"{line}\n"


def disagreements(count: int) -> list[str]:
    """Return the mutated lines that the fast way accepts and reads otherwise than the slow one."""
    lines = list(map(as_line, PLAIN))
    reader = taught(lines)
    accepted, wrong = 0, []
    for line in mutations(lines, count):
        reader = taught(lines) if reader.has_refused else reader
        databases, _ = read(reader, line)
        if databases:
            accepted += 1
            if everything(databases[0]) != everything(slowly(line)):
                wrong.append(line)
    assert accepted > count // 20
    return wrong


def test_mutated_lines() -> None:
    """Thousands of mutated lines are left, or read exactly as by the full reader."""
    assert disagreements(4_000) == []


@pytest.mark.slow
def test_a_million_mutated_lines() -> None:
    """A million mutated lines are left, or read exactly as by the full reader."""
    assert disagreements(1_000_000) == []
