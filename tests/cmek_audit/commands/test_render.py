"""``render``: reports of any format, made anew from a record."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports.formats.github_annotations import render as annotate
from reports.formats.registry import FOLDERS, FORMATS, RENDERABLE, RENDERED, write_rendered
from reports.record.layout import canonical, report_id
from tests.cmek_audit.helpers import command
from tests.reports.fleets import audit_fleet, page_names
from tests.reports.samples import (
    COMPLIANT,
    HOSTILE,
    HOSTILE_NAMES,
    VIOLATIONS,
    WAIVERS,
    Report,
    audit,
    organization,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.testing import Result

WRITTEN = {row.name: row.file for row in RENDERED if row.file}
TO_A_FILE = [row.name for row in RENDERABLE.values() if row.kind == "exported"]
TO_A_FOLDER = [row.name for row in RENDERABLE.values() if row.place == row.folder != ""]
READING_THE_HEAD = [name for name in RENDERABLE if name != "parquet"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit a file with failures and waivers into every rendered format; not to be changed."""
    made = audit(tmp_path_factory.mktemp("report"), VIOLATIONS, WAIVERS)
    more = [row.name for row in RENDERED if not row.is_default]
    write_rendered(more, made.head, made.folder, _write)
    return made


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    path.write_bytes(b"".join(blocks))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Audit the same, the test's own."""
    return audit(tmp_path, VIOLATIONS, WAIVERS)


def _ended(done: Result) -> tuple[int, str]:
    return done.exit_code, done.stderr


def _rewrite(report: Report, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the head of ``report``, and give it a fitting id."""
    head = json.loads((report.folder / "audit.json").read_text())
    change(head)
    head["report"] = report_id(head)
    (report.folder / "audit.json").write_text(canonical(head))


# --- what is made ---------------------------------------------------------------------------------


def test_every_format_can_be_made() -> None:
    """The command offers every format that is made of the record."""
    assert set(RENDERABLE) == {row.name for row in FORMATS if row.module} >= set(WRITTEN)


@pytest.mark.parametrize(("name", "file"), WRITTEN.items())
def test_what_an_audit_writes_is_made_again(shared: Report, name: str, file: str) -> None:
    """A report that is made from the record has the bytes of the one that the audit wrote."""
    done = command("render", name, shared.folder)
    assert _ended(done) == (0, "")
    assert done.stdout_bytes == (shared.folder / file).read_bytes()


def _forget_protection(head: dict[str, Any]) -> None:
    """Leave out what records of earlier versions do not have."""
    del head["protection"]
    for row in head["coverage"]:
        del row["protection"], row["open"]
        for cell in row["cells"]:
            del cell["protected"]


@pytest.mark.parametrize("name", RENDERABLE)
def test_a_record_without_protected_databases_is_rendered(report: Report, name: str) -> None:
    """A record of an earlier version, which does not count databases, gives every report."""
    _rewrite(report, _forget_protection)
    target = report.folder.parent / "made"
    assert _ended(command("render", name, report.folder, "-o", target)) == (0, "")
    assert target.exists()


def test_a_record_without_protected_databases_is_compared(report: Report, shared: Report) -> None:
    """A record of an earlier version is compared with a present one, and nothing is new."""
    _rewrite(report, _forget_protection)
    done = command("diff", report.folder, shared.folder)
    assert _ended(done) == (0, "")


def test_annotations_are_printed(shared: Report) -> None:
    """Annotations go to stdout, where the runner of a workflow takes them."""
    done = command("render", "annotations", shared.folder / "audit.json")
    assert _ended(done) == (0, "")
    assert done.stdout == annotate(shared.head, shared.lines)
    assert done.stdout.startswith("::error ")


def test_the_usual_folder_is_taken(
    shared: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a path the record is looked for where audits write it."""
    monkeypatch.chdir(tmp_path)
    nothing = "audit-report: found No such file or directory, expected a record\n"
    assert _ended(command("render", "html")) == (4, nothing)
    shutil.copytree(shared.folder, "audit-report")
    assert command("render", "html").stdout == shared.page


@pytest.mark.parametrize("name", ["markdown", "annotations"])
def test_what_is_made_is_the_same_to_the_letter(
    report: Report, monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None], name: str
) -> None:
    """The reports for pipelines have the words, and the order, that they always had."""
    monkeypatch.chdir(report.folder.parent)
    text = command("render", name, "report").stdout
    for place in (str(report.folder.parent), "[0-9a-f]{64}"):
        text = re.sub(place, "…", text)
    golden(f"render-{name}.txt", text)


