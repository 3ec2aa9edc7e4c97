"""A list with columns gives what a tuple of the same models gives."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import example, given

from inventory.database_lines.database_columns import DatabaseColumns
from inventory.database_lines.database_list import count_kinds, ids_of, parts_of, select
from inventory.model.database import Database
from tests.builders import a_database, a_planned_database, database_data, uuid
from tests.database_lists import VARIED, database_lists, read_in_columns
from tests.hypothesis_profile import examples


def _shape(database: Database) -> tuple[object, ...]:
    """Return what databases of a kind have in common."""
    regions = tuple((region.name, region.provider) for region in database.regions)
    return database.type, database.tier, database.provider, database.status, regions


@examples(60)
@example(VARIED)
@given(database_lists())
def test_columns_hold_what_the_lines_state(data: list[dict[str, Any]]) -> None:
    """Read in columns or one by one, a list holds the same databases."""
    read, expected = read_in_columns(data), tuple(map(Database.model_validate, data))
    assert read == expected
    assert len(read) == len(expected)
    assert ids_of(read) == ids_of(expected) == [each["id"] for each in data]
    counted: Counter[object] = Counter()
    for database, count in count_kinds(read):
        counted[_shape(database)] += count
    assert counted == Counter(map(_shape, expected))
    assert [each.line for each in read] == list(range(1, len(data) + 1))


@examples(60)
@example(VARIED)
@given(database_lists())
def test_some_of_a_list(data: list[dict[str, Any]]) -> None:
    """Those that meet a condition come in their order, whether columns hold them or not."""
    read = read_in_columns(data)

    def is_wanted(database: Database) -> bool:
        return database.status == "PARKED" or len(database.regions) > 1

    assert list(select(read, is_wanted)) == list(filter(is_wanted, read))
    assert list(select(tuple(read), is_wanted)) == list(filter(is_wanted, read))


def test_a_list_is_a_sequence() -> None:
    """It equals and hashes as the tuple of its databases, and gives each of them."""
    read = read_in_columns([database_data(id=uuid(at)) for at in range(9)])
    assert any(isinstance(part, DatabaseColumns) for part in parts_of(read))
    assert read == tuple(read)
    assert hash(read) == hash(tuple(read))
    assert read != [*read]
    assert (read[0].id, read[-1].id, len(read[2:5])) == (uuid(0), uuid(8), 3)
    assert len(read_in_columns([])) == 0


def test_lists_without_columns() -> None:
    """A tuple has its databases as parts, each a kind of its own; None has none."""
    databases = (a_database(), a_planned_database())
    assert list(parts_of(databases)) == list(databases)
    assert list(count_kinds(databases)) == [(each, 1) for each in databases]
    assert ids_of(databases) == [databases[0].id]
    assert (list(parts_of(None)), list(count_kinds(None)), ids_of(None)) == ([], [], [])
