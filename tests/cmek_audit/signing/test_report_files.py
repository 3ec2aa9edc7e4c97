"""What is in a report folder, as a signature counts it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cmek_audit.run.report_folder import WRITTEN
from cmek_audit.signing.report_files import ReportFiles, hash_files, list_files
from reports.formats.registry import FOLDERS
from reports.record.layout import SIGNATURE

PAGE = "organizations/acme.0123456789ab.html"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in {*WRITTEN, PAGE} - set(FOLDERS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_every_file_of_an_audit_is_counted_but_the_signature(folder: Path) -> None:
    """All that an audit writes is signed, pages of organizations too, but for the signature."""
    own = {*WRITTEN, PAGE} - {*FOLDERS, SIGNATURE}
    assert list_files(folder) == ReportFiles(tuple(sorted(own)), ())


def test_whatever_else_is_there_is_named(folder: Path) -> None:
    """Files of other names, links, folders in the place of files and strange pages are others."""
    (folder / "notes.txt").write_text("x")
    (folder / "organizations" / "notes.html").write_text("x")
    (folder / "audit.json").unlink()
    (folder / "audit.json").symlink_to("notes.txt")
    (folder / "summary.md").unlink()
    (folder / "summary.md").mkdir()
    found = list_files(folder)
    assert found.others == ("audit.json", "notes.txt", "organizations/notes.html", "summary.md")
    assert not set(found.own) & set(found.others)


def test_a_link_to_pages_is_not_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A folder of pages that is a link leads elsewhere, so it is an other."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "organizations").rename(elsewhere / "pages")
    (folder / "organizations").symlink_to(elsewhere / "pages")
    assert list_files(folder).others == ("organizations",)


def test_hidden_entries_and_the_earlier_audit_are_not_counted(folder: Path) -> None:
    """What is hidden misleads nobody, and the audit before has a signature of its own."""
    before = list_files(folder)
    (folder / ".lock").write_text("")
    (folder / "previous").mkdir()
    (folder / "previous" / "audit.json").write_text("")
    assert list_files(folder) == before


def test_hashes_are_those_of_sha256(folder: Path) -> None:
    """Each file has its SHA-256."""
    name = "audit.json"
    expected = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert hash_files(folder, [name]) == {name: expected}
