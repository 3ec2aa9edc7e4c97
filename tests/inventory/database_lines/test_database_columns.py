"""Databases in columns are the databases that models hold, each with a model when it is wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inventory.database_lines.database_columns import DatabaseColumns, pick
from tests.builders import database_data, moment, uuid
from tests.database_lists import FILE, read_in_columns

CREATED = moment("2026-06-01T00:00:00Z")


def columns(count: int = 10, **over: object) -> DatabaseColumns:
    """Return databases in columns, of two kinds in turns."""
    data = [
        database_data(id=uuid(at), name=f"n{at}", status=("ACTIVE", "PARKED")[at % 2], **over)
        for at in range(count)
    ]
    (part,) = read_in_columns(data).parts
    assert isinstance(part, DatabaseColumns)
    return part


def test_a_database_has_one_model() -> None:
    """Whoever looks at a database gets the same model, looked at alone or with all others."""
    found = columns()
    third = found[3]
    assert (third.id, third.name, third.status) == (uuid(3), "n3", "PARKED")
    assert third.location == (FILE, 4)
    assert found[3] is third
    assert found[-7] is third
    assert found[:][3] is third
    assert found.models([4, 3])[1] is third
    assert [database.id for database in found[3:5]] == [uuid(3), uuid(4)]
    assert len(found) == len([*found]) == 10


def test_no_database_beyond_the_end() -> None:
    """A place that is beyond the end is an error, as in any sequence."""
    with pytest.raises(IndexError):
        columns()[10]


def test_kinds_are_counted() -> None:
    """Kinds are counted in the order of their first databases."""
    counts = columns(11).counts
    assert [kind.example.status for kind in counts] == ["ACTIVE", "PARKED"]
    assert list(counts.values()) == [6, 5]


def test_a_database_of_one_region_was_deployed_with_it() -> None:
    """The time of the region counts; without one, a database was deployed when it was created."""
    added = "2026-06-02T00:00:00Z"
    with_time = columns(regions=[{"name": "a", "added_at": added}])
    assert set(with_time.deployed) == {(CREATED + timedelta(days=1),)}
    assert set(columns(regions=[{"name": "a"}]).deployed) == {(CREATED,)}
    assert set(columns(regions=[{"name": "a"}, {"name": "b"}]).deployed) == {(None, None)}


def test_databases_can_be_moved() -> None:
    """The reader of evidence sets where each database was seen."""
    found = columns()
    found.move([("answers", at) for at in range(10)])
    assert found[9].location == ("answers", 9)


@pytest.mark.parametrize("rows", [[], [2], [0, 2], [0, 1, 2, 3]])
def test_some_of_a_column(rows: list[int]) -> None:
    """The entries of some rows come in their order."""
    assert list(pick("abcd", rows)) == ["abcd"[row] for row in rows]
