"""A format is one row: what the row says is what options, commands, folder and docs have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from cmek_audit.run.pytest_reports import PYTEST_REPORTS
from cmek_audit.run.report_folder import WRITTEN
from inventory.model.sources import FileFormat
from reports.formats import registry
from reports.formats.registry import FORMATS, WRITABLE, Format, encode
from reports.record.layout import HEAD, RECORD, SIGNATURE
from tests.builders import document_data, key_data, organization_data, write_json
from tests.cmek_audit.helpers import ROOT
from tests.reports.live import report_on

REGISTRY = "reports/formats/registry.py"
MODULES = sorted(
    path.stem
    for path in (ROOT / "reports/formats").glob("*.py")
    if path.stem not in {"__init__", "registry"}
)
RENDERERS = [row for row in FORMATS if row.module]


def _name(row: Format) -> str:
    return row.name


# --- nothing is left out --------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_every_module_of_a_format_has_a_row(module: str) -> None:
    """A module that no row names would never be rendered."""
    rows = [row.name for row in FORMATS if row.module == module]
    assert rows, f"reports/formats/{module}.py is in no row of FORMATS: add one to {REGISTRY}"


@pytest.mark.parametrize("row", RENDERERS, ids=_name)
def test_every_row_has_its_module(row: Format) -> None:
    """A row that names a module without a renderer is a mistake of the row."""
    file = ROOT / f"reports/formats/{row.module.replace('.', '/')}.py"
    assert file.is_file(), f"the row {row.name} of {REGISTRY} needs {file.relative_to(ROOT)}"
    made_by = "render_files" if row.place == row.folder != "" else "render"
    made_by = "export" if row.kind == "exported" else made_by
    text = file.read_text("utf-8")
    assert f"\ndef {made_by}(" in text, f"{file.relative_to(ROOT)} needs {made_by}()"


@pytest.mark.parametrize("row", RENDERERS, ids=_name)
def test_every_row_has_its_test(row: Format) -> None:
    """The module of a format has a test file of its name."""
    *rooms, module = row.module.split(".")
    file = Path("tests/reports/formats", *rooms, f"test_{module}.py")
    assert (ROOT / file).is_file(), f"the row {row.name} of {REGISTRY} needs {file}"


def test_every_report_of_pytest_has_its_plugin() -> None:
    """Of each report that pytest writes it is known which of its options asks for it."""
    expected = [(row.name, row.file) for row in FORMATS if row.kind == "pytest"]
    assert [(report.name, report.file) for report in PYTEST_REPORTS] == expected


# --- a row is sound -------------------------------------------------------------------------------


@pytest.mark.parametrize("row", FORMATS, ids=_name)
def test_a_row_says_what_its_kind_needs(row: Format) -> None:
    """What is printed has no file, what is rendered has a module, and each says what it is for."""
    assert bool(row.place) == (row.kind != "printed")
    assert bool(row.module) or row.kind in {"record", "pytest"}
    assert bool(row.folder) == bool(row.inside)
    assert bool(row.extra) == bool(row.library) == (row.kind == "exported")
    assert not (row.kind == "printed" and row.is_default)
    assert row.noun
    assert row.description


def test_no_two_formats_share_a_name_or_a_file() -> None:
    """Names and files are unique, so that no report overwrites another."""
    names = [row.name for row in FORMATS]
    files = [place for row in FORMATS for place in (row.file, row.folder) if place]
    assert len(set(names)) == len(names)
    assert len({*files, *RECORD}) == len(files) + len(RECORD) - 1


def test_the_record_is_a_format() -> None:
    """The record has the first row: every audit writes it."""
    first = FORMATS[0]
    assert (first.name, first.kind, first.file) == ("json", "record", HEAD)
    assert registry.DEFAULT[0] == registry.WRITABLE[0] == "json"


# --- what follows from a row ----------------------------------------------------------------------


def test_an_audit_clears_every_file_that_it_writes() -> None:
    """The report folder knows the files of all formats, those that are not default too."""
    written = [name for row in FORMATS for name in (row.file, row.folder) if name]
    assert set(WRITTEN) == {*RECORD, *written, SIGNATURE}


@pytest.mark.parametrize("row", registry.RENDERED, ids=_name)
def test_a_format_that_is_asked_for_is_written(tmp_path: Path, row: Format) -> None:
    """An audit writes what it is asked for, and nothing else; the text is the renderer's."""
    data = document_data(organization_data(keys=[key_data()]))
    inventory = write_json(tmp_path / "inventory.json", data)
    report = report_on(tmp_path, inventory, formats=("json", row.name))
    written = {file.name for file in report.folder.iterdir() if not file.name.startswith(".")}
    files = row.render_files(report.head, report.lines, report.population)
    rendered = {path: b"".join(blocks) for path, blocks in files}
    assert written == {*RECORD, *(path.partition("/")[0] for path in rendered)}
    assert {path: (report.folder / path).read_bytes() for path in rendered} == rendered


