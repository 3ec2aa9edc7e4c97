"""The tables as a workbook: read back it is the tables, within what spreadsheets can open."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from checks.engine.finding import Finding
from inventory.errors import InventoryError
from reports.formats.xlsx import WorkbookLimits, export, holds_the_same
from reports.tables.cells import LONGEST, FindingCell
from reports.tables.tables import OTHERS, TABLES
from tests.hypothesis_profile import examples
from tests.reports.recording import a_finding, findings, record
from tests.reports.samples import (
    COMPLIANT,
    HOSTILE,
    VIOLATIONS,
    WAIVERS,
    Page,
    Report,
    audit,
)

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

    from reports.tables.cells import Cell

SHEETS = ["Audit", "Findings", "Keys", "Databases", "Scopes"]


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


@pytest.fixture
def made(violations: Report, tmp_path: Path) -> Workbook:
    """Return the workbook of these failures."""
    return _export(violations, tmp_path / "audit.xlsx")


def _export(report: Report, target: Path, limits: WorkbookLimits | None = None) -> Workbook:
    export(report.head, report.folder, target, limits)
    return load_workbook(target)


def _rows(workbook: Workbook, sheet: str) -> list[list[Any]]:
    rows = workbook[sheet].iter_rows(values_only=True)
    return [[_unescaped(cell) for cell in row] for row in rows]


def _unescaped(cell: Any) -> Any:  # noqa: ANN401 (a cell)
    """Return a cell as spreadsheets show it: openpyxl does not decode what XML cannot hold."""
    return unescape(cell) if isinstance(cell, str) else cell


def _expected(
    head: Any,  # noqa: ANN401 (a head)
    lines: list[bytes],
    population: list[bytes],
) -> dict[str, list[list[Any]]]:
    """Return the rows of each table as a workbook holds them."""
    return {
        table.title: [
            table.header,
            *(list(map(_value, row)) for row in table.rows(head, lines, population)),
        ]
        for table in TABLES
    }


def _value(cell: Cell) -> str | int | None:
    return cell.id if isinstance(cell, FindingCell) else cell


def _facts(workbook: Workbook, section: str) -> dict[str, tuple[Any, str]]:
    """Return value and note of the facts of a section, by their names."""
    rows = [row for row in _rows(workbook, "Audit") if row[0] == section]
    return {name: (value, note) for _, name, value, note in rows}


# --- what it holds --------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [COMPLIANT, VIOLATIONS, HOSTILE], ids=["good", "bad", "hostile"])
def test_a_workbook_read_back_is_the_tables(tmp_path: Path, data: list[dict[str, Any]]) -> None:
    """Each sheet has the header and every row of its table: numbers as numbers, text as text."""
    report = audit(tmp_path, data)
    workbook = _export(report, tmp_path / "audit.xlsx")
    expected = _expected(report.head, report.lines, report.population)
    assert workbook.sheetnames == SHEETS
    for table in OTHERS:
        assert _rows(workbook, table.title) == expected[table.title]
    facts = _rows(workbook, "Audit")
    assert facts[: len(expected["Audit"])] == expected["Audit"]
    kinds = {cell.data_type for sheet in workbook for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "inlineStr"}


@examples(20)
@given(st.lists(findings(), max_size=3))
def test_any_findings_read_back(given: list[Finding]) -> None:
    """Whatever findings hold, the sheet has a row for each, with the same texts."""
    with TemporaryDirectory() as scratch:
        folder, target = Path(scratch), Path(scratch) / "audit.xlsx"
        written = record(folder, given)
        export(written.head, folder, target)
        rows = _rows(load_workbook(target), "Findings")
    lines = written.findings.splitlines(keepends=True)
    assert rows == _expected(written.head, lines, [])["Findings"]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "{=1}", "@SUM(A1)", "http://x.example/", "mailto:a@b.example", "007", "_x0041_"],
)
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    """A text that looks like a formula, a link, a number or an escape is none."""
    written = record(tmp_path, [a_finding(message=text)])
    export(written.head, tmp_path, tmp_path / "audit.xlsx")
    sheet = load_workbook(tmp_path / "audit.xlsx")["Findings"]
    [cell] = [cell for cell in sheet[2] if _unescaped(cell.value) == text]
    assert (cell.data_type in {"s", "inlineStr"}, cell.hyperlink) == (True, None)


def test_a_number_beyond_what_is_exact_is_text(tmp_path: Path) -> None:
    """A spreadsheet would round a number of so many digits."""
    written = record(tmp_path, [a_finding(databases=2**53 + 1, existing=2**53)])
    export(written.head, tmp_path, tmp_path / "audit.xlsx")
    [header, row] = _rows(load_workbook(tmp_path / "audit.xlsx"), "Findings")
    named = dict(zip(header, row, strict=True))
    assert (named["databases"], named["existing"]) == (str(2**53 + 1), 2**53)


def test_the_longest_cell_fits(tmp_path: Path) -> None:
    """No cell is longer than a spreadsheet takes, whatever the record holds."""
    written = record(tmp_path, [a_finding(message="x" * 100_000, action="\u202e" * 100_000)])
    export(written.head, tmp_path, tmp_path / "audit.xlsx")
    workbook = load_workbook(tmp_path / "audit.xlsx")
    lengths = [len(str(cell)) for cell in _rows(workbook, "Findings")[1]]
    assert LONGEST < max(lengths) <= 32_767
    assert _facts(workbook, "limits")["characters of a cell"][0] == LONGEST


# --- how it is shown ------------------------------------------------------------------------------


def test_headers_stay_in_view_and_rows_can_be_filtered(made: Workbook) -> None:
    """Each sheet has its header frozen, and a filter over all of its rows."""
    for sheet, table in zip(made, TABLES, strict=True):
        assert sheet.freeze_panes == sheet.cell(2, table.frozen + 1).coordinate
        assert sheet.auto_filter.ref == sheet.dimensions
        assert all(cell.font.bold for cell in sheet[1])


def test_the_first_sheet_can_be_read_without_widening_it(made: Workbook) -> None:
    """The sentences of the first sheet continue below, and numbers are beside their names."""
    cells = [cell for row in made["Audit"].iter_rows(min_row=2) for cell in row if cell.value]
    assert {(cell.alignment.wrap_text, cell.alignment.horizontal) for cell in cells} == {
        (True, "left")
    }
    rows = dict(enumerate(_rows(made, "Audit"), 1))
    lines = {number: len(note or "") / 80 for number, (*_, note) in rows.items()}
    heights = {number: made["Audit"].row_dimensions[number].height or 15 for number in rows}
    assert [number for number in rows if heights[number] < 15 * lines[number]] == []
    assert len(set(heights.values())) > 2


def test_the_first_sheet_counts_the_others(made: Workbook) -> None:
    """The first sheet says how many rows each table has, and on which sheets."""
    expected = {title: (len(_rows(made, title)) - 1, f"rows, on: {title}") for title in SHEETS[1:]}
    assert _facts(made, "sheets") == expected


def test_ids_lead_to_the_page(violations: Report, made: Workbook) -> None:
    """Each id is a link to its finding on the page, where the page has that place."""
    places = set(Page(violations.page).values("id"))
    links = {
        cell.value: cell.hyperlink
        for title, name in (("Findings", "id"), ("Scopes", "finding"))
        for column in made[title].iter_cols()
        if column[0].value == name
        for cell in column[1:]
        if cell.value
    }
    assert len(links) == violations.head["findings"]["count"]
    for identity, link in links.items():
        assert link
        assert (link.target, link.location) == ("audit.html", f"f-{identity}")
        assert f"f-{identity}" in places


def test_without_the_page_no_id_is_a_link(violations: Report, tmp_path: Path) -> None:
    """If the audit wrote no page, there is nowhere to lead to, and the first sheet says so."""
    head = violations.head | {"run": violations.head["run"] | {"formats": ["json", "xlsx"]}}
    export(head, violations.folder, tmp_path / "audit.xlsx")
    workbook = load_workbook(tmp_path / "audit.xlsx")
    assert not [cell for row in workbook["Findings"].iter_rows() for cell in row if cell.hyperlink]
    note = _facts(workbook, "limits")["links of a sheet"][1]
    assert note == "the audit wrote no audit.html, so no id is a link"


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [0, 1, 2])
def test_more_rows_are_on_further_sheets(violations: Report, tmp_path: Path, more: int) -> None:
    """What a sheet cannot hold is on the next one; the last row and the first sheet say so."""
    count = violations.head["findings"]["count"]
    limits = WorkbookLimits(rows=count + 1 - more)
    workbook = _export(violations, tmp_path / "audit.xlsx", limits)
    header, *expected = _expected(violations.head, violations.lines, [])["Findings"]
    titles = [title for title in workbook.sheetnames if title.startswith("Findings")]
    rows = [row for title in titles for row in _rows(workbook, title)]
    notes = [row[0] for row in rows if str(row[0]).startswith("Continued")]
    assert [row for row in rows if row != header and row[0] not in notes] == expected
    assert titles == (["Findings", "Findings 2"] if more else ["Findings"])
    assert notes == (["Continued on the sheet Findings 2."] if more else [])
    assert {len(_rows(workbook, title)) <= limits.rows for title in titles} == {True}
    assert _facts(workbook, "sheets")["Findings"] == (count, f"rows, on: {', '.join(titles)}")


@pytest.mark.parametrize("limits", [WorkbookLimits(rows=20), WorkbookLimits(characters=10_000)])
def test_many_sheets_follow_each_other(
    violations: Report, tmp_path: Path, limits: WorkbookLimits
) -> None:
    """However many sheets it takes, every row is on one of them, in order."""
    workbook = _export(violations, tmp_path / "audit.xlsx", limits)
    header, *expected = _expected(violations.head, violations.lines, [])["Findings"]
    titles = [title for title in workbook.sheetnames if title.startswith("Findings")]
    rows = [row for title in titles for row in _rows(workbook, title) if row != header]
    assert [row for row in rows if not str(row[0]).startswith("Continued")] == expected
    assert len(titles) > 3


def test_more_ids_than_links_are_counted(violations: Report, tmp_path: Path) -> None:
    """A sheet has no more links than a spreadsheet takes; the first sheet counts the others."""
    count = violations.head["findings"]["count"]
    workbook = _export(violations, tmp_path / "audit.xlsx", WorkbookLimits(links=5))
    cells = [cell for row in workbook["Findings"].iter_rows() for cell in row if cell.hyperlink]
    assert len(cells) == 5
    shown = _facts(workbook, "limits")["Findings: ids without a link"]
    assert shown == (count - 5, "the page shows them, but a sheet can hold no more links")
    assert (
        _rows(workbook, "Findings") == _expected(violations.head, violations.lines, [])["Findings"]
    )


# --- the same again -------------------------------------------------------------------------------


def test_the_same_record_gives_the_same_bytes(violations: Report, tmp_path: Path) -> None:
    """Two workbooks of one record are equal, byte for byte, and dated by the time of judgement."""
    one, two = tmp_path / "one.xlsx", tmp_path / "two.xlsx"
    export(violations.head, violations.folder, one)
    run = violations.head["run"] | {"started": "2027-01-01T00:00:00Z"}
    export(violations.head | {"run": run}, violations.folder, two)
    assert one.read_bytes() == two.read_bytes()
    assert holds_the_same(one, two)
    properties = load_workbook(one).properties
    created = f"{properties.created:%Y-%m-%dT%H:%M:%SZ}"
    assert (created, properties.title) == (
        violations.head["settings"]["as_of"],
        violations.head["title"],
    )


def _repack(source: Path, target: Path, changes: dict[str, bytes | None]) -> None:
    """Write the parts of a workbook again, stored and not compressed, with these ``changes``."""
    with zipfile.ZipFile(source) as one, zipfile.ZipFile(target, "w") as two:
        for part in one.infolist():
            content = changes.get(part.filename, one.read(part))
            if content is not None:
                two.writestr(part.filename, content)


def test_workbooks_are_compared_by_their_parts(violations: Report, tmp_path: Path) -> None:
    """Another compression is no difference; another byte, or another part, is one."""
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"
    export(violations.head, violations.folder, one)
    name = "xl/worksheets/sheet2.xml"
    with zipfile.ZipFile(one) as opened:
        content = opened.read(name)
    changed = content.replace(b"fail", b"pass", 1)
    assert changed != content
    alike = {"": True, "same size": False, "longer": False, "missing": False}
    changes: dict[str, dict[str, bytes | None]] = {
        "": {},
        "same size": {name: changed},
        "longer": {name: content + b" "},
        "missing": {name: None},
    }
    for what, change in changes.items():
        _repack(one, other, change)
        assert holds_the_same(one, other) is alike[what], what
        assert holds_the_same(other, one) is alike[what], what


@pytest.mark.parametrize(("before", "after"), [(b"x", b""), (b"", b"x")])
def test_what_is_beside_the_parts_is_a_difference(
    violations: Report, tmp_path: Path, before: bytes, after: bytes
) -> None:
    """Bytes that no spreadsheet reads are not part of the workbook that the record gives."""
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"
    export(violations.head, violations.folder, one)
    other.write_bytes(before + one.read_bytes() + after)
    assert not holds_the_same(other, one)
    assert not holds_the_same(one, other)


def test_a_damaged_workbook_is_an_error(violations: Report, tmp_path: Path) -> None:
    """A byte that changed where a part is compressed is an error, and no equal workbook."""
    one, other = tmp_path / "one.xlsx", tmp_path / "other.xlsx"
    export(violations.head, violations.folder, one)
    raw = bytearray(one.read_bytes())
    with zipfile.ZipFile(one) as opened:
        largest = max(opened.infolist(), key=lambda part: part.compress_size)
    raw[largest.header_offset + 30 + len(largest.filename) + largest.compress_size // 2] ^= 0xFF
    other.write_bytes(raw)
    with pytest.raises(InventoryError, match="expected a workbook"):
        holds_the_same(other, one)


def test_what_is_no_workbook_is_refused(violations: Report, tmp_path: Path) -> None:
    """A file of another kind is an error that names it."""
    export(violations.head, violations.folder, tmp_path / "audit.xlsx")
    other = tmp_path / "other.xlsx"
    other.write_text("PK")
    with pytest.raises(InventoryError, match=r"other\.xlsx.*BadZipFile"):
        holds_the_same(other, tmp_path / "audit.xlsx")


def test_a_file_that_cannot_be_written_is_an_error(violations: Report, tmp_path: Path) -> None:
    """A folder that is missing is an error of the system, as for every other file."""
    with pytest.raises(OSError, match="No such file"):
        export(violations.head, violations.folder, tmp_path / "missing" / "audit.xlsx")


def test_a_name_that_is_too_long_is_an_error(violations: Report, tmp_path: Path) -> None:
    """What XlsxWriter cannot write is the system's error, too."""
    with pytest.raises(OSError, match="File name too long"):
        export(violations.head, violations.folder, tmp_path / ("x" * 300))


def test_a_workbook_that_is_too_large_is_an_error(
    violations: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Excel could not open is not written; the error names the format that holds it."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1_000)
    target = tmp_path / "audit.xlsx"
    with pytest.raises(InventoryError, match="more than 2 GiB, expected less: csv holds it"):
        export(violations.head, violations.folder, target)
    assert not target.exists()


def test_a_finding_that_is_none_leaves_no_workbook(violations: Report, tmp_path: Path) -> None:
    """If a line cannot be read, no file is left that reads as an audit."""
    folder = tmp_path / "record"
    shutil.copytree(violations.folder, folder)
    (folder / "findings.ndjson").write_bytes(violations.lines[0] + b"{\n")
    target = tmp_path / "audit.xlsx"
    with pytest.raises((json.JSONDecodeError, IndexError)):
        export(violations.head, folder, target)
    assert not target.exists()
