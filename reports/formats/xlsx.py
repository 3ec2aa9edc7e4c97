"""The tables of an audit as a workbook, ``audit.xlsx``, a sheet each."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from datetime import datetime
from itertools import chain
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from inventory.errors import InventoryError, Problem
from reports.page.organizations.anchors import Anchors
from reports.page.organizations.links import INDEX, has_page
from reports.record.layout import FINDINGS, POPULATION
from reports.record.stored_lines import StoredLines
from reports.tables.audit import AUDIT, AuditFact
from reports.tables.cells import FindingCell
from reports.tables.tables import OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from reports.model.head import Head
    from reports.tables.cells import Cell
    from reports.tables.columns import Table

_EXACT = 2**53
"""Up to this number a spreadsheet, which has floating point only, holds integers exactly."""

_PART, _ENTRY, _END = 30, 46, 22
"""Sizes in bytes in a ZIP file: what is before a part, in its entry in the list, and at the end."""

_LINE, _HIGHEST = 15, 409
"""Heights of a line, and of the highest row that Excel has, in points."""

_FULL = 0.9
"""How much of a line that is broken is filled."""

_AROUND_CELL = 50
"""How many characters of XML are around the text of a cell."""

_CHUNK = 1_048_576
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
"""What reading a file raises that is no workbook, or a damaged or encrypted one."""


class WorkbookLimits(NamedTuple):
    """How much a sheet holds; Excel opens no larger one.

    Attributes:
        rows: the rows of a sheet, its header included; the others are on further sheets.
        links: the links of a sheet; further ids are without one.
        characters: about how many characters a sheet has; more rows are on a further one. In XML
            they take up to five times as many bytes, and Excel opens no part of more than 2 GiB.
    """

    rows: int = 1_048_576
    links: int = 65_530
    characters: int = 300_000_000


def export(head: Head, folder: Path, target: Path, limits: WorkbookLimits | None = None) -> None:
    """Write ``target``, a workbook of the record in ``folder``.

    Rows are written as they are read, so that their number makes no difference to the memory; links
    do, up to their limit. The same record gives the same bytes, with the same version of
    XlsxWriter. Raises OSError if the file cannot be written, and InventoryError if it would be too
    large.
    """
    import xlsxwriter  # noqa: PLC0415 (an extra)

    with tempfile.TemporaryDirectory(prefix="cmek-audit-") as scratch:
        options = {
            "constant_memory": True,
            "tmpdir": scratch,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        }
        unfinished = Path(scratch) / target.name
        workbook = xlsxwriter.Workbook(str(unfinished), options)
        try:
            _Writer(workbook, head, folder, limits or WorkbookLimits()).write()
            workbook.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(*error.args) from error
        except xlsxwriter.exceptions.FileSizeError:
            found = "what takes more than 2 GiB"
            raise InventoryError(
                [Problem(str(target), 0, "", found, "less: csv holds it")]
            ) from None
        finally:
            # If closing fails, it leaves the files of the sheets open.
            for sheet in workbook.worksheets():
                sheet.row_data_fh.close()
        shutil.copyfile(unfinished, target)


def holds_the_same(file: Path, other: Path) -> bool:
    """Say whether two workbooks are made of the same parts with the same content, and nothing else.

    How these are compressed may differ: it depends on the system. Raises InventoryError if one of
    the files is no workbook.
    """
    try:
        with zipfile.ZipFile(file) as one, zipfile.ZipFile(other) as two:
            if one.namelist() != two.namelist() or not (
                _is_full(file, one) and _is_full(other, two)
            ):
                return False
            pairs = zip(one.infolist(), two.infolist(), strict=True)
            return all(_is_equal(one, two, *pair) for pair in pairs)
    except _UNREADABLE as error:
        found = f"what cannot be read: {type(error).__name__}"
        raise InventoryError([Problem(str(file), 0, "", found, "a workbook")]) from None


def _is_full(file: Path, opened: zipfile.ZipFile) -> bool:
    """Return whether there is nothing in a ``file`` but its parts: readers skip anything else."""
    parts = opened.infolist()
    names = sum(len(part.filename.encode()) for part in parts)
    held = sum(_PART + part.compress_size for part in parts) + names
    listed = sum(_ENTRY + len(part.extra) + len(part.comment) for part in parts) + names
    return file.stat().st_size == held + listed + _END


def _is_equal(
    one: zipfile.ZipFile, two: zipfile.ZipFile, part: zipfile.ZipInfo, other: zipfile.ZipInfo
) -> bool:
    """Compare two parts piece by piece, up to the first difference."""
    if part.file_size != other.file_size:
        return False
    with one.open(part) as first, two.open(other) as second:
        while piece := second.read(_CHUNK):
            if first.read(_CHUNK) != piece:
                return False
        return not first.read(1)


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(
        self, workbook: Workbook, head: Head, folder: Path, limits: WorkbookLimits
    ) -> None:
        self._workbook, self._head, self._limits = workbook, head, limits
        self._lines = StoredLines(folder / FINDINGS, "findings")
        self._population = StoredLines(folder / POPULATION, "a population")
        self._anchors = Anchors(head, self._lines) if has_page(head) else None
        self._bold = workbook.add_format({"bold": True})
        self._wrapped = workbook.add_format({"text_wrap": True, "valign": "top", "align": "left"})
        self._link = workbook.add_format({"font_color": "blue", "underline": 1})

    def write(self) -> None:
        """Write all sheets; the first one, which counts the others, is filled last."""
        self._workbook.set_properties(
            {
                "title": self._head["title"],
                "comments": f"Report {self._head['report']}",
                "created": datetime.fromisoformat(self._head["settings"]["as_of"]),
            }
        )
        first = _Sheet(self._workbook, AUDIT, AUDIT.title, bold=self._bold, style=self._wrapped)
        facts = [fact for table in OTHERS for fact in self._write_table(table)]
        rows = AUDIT.rows(self._head, self._lines, self._population)
        others: list[list[Cell]] = [[*fact] for fact in (*facts, *self._page_fact())]
        for row in chain(rows, others):
            first.heighten(row)
            self._write_row(first, row)
        first.finish()

    def _page_fact(self) -> Iterator[AuditFact]:
        note = f"links lead to {INDEX} beside this file, and to the pages beside that"
        if self._anchors is None:
            note = f"the audit wrote no {INDEX}, so no id is a link"
        yield AuditFact("limits", "links of a sheet", self._limits.links, note)

    def _write_table(self, table: Table[Any]) -> Iterator[AuditFact]:
        """Write the sheets of ``table``; yield how many rows and links they have."""
        sheets = [_Sheet(self._workbook, table, table.title, bold=self._bold)]
        rows = 0
        waiting = iter(table.rows(self._head, self._lines, self._population))
        following = next(waiting, None)
        while (row := following) is not None:
            following = next(waiting, None)
            if self._is_full(sheets[-1]) and following is not None:
                title = f"{table.title} {len(sheets) + 1}"
                sheets[-1].write_note(f"Continued on the sheet {title}.")
                sheets[-1].finish()
                sheets.append(_Sheet(self._workbook, table, title, bold=self._bold))
            self._write_row(sheets[-1], row)
            rows += 1
        sheets[-1].finish()
        yield from _describe(table, sheets, rows)

    def _is_full(self, sheet: _Sheet) -> bool:
        """Return whether only one more row fits."""
        has_last_row = sheet.rows == self._limits.rows - 1
        return has_last_row or sheet.characters > self._limits.characters

    def _write_row(self, sheet: _Sheet, row: list[Cell]) -> None:
        for column, value in enumerate(row):
            if isinstance(value, FindingCell):
                self._write_finding(sheet, column, value)
            elif value is not None:
                sheet.write_value(column, value)
        sheet.rows += 1

    def _write_finding(self, sheet: _Sheet, column: int, value: FindingCell) -> None:
        address = self._anchors.address(*value) if self._anchors else ""
        if not address:
            sheet.write_value(column, value.id)
            return
        if sheet.links < self._limits.links:
            sheet.links += 1
            sheet.write_link(column, address, value.id, self._link)
            return
        sheet.unlinked += 1
        sheet.write_value(column, value.id)


class _Sheet:
    """A sheet of a table.

    Attributes:
        title: its name.
        rows: how many rows were written, its header included.
        characters: about how many characters they have in XML, but for those that are escaped.
        links: how many ids are links.
        unlinked: how many ids are none because of the limit.
    """

    def __init__(
        self,
        workbook: Workbook,
        table: Table[Any],
        title: str,
        *,
        bold: Format,
        style: Format | None = None,
    ) -> None:
        """Add a sheet with its header, which is ``bold``; its cells have the ``style``."""
        self.title, self.rows, self.characters = title, 1, 0
        self.links, self.unlinked = 0, 0
        self._widths = [column.width for column in table.columns]
        self._sheet: Worksheet = workbook.add_worksheet(title)
        self._sheet.freeze_panes(1, table.frozen)
        for place, column in enumerate(table.columns):
            self._sheet.set_column(place, place, column.width, style)
            self._sheet.write_string(0, place, column.name, bold)

    def heighten(self, row: list[Cell]) -> None:
        """Make the next row as high as its texts take where they are wrapped.

        Not every spreadsheet does that when it opens a file.
        """
        # Lines are broken at blanks, so that nearly all are a little shorter than the column.
        lines = (
            ceil(len(str(value)) / (_FULL * width))
            for value, width in zip(row, self._widths, strict=True)
        )
        self._sheet.set_row(self.rows, min(_LINE * max(lines), _HIGHEST))

    def write_value(self, column: int, value: str | int) -> None:
        """Write a text or a number into the next row."""
        self.characters += _AROUND_CELL + len(str(value))
        if isinstance(value, int) and abs(value) <= _EXACT:
            self._sheet.write_number(self.rows, column, value)
        else:
            self._sheet.write_string(self.rows, column, str(value))

    def write_link(self, column: int, address: str, text: str, style: Format) -> None:
        """Write a link to ``address``, beside the workbook, into the next row."""
        self.characters += _AROUND_CELL + len(text)
        self._sheet.write_url(self.rows, column, f"external:{address}", style, text)

    def write_note(self, note: str) -> None:
        """Write ``note`` as a row of its own."""
        self._sheet.write_string(self.rows, 0, note)
        self.rows += 1

    def finish(self) -> None:
        """Let people filter the rows."""
        self._sheet.autofilter(0, 0, self.rows - 1, len(self._widths) - 1)


def _describe(table: Table[Any], sheets: list[_Sheet], rows: int) -> Iterable[AuditFact]:
    """Yield how many rows a table has, on which sheets, and how many ids are no links."""
    titles = ", ".join(sheet.title for sheet in sheets)
    yield AuditFact("sheets", table.title, rows, f"rows, on: {titles}")
    if unlinked := sum(sheet.unlinked for sheet in sheets):
        yield AuditFact(
            "limits",
            f"{table.title}: ids without a link",
            unlinked,
            "the page shows them, but a sheet can hold no more links",
        )
