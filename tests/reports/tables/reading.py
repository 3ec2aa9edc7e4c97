"""The rows of a table by the names of its columns, for the tests of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.tables.columns import Table


def rows_of(
    table: Table[Any], head: object, lines: Iterable[bytes] = (), population: Iterable[bytes] = ()
) -> list[dict[str, Any]]:
    """Return the rows of ``table``; a cell without a value is left out, an id is a text."""
    given: Any = head
    rows = table.rows(given, lines, population)
    return [_row(table, row) for row in rows]


def _row(table: Table[Any], row: list[Any]) -> dict[str, Any]:
    named = dict(zip(table.header, row, strict=True))
    return {
        name: value[0] if isinstance(value, tuple) else value
        for name, value in named.items()
        if value not in {None, ""}
    }