# --- where it goes --------------------------------------------------------------------------------


def test_a_file_is_written(shared: Report, tmp_path: Path) -> None:
    """With an output the report goes there, in the place of an older one, and nothing else."""
    target = tmp_path / "page.html"
    target.write_text("older")
    done = command("render", "html", shared.folder, "--output", target)
    assert (_ended(done), done.stdout) == ((0, ""), f"Written: {target}\n")
    assert target.read_bytes() == (shared.folder / "audit.html").read_bytes()
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["audit.json", "findings.ndjson", "population.ndjson"])
@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_link_to_the_record_is_not_written_over(
    report: Report, tmp_path: Path, name: str, link: str
) -> None:
    """A link to the record is the record itself, of whichever kind it is."""
    getattr(tmp_path / "x.html", link)(report.folder / name)
    done = command("render", "markdown", report.folder, "-o", tmp_path / "x.html")
    assert (done.exit_code, "(the record itself)" in done.stderr) == (4, True)


@pytest.mark.parametrize("name", ["audit.json", "findings.ndjson", "population.ndjson"])
def test_the_record_is_not_written_over(report: Report, name: str) -> None:
    """A report cannot take the place of the record that it is made of."""
    before = (report.folder / name).read_bytes()
    path = report.folder / "." / name
    done = command("render", "markdown", report.folder, "-o", path)
    shown = f"--output: found {path} (the record itself), expected a file to write to\n"
    assert _ended(done) == (4, shown)
    assert (report.folder / name).read_bytes() == before


def test_a_folder_is_no_output(shared: Report, tmp_path: Path) -> None:
    """A folder cannot be written to, and is left alone."""
    done = command("render", "html", shared.folder, "-o", tmp_path)
    shown = f"--output: found {tmp_path} (a folder), expected a file to write to\n"
    assert _ended(done) == (4, shown)


@pytest.mark.parametrize("name", TO_A_FILE)
def test_a_binary_file_is_written(shared: Report, tmp_path: Path, name: str) -> None:
    """A format of a library is made again, to a file only: no terminal can show it."""
    target, again = tmp_path / "made", tmp_path / "again"
    done = command("render", name, shared.folder, "-o", target)
    assert (_ended(done), done.stdout) == ((0, ""), f"Written: {target}\n")
    RENDERABLE[name].export(shared.head, shared.folder, again)
    assert RENDERABLE[name].holds_the_same(target, again)
    shown = "--output: found - (stdout), expected a file to write to\n"
    assert _ended(command("render", name, shared.folder)) == (4, shown)


