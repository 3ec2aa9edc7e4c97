"""What a table is: its columns, each with its meaning, and where its rows come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from reports.model.head import Head
from reports.tables.cells import Cell, harmless

R = TypeVar("R")

NARROW, MIDDLE, WIDE, WIDEST = 12, 22, 40, 80
"""Widths of columns in spreadsheets, in characters."""


class Column(NamedTuple, Generic[R]):
    """A column of a table whose rows are made of an ``R``.

    Attributes:
        name: its name in the header; it does not change from version to version.
        meaning: what it holds, for the docs.
        value: returns the value of a row.
        width: its width in a spreadsheet.
    """

    name: str
    meaning: str
    value: Callable[[R], Cell]
    width: int = MIDDLE


class Table(NamedTuple, Generic[R]):
    """A table of an audit.

    Attributes:
        name: its name, of which the name of its file is made.
        title: its title, which is the name of its sheet.
        rows_are: what a row is, for the docs.
        columns: its columns.
        read: yields what each row is made of, from head, lines of findings and of the population;
            these are read from their beginning as often as needed.
        frozen: how many columns stay in view.
    """

    name: str
    title: str
    rows_are: str
    columns: tuple[Column[R], ...]
    read: Callable[[Head, Iterable[bytes], Iterable[bytes]], Iterator[R]]
    frozen: int = 0

    @property
    def header(self) -> list[str]:
        """Return the names of the columns."""
        return [column.name for column in self.columns]

    def rows(
        self, head: Head, lines: Iterable[bytes], population: Iterable[bytes]
    ) -> Iterator[list[Cell]]:
        """Yield the rows, without the header; each text in them is harmless."""
        values = [column.value for column in self.columns]
        for row in self.read(head, lines, population):
            yield [harmless(value(row)) for value in values]
