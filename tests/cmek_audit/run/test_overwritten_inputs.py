"""Inputs that are files of the report folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmek_audit.run.overwritten_inputs import (
    GivenPath,
    overwritten_inputs,
    refuse_overwritten_inputs,
)
from inventory.errors import SettingError

NAMES = ("audit.json", "findings.ndjson", "audit.html")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a report folder with a file of each name, beside a folder for other things."""
    folder = tmp_path / "r"
    folder.mkdir()
    (tmp_path / "other").mkdir()
    for name in NAMES:
        (folder / name).write_text(name)
    return folder


def found(folder: Path, path: Path | str, option: str = "history") -> list[tuple[str, str]]:
    return list(overwritten_inputs([GivenPath(option, str(path))], folder, NAMES))


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
@pytest.mark.parametrize("name", NAMES)
def test_links_to_a_report(folder: Path, link: object, name: str) -> None:
    """A link to a file of the report folder is that file, whatever it is called."""
    other = folder.parent / "other" / "x.json"
    link(other, folder / name)  # type: ignore[operator]
    why = f"{other}, which is the same file as {folder / name}"
    assert found(folder, other) == [("history", why)]
    assert found(folder, other.parent) == [("history", why)]


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symbolic", "hard"])
def test_findings_that_are_links(folder: Path, link: object) -> None:
    """A record whose findings are a link to those of the report folder would lose them."""
    head = folder.parent / "other" / "audit.json"
    head.write_text("{}")
    link(head.with_name("findings.ndjson"), folder / "findings.ndjson")  # type: ignore[operator]
    for path in (head, head.parent):
        assert [option for option, _ in found(folder, path, "baseline")] == ["baseline"]


def test_what_lies_in_the_report_folder(folder: Path) -> None:
    """A file that an audit writes is named, by whatever path; one of another name may stay."""
    (folder / "kept.yaml").write_text("x")
    detour = folder / "." / ".." / "r" / "audit.html"
    assert found(folder, detour) == [("history", f"{detour}, which is in the report folder")]
    assert found(folder, folder / "kept.yaml") == []


@pytest.mark.parametrize("inside", ["organizations", "previous/organizations"])
def test_what_lies_among_the_pages_of_organizations(folder: Path, inside: str) -> None:
    """A file in a folder of pages would be moved with it, also if it is reached by a link."""
    file = folder / inside / "i.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    (folder.parent / "link.yaml").symlink_to(file)
    for path in (file, folder.parent / "link.yaml"):
        assert found(folder, path) == [
            ("history", f"{path}, which is among the files of an audit in organizations/")
        ]


def test_another_folder_of_the_name_of_that_of_pages(folder: Path) -> None:
    """Only the folder of pages itself is moved, and no other of its name further inside."""
    file = folder / "mine" / "organizations" / "i.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    assert found(folder, file) == []


def test_links_behind_links(folder: Path) -> None:
    """A link to a link, and a folder that is a link, lead to the same file."""
    (folder.parent / "one").symlink_to(folder / "audit.json")
    (folder.parent / "two").symlink_to("one")
    (folder.parent / "way").symlink_to(folder)
    for path in ("two", "way/audit.json"):
        assert len(found(folder, folder.parent / path)) == 1


def test_what_an_audit_left_unfinished(folder: Path) -> None:
    """What lies in the leavings of an audit that was cut off would be removed with them."""
    unfinished = folder / ".writing-17"
    unfinished.mkdir()
    file = unfinished / "i.yaml"
    file.write_text("x")
    why = f"{file}, which is in what an audit left unfinished"
    assert found(folder, file) == [("history", why)]


@pytest.mark.parametrize("path", ["other", "nothing", ".", "loop", "other/x\0"])
def test_all_else_is_safe(folder: Path, path: str) -> None:
    """What only holds the report folder, is not there or cannot be, is refused by nobody here."""
    (folder.parent / "loop").symlink_to("loop")
    (folder.parent / "other" / "a.tf").write_text("x")
    (folder.parent / "other" / "b.tf").symlink_to("a.tf")
    os.link(folder.parent / "other" / "a.tf", folder.parent / "other" / "c.tf")
    assert found(folder, f"{folder.parent}/{path}") == []


def test_a_record_by_its_folder(folder: Path) -> None:
    """A baseline by its folder is refused where the record in there would be removed."""
    assert len(found(folder, folder, "baseline")) == 1
    assert found(folder, folder.parent, "baseline") == []


def test_an_empty_report_folder_removes_nothing(tmp_path: Path) -> None:
    """Where no earlier audit is, nothing is removed."""
    (tmp_path / "audit.json").write_text("x")
    assert found(tmp_path / "r", tmp_path / "audit.json") == found(tmp_path / "r", tmp_path) == []


def test_it_is_refused(folder: Path) -> None:
    """The refusal names the option, the file and what to do instead."""
    with pytest.raises(SettingError) as caught:
        refuse_overwritten_inputs([GivenPath("plan", f"{folder}/audit.html")], folder, NAMES)
    assert str(caught.value) == (
        f"--cmek-plan: found {folder}/audit.html, which is in the report folder, and would not "
        "stay there; expected one that is kept elsewhere"
    )
    refuse_overwritten_inputs([], folder, NAMES)


@pytest.mark.parametrize("name", ["", "audit.json"])
def test_a_history_of_the_report_folder_itself(folder: Path, name: str) -> None:
    """A report that is given as history would be moved, by its folder as by its head."""
    given = folder / name
    head = folder / "audit.json"
    assert found(folder, given) == [("history", f"{head}, which is in the report folder")]