@pytest.mark.parametrize("name", TO_A_FILE)
def test_a_missing_library_is_named(
    shared: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Without the library of a format, the command says what to install, and writes nothing."""
    row = RENDERABLE[name]
    monkeypatch.setitem(sys.modules, row.library, None)
    done = command("render", name, shared.folder, "-o", tmp_path / "made")
    found = f"found {name} without {row.library}, expected it: {row.install}\n"
    assert (_ended(done), list(tmp_path.iterdir())) == ((4, found), [])


@pytest.mark.parametrize("name", TO_A_FOLDER)
def test_several_files_are_written_into_a_folder(shared: Report, tmp_path: Path, name: str) -> None:
    """A format of several files goes into a folder, which then holds these files only."""
    target, row = tmp_path / "made", RENDERABLE[name]
    for _ in range(2):  # the second time in the place of the first
        done = command("render", name, shared.folder, "-o", target)
        assert (_ended(done), done.stdout) == ((0, ""), f"Written: {target}\n")
    made = row.render_inside(shared.head, shared.lines, shared.population)
    expected = {file: b"".join(blocks) for file, blocks in made}
    assert {file.name: file.read_bytes() for file in target.iterdir()} == expected
    assert all(FOLDERS[row.folder].fullmatch(file) for file in expected)


@pytest.mark.parametrize("name", TO_A_FOLDER)
def test_a_folder_with_other_files_is_left_alone(shared: Report, tmp_path: Path, name: str) -> None:
    """A folder that holds anything else, a file, or stdout is no place for several files."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made/mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    expected = f"expected a folder for files of {name} only\n"
    for output, found in (
        (tmp_path / "made", "a folder with mine.txt"),
        (tmp_path / "file", "a file"),
        ("-", "stdout"),
    ):
        shown = f"--output: found {output} ({found}), {expected}"
        assert _ended(command("render", name, shared.folder, "-o", output)) == (4, shown)
    assert [file.name for file in (tmp_path / "made").iterdir()] == ["mine.txt"]


def test_one_organization_is_a_file(shared: Report, tmp_path: Path) -> None:
    """Of one organization, a format of several files is one file: a folder is no place for it."""
    words = ("render", "hdf", shared.folder, "--organization", "labs", "-o")
    shown = f"--output: found {tmp_path} (a folder), expected a file to write to\n"
    assert _ended(command(*words, tmp_path)) == (4, shown)
    assert _ended(command(*words, tmp_path / "labs.json")) == (0, "")
    assert json.loads((tmp_path / "labs.json").read_bytes())["platform"]["target_id"] == "labs"


def test_json_names_what_is_written(shared: Report, tmp_path: Path) -> None:
    """As JSON, the command names the format, the report and the file; stdout is then no report."""
    target = tmp_path / "audit.sarif"
    done = command("render", "sarif", shared.folder, "-o", target, "--json")
    expected = {"format": "sarif", "report": shared.head["report"], "written": str(target)}
    assert (_ended(done), json.loads(done.stdout)) == ((0, ""), expected)
    shown = "--json: found no --output, expected it: stdout has the report\n"
    assert _ended(command("render", "sarif", shared.folder, "--json")) == (4, shown)


def test_a_report_of_nothing_is_not_written(tmp_path: Path) -> None:
    """Where nothing is to be shown there is no file, an older one is removed, and that is said."""
    row = RENDERABLE["oscal-poam"]
    report, target = audit(tmp_path, COMPLIANT), tmp_path / "made"
    for words, said in (
        ([], f"Not written: {target}: {row.no_file}\n"),
        (["--json"], None),
    ):
        target.write_text("older")
        done = command("render", row.name, report.folder, "-o", target, *words)
        assert (_ended(done), target.exists()) == ((0, ""), False)
        if said is None:
            found = {"format": row.name, "report": report.head["report"]}
            assert json.loads(done.stdout) == found | {"written": None, "reason": row.no_file}
        else:
            assert done.stdout == said
    printed = command("render", row.name, report.folder)
    assert (printed.exit_code, printed.stdout) == (0, "")
    assert printed.stderr == f"Nothing to print: {row.no_file}\n"


def test_a_file_that_cannot_be_written_is_reported(shared: Report, tmp_path: Path) -> None:
    """Where nothing can be written, that is said of the file that was asked for."""
    target = tmp_path / "no" / "page.html"
    done = command("render", "html", shared.folder, "-o", target)
    shown = f"--output: found {target} (No such file or directory), expected a file to write to\n"
    assert _ended(done) == (4, shown)


def test_nothing_unfinished_is_left_behind(
    shared: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever interrupts finds the older file as it was, and no other."""
    target = tmp_path / "page.html"
    target.write_text("older")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    done = command("render", "html", shared.folder, "-o", target)
    assert _ended(done) == (2, "Interrupted: nothing unfinished is left behind.\n")
    assert (target.read_text(), list(tmp_path.iterdir())) == ("older", [target])


# --- what it is made of ---------------------------------------------------------------------------


def test_a_changed_record_is_refused(report: Report, tmp_path: Path) -> None:
    """Of a record that was changed nothing is made."""
    findings = report.folder / "findings.ndjson"
    findings.write_bytes(findings.read_bytes().replace(b'"fail"', b'"pass"', 1))
    done = command("render", "markdown", report.folder, "-o", tmp_path / "summary.md")
    assert done.exit_code == 4
    assert f"{findings}: changed since: SHA-256 " in done.stderr
    assert not (tmp_path / "summary.md").exists()


@pytest.mark.parametrize("name", READING_THE_HEAD)
def test_a_record_that_lacks_a_block_is_refused(report: Report, name: str) -> None:
    """A record whose hashes are right, and which no audit wrote, is an error and no crash."""
    block = {"annotations": "waivers", "codequality": "counts"}.get(name, "criteria")
    _rewrite(report, lambda head: head.pop(block))
    if name == "markdown":
        _rewrite(report, lambda head: head.pop("key_plan"))
    target = report.folder.parent / "made"
    done = command("render", name, report.folder, "-o", target)
    assert done.exit_code == 4
    assert "audit.json: holds what no audit writes (KeyError)" in done.stderr
    assert (done.stdout, target.exists()) == ("", False)


def test_a_secret_is_not_handed_on(report: Report) -> None:
    """A record in which a token stands is named, and nothing is made of it."""
    sham = "AstraCS" + ":" + "ShamShamShamShamSham" + ":" + "0" * 64
    _rewrite(report, lambda head: head.update(verdict=dict(head["verdict"], text=sham)))
    done = command("render", "sarif", report.folder)
    assert done.exit_code == 4
    assert done.stderr.startswith("a secret was written, so these files must not be kept: ")
    assert (sham in done.stderr, done.stdout) == (False, "")


def test_an_unknown_format_is_reported() -> None:
    """A format that there is not is refused with those that there are."""
    done = command("render", "pdf")
    assert done.exit_code == 4
    assert [name for name in RENDERABLE if f"'{name}'" not in done.stderr] == []


# --- the page of one organization -----------------------------------------------------------------


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit a fleet; not to be changed."""
    return audit_fleet(tmp_path_factory.mktemp("fleet"))


def _page_of(fleet: Report, identity: str) -> bytes:
    return (fleet.folder / "organizations" / page_names(fleet)[identity]).read_bytes()


@pytest.mark.parametrize(
    ("asked", "identity"),
    [
        ("acme", "acme"),
        ("twin-2", "twin-2"),
        ("Named as the id of another is", "twin"),
        *((name, f"o{place}") for place, name in enumerate(HOSTILE_NAMES) if place != 1),
        (HOSTILE_NAMES[1], HOSTILE[1]["id"]),
        (HOSTILE[1]["id"], HOSTILE[1]["id"]),
    ],
)
def test_the_page_of_an_organization_is_made_again(
    fleet: Report, asked: str, identity: str
) -> None:
    """By its name or its id, whatever that holds, an organization's page is the one beside."""
    done = command("render", "html", fleet.folder, "--organization", asked)
    assert _ended(done) == (0, "")
    assert done.stdout_bytes == _page_of(fleet, identity)


def test_an_id_is_taken_before_a_name(fleet: Report) -> None:
    """The id of one organization, which is the name of two others, means the first."""
    done = command("render", "html", fleet.folder, "--organization", "twin")
    assert _ended(done) == (0, "")
    assert done.stdout_bytes == _page_of(fleet, "twin")


def test_one_of_a_report_that_is_no_fleet_has_its_page(shared: Report, tmp_path: Path) -> None:
    """Any report has pages of its organizations on demand; they show no other organization."""
    target = tmp_path / "labs.html"
    done = command("render", "html", shared.folder, "--organization", "labs", "-o", target)
    assert (_ended(done), done.stdout) == ((0, ""), f"Written: {target}\n")
    page = target.read_text("utf-8")
    assert "labs" in page
    assert "acme/" not in page


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pair", "found 'pair', expected an id, as 2 organizations have this name"),
        ("lab", "found 'lab', expected an organization of the report; did you mean 'labs'?"),
        ("%$", "found '%$', expected an organization of the report"),
    ],
)
def test_an_unknown_organization_is_refused(tmp_path: Path, name: str, found: str) -> None:
    """A name that none or several have is refused, with what may have been meant."""
    pair = [organization(f"p{number}", [], [], name="pair") for number in range(2)]
    report = audit(tmp_path, [*VIOLATIONS, *pair])
    done = command("render", "html", report.folder, "--organization", name)
    assert _ended(done) == (4, f"--organization: {found}\n")
    assert done.stdout == ""


@pytest.mark.parametrize(
    "name", [row.name for row in RENDERABLE.values() if not row.by_organization]
)
def test_other_formats_are_of_the_whole_audit(shared: Report, name: str) -> None:
    """A format that has no page for each organization is not made for one."""
    done = command("render", name, shared.folder, "--organization", "labs")
    assert done.exit_code == 4
    assert done.stderr.startswith(f"--organization: found it with {name}, expected html")
