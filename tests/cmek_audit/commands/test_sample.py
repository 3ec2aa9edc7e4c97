"""``sample``: the work paper of a sample."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from typing import TYPE_CHECKING

import pytest

from reports.presentation.sample import KINDS
from tests.cmek_audit.helpers import command, printed_json
from tests.reports.samples import COMPLIANT, HOSTILE, VIOLATIONS, Page, Report, audit, organization

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Golden = Callable[[str, str], None]

FORMS = ("table", "csv", "markdown")


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


def _rows(report: Report, *arguments: object) -> list[dict[str, str]]:
    """Return the sample of the CSV, each row by its columns."""
    done = command("sample", report.folder, "--format", "csv", *arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [*csv.reader(io.StringIO(done.stdout))]
    start = next(place for place, line in enumerate(lines) if line[:1] == ["draw"])
    end = lines.index([], start)
    return [dict(zip(lines[start], line, strict=True)) for line in lines[start + 1 : end]]


@pytest.mark.parametrize("form", FORMS)
def test_the_work_paper_is_as_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, golden: Golden
) -> None:
    """Each form prints what is written down; hashes and what follows from them alone differ."""
    audit(tmp_path, COMPLIANT)
    monkeypatch.chdir(tmp_path)
    done = command("sample", "report", "--format", form)
    assert (done.exit_code, done.stderr) == (0, "")
    text = done.stdout.replace(str(tmp_path), "HERE")
    golden(f"sample-{form}.txt", re.sub(r"\b[0-9a-f]{64}\b", "HASH", text))


def test_page_and_command_agree(violations: Report) -> None:
    """The page shows the very sample that the command draws, in the same order."""
    start = violations.page.index('<table class="sample">')
    table = violations.page[start : violations.page.index("</table>", start)]
    shown = [Page(row).text for row in table.split("<tr>")[2:]]
    rows = _rows(violations)
    assert len(shown) == len(rows) == 6
    for text, row in zip(shown, rows, strict=True):
        assert text.startswith(f"{row['number']}{row['name']}")
        for identity in re.findall(r"\b[0-9a-f]{20}\b", row["concluded"]):
            assert identity[:8] in text


def test_the_sample_is_drawn_again_by_hand(violations: Report) -> None:
    """A few lines of Python with the files of the report draw what the command draws."""
    head = json.loads((violations.folder / "audit.json").read_bytes())
    lines = (violations.folder / "population.ndjson").read_bytes().splitlines()
    members = [
        line
        for line in map(json.loads, lines)
        if line["kind"] == "database" and line["state"] != "terminated"
    ]
    drawn: list[int] = []
    draw = 0
    while len(drawn) < 4:
        draw += 1
        text = hashlib.sha256(f"{head['report']}:{draw}".encode()).hexdigest()
        number = int(text, 16) % len(members) + 1
        if number not in drawn:
            drawn.append(number)
    rows = _rows(violations, "--size", 4)
    assert [int(row["number"]) for row in rows] == drawn
    assert [row["name"] for row in rows] == [members[number - 1]["name"] for number in drawn]


def test_a_larger_sample_begins_with_the_smaller(violations: Report) -> None:
    """A size draws the first of what a larger size draws."""
    assert _rows(violations, "--size", 2) == _rows(violations, "-n", 4)[:2]


@pytest.mark.parametrize("kind", KINDS)
def test_everything_can_be_drawn_from(violations: Report, kind: str) -> None:
    """Databases, keys and passes are drawn; the auditor's columns are empty."""
    rows = _rows(violations, "--kind", kind, "--size", 3)
    assert [row["draw"] for row in rows] == ["1", "2", "3"]
    assert {row[name] for row in rows for name in ("result", "performed by", "date")} == {""}


def test_an_empty_population_is_stated(tmp_path: Path) -> None:
    """Where there is nothing to draw from, the paper says so."""
    report = audit(tmp_path, [organization("empty", [], [])])
    done = command("sample", report.folder)
    assert done.exit_code == 0
    assert "The population is empty: nothing can be drawn." in done.stdout
    assert _rows(report) == []


def test_a_changed_record_is_refused(tmp_path: Path) -> None:
    """Nothing is drawn from a population of which a byte was changed, nor from no record."""
    report = audit(tmp_path, COMPLIANT)
    file = report.folder / "population.ndjson"
    file.write_bytes(file.read_bytes().replace(b"orders", b"others"))
    for path in (report.folder, tmp_path / "nowhere"):
        done = command("sample", path)
        assert (done.exit_code, done.stdout) == (4, "")
        assert "expected a record" in done.stderr or "changed since" in done.stderr


@pytest.mark.parametrize("size", ["0", "-1", "x"])
def test_a_size_is_a_positive_number(violations: Report, size: str) -> None:
    """Any other size is an unusable option."""
    done = command("sample", violations.folder, f"--size={size}")
    assert (done.exit_code, done.stdout) == (4, "")


# --- hostile names --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_do_no_harm(tmp_path: Path, form: str, kind: str) -> None:
    """Whatever names hold, nothing steers a terminal, and no table loses its columns."""
    report = audit(tmp_path, HOSTILE)
    done = command("sample", report.folder, "-f", form, "-n", 1_000, "-k", kind)
    assert done.exit_code == 0
    assert {"\x1b", "\u202e", "\x00", "\u200b"} & set(done.stdout) == set()
    if form == "markdown":
        rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in rows} == {11}
        assert "<img" not in re.sub(r"`[^`]*`", "", done.stdout)
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(done.stdout)) for cell in row]
        assert [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))] == []
        assert len(_rows(report, "-n", 1_000, "-k", kind)) > len(HOSTILE) - 1
    if form == "csv" and kind == "databases":
        assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_the_sample_as_json(violations: Report) -> None:
    """JSON has the rows of the table, with what it takes to draw them again."""
    done = command("sample", violations.folder, "--json", "-n", 3)
    data = printed_json(done)
    table = command("sample", violations.folder, "-n", 3).stdout
    assert (done.exit_code, data["size"], len(data["rows"])) == (0, 3, 3)
    assert [row["draw"] for row in data["rows"]] == [1, 2, 3]
    assert [row["id"] for row in data["rows"] if row["id"] not in table] == []
    assert data["commands"]["numbers"] in table
    assert data["seed"] == violations.head["report"]
    assert {"rule", "status", "ids", "total"} == data["rows"][0]["conclusions"][0].keys()
