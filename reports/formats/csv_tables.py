"""The tables of an audit as CSV (RFC 4180), a file each in the folder ``csv``."""

from __future__ import annotations

import csv
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from reports.tables.cells import FindingCell, defused
from reports.tables.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.model.head import Head
    from reports.tables.cells import Cell
    from reports.tables.columns import Table

_BYTE_ORDER_MARK = "\ufeff"
"""Without it, spreadsheets do not read the file as UTF-8."""

_ROWS_IN_PART = 64


class _Rows(list[str]):
    """What a ``csv.writer`` has written."""

    write = list.append


def render_files(
    head: Head, lines: Iterable[bytes], *, population: Iterable[bytes]
) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield name and parts of the file of each table.

    Lines of findings and population are read from their beginning for each of them, and a few rows
    are in memory at a time.
    """
    for table in TABLES:
        yield f"{table.name}.csv", _parts(table, head, lines, population)


def _parts(
    table: Table[Any], head: Head, lines: Iterable[bytes], population: Iterable[bytes]
) -> Iterator[str]:
    rows: Iterator[list[Cell]] = table.rows(head, lines, population)
    header: list[str | int | None] = [*table.header]
    left = chain([header], (list(map(_cell, row)) for row in rows))
    yield _BYTE_ORDER_MARK
    while some := list(islice(left, _ROWS_IN_PART)):
        written = _Rows()
        csv.writer(written).writerows(some)
        yield "".join(written)


def _cell(value: Cell) -> str | int | None:
    if isinstance(value, str):
        return defused(value)
    return defused(value.id) if isinstance(value, FindingCell) else value
