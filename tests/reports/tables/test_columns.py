"""What a table is: names that scripts can rely on, and rows of as many cells."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reports.tables.columns import Column, Table
from reports.tables.tables import TABLES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_names_of_columns_are_unique_and_plain(table: Table[Any]) -> None:
    """A column has a name of its own, of letters and underscores, and says what it holds."""
    assert len(set(table.header)) == len(table.header)
    for column in table.columns:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", column.name)
        assert column.meaning
    assert 0 <= table.frozen < len(table.columns)


def test_rows_are_read_and_made_harmless() -> None:
    """A row has the value of each column, and what cannot be seen in it is named."""
    columns = (
        Column[str]("text", "it", lambda row: row),
        Column[str]("size", "its size", len),
        Column[str]("none", "nothing", lambda _: None),
    )
    table = Table("t", "T", "a text", columns, lambda *_: iter(["a", "\u202e"]))
    given: Any = {}
    assert table.header == ["text", "size", "none"]
    assert list(table.rows(given, (), ())) == [["a", 1, None], ["(U+202E)", 1, None]]