@pytest.mark.parametrize("row", [row for row in FORMATS if row.has_parts], ids=_name)
def test_a_report_in_blocks_is_the_whole_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: Format
) -> None:
    """What is written block by block is the text of the report, whatever a block holds."""
    data = document_data(organization_data(keys=[key_data()]))
    report = report_on(tmp_path, write_json(tmp_path / "inventory.json", data))
    monkeypatch.setattr(registry, "_MOST_PARTS", 3)
    blocks = [*row.render_blocks(report.head, report.lines, report.population)]
    whole = encode(row.render(report.head, report.lines, report.population))
    assert (b"".join(blocks), len(blocks) > 1) == (whole, True)


@pytest.mark.parametrize("row", registry.EXPORTED, ids=_name)
def test_what_is_exported_is_written(tmp_path: Path, row: Format) -> None:
    """An audit exports what it is asked for; what is exported can be exported again alike."""
    data = document_data(organization_data(keys=[key_data()]))
    inventory = write_json(tmp_path / "inventory.json", data)
    report = report_on(tmp_path, inventory, formats=("json", row.name))
    row.export(report.head, report.folder, tmp_path / row.file)
    assert (report.folder / row.file).read_bytes() == (tmp_path / row.file).read_bytes()


def test_the_help_lists_formats_and_default() -> None:
    """The help of the option names each file's format, and what is written by default."""
    text = registry.describe_choice()
    names, _, default = text.removeprefix("which reports to write beside json: ").partition("; ")
    assert names.split(", ") == [name for name in registry.WRITABLE if name != "json"]
    assert default.removeprefix("default: ").split(", ") == list(registry.DEFAULT)


def test_the_help_says_so_if_all_is_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no format is written on request only, the help does not repeat their names."""
    monkeypatch.setattr(registry, "DEFAULT", registry.WRITABLE)
    assert registry.describe_choice().endswith("; default: all")


def test_nothing_is_rendered_to_list_the_formats() -> None:
    """The registry imports no renderer, so that commands without a report start quickly."""
    code = (
        "import sys; import reports.formats.registry; "
        "print([name for name in sys.modules if name.startswith(('reports.formats.', 'jinja2'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "['reports.formats.registry']\n"


def test_half_characters_are_written_as_references() -> None:
    """A report is UTF-8; what UTF-8 cannot hold is written as a reference to its number."""
    assert encode("é\ud800") == "é&#55296;".encode()


def test_the_schema_of_the_record_knows_every_format() -> None:
    """A record may name each format that can be written, and each kind of file that can be read."""
    schema = json.loads((ROOT / "reports/record/schemas/audit.schema.json").read_bytes())[
        "properties"
    ]
    source = schema["population"]["properties"]["sources"]["items"]["properties"]["format"]
    assert schema["run"]["properties"]["formats"]["items"]["enum"] == [*WRITABLE]
    assert sorted(source["enum"]) == sorted(get_args(FileFormat))
