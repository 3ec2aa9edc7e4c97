"""A report folder holds one whole audit or none, and the one before in ``previous/``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmek_audit.run.report_folder import PREVIOUS, UNFINISHED, WRITTEN, ReportFolder, set_aside
from inventory.errors import SettingError
from inventory.system.folder_lock import LOCK
from reports.formats.registry import FOLDERS
from tests.builders import write_text
from tests.wiring.runs import INSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65_534
PAGES = "organizations"
OWN = f"{PAGES}/{INSIDE[PAGES]}"
HELD = tuple(f"{name}/{INSIDE[name]}" if name in INSIDE else name for name in WRITTEN)
"""The files of an audit of a fleet, one of each folder among them."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r"


def fill(path: Path, content: str, names: tuple[str, ...] = WRITTEN) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        file = path / name / INSIDE.get(name, "")
        file.parent.mkdir(exist_ok=True)
        write_text(file, content)


def held(path: Path) -> dict[str, str]:
    """Return the content of each file in ``path``, by its path there."""
    files = [entry for entry in path.rglob("*") if entry.is_file()]
    return {file.relative_to(path).as_posix(): file.read_text() for file in files}


def whole(content: str, folder: str = "") -> dict[str, str]:
    return {f"{folder}{name}": content for name in HELD}


def publish(path: Path, content: str) -> None:
    folder = ReportFolder(path)
    fill(folder.staging, content)
    folder.publish(WRITTEN)


def test_every_folder_of_a_format_has_a_file_here() -> None:
    """These tests fill each folder that an audit writes."""
    assert set(INSIDE) == set(FOLDERS)
    assert [
        INSIDE[name]
        for name, inside in FOLDERS.items()
        if not inside.fullmatch(Path(INSIDE[name]).name)
    ] == []


# --- one audit after the other --------------------------------------------------------------------


def test_an_audit_is_in_its_place_when_it_is_whole(path: Path) -> None:
    """Before an audit is published its folder holds no file of it, and after that all of them."""
    folder = ReportFolder(path)
    fill(folder.staging, "one")
    assert {name for name in held(path) if not name.startswith(".")} == set()
    folder.publish(WRITTEN)
    assert held(path) == whole("one")


def test_the_audit_before_is_kept(path: Path) -> None:
    """The last audit but one is in ``previous/``, the one before that is gone."""
    for content in ("one", "two", "three"):
        publish(path, content)
    assert held(path) == whole("three") | whole("two", f"{PREVIOUS}/")


def test_an_audit_that_ends_without_a_report_leaves_the_earlier_one(path: Path) -> None:
    """However often a run ends without an audit, the last whole one stays in ``previous/``."""
    publish(path, "one")
    for _ in range(3):
        ReportFolder(path).close()
    assert held(path) == whole("one", f"{PREVIOUS}/")


def test_reports_without_a_record_are_no_audit(path: Path) -> None:
    """What pytest wrote of a run without an audit does not replace the last whole one."""
    publish(path, "one")
    folder = ReportFolder(path)
    fill(folder.staging, "none", ("results.html", "junit.xml"))
    folder.publish(("results.html", "junit.xml"))
    assert held(path) == whole("one", f"{PREVIOUS}/") | {
        "results.html": "none",
        "junit.xml": "none",
    }
    ReportFolder(path).close()
    assert held(path) == whole("one", f"{PREVIOUS}/")


def test_what_is_not_of_an_audit_stays(path: Path) -> None:
    """Files of other names in the folder are left alone."""
    fill(path, "mine", ("notes.txt",))
    publish(path, "one")
    publish(path, "two")
    assert held(path) == whole("two") | whole("one", f"{PREVIOUS}/") | {"notes.txt": "mine"}


def test_an_earlier_audit_is_set_aside_without_a_new_one(path: Path) -> None:
    """A run whose options are unusable moves the earlier audit, and begins none."""
    publish(path, "one")
    set_aside(path)
    assert held(path) == whole("one", f"{PREVIOUS}/")


def test_a_folder_that_is_not_there_is_not_made_to_be_emptied(path: Path) -> None:
    """Setting aside makes no folder."""
    set_aside(path)
    assert not path.exists()


# --- pages of organizations -----------------------------------------------------------------------


def test_an_audit_without_pages_leaves_none_of_the_audit_before(path: Path) -> None:
    """The pages of a fleet go with their audit, also if the next one is of no fleet."""
    publish(path, "one")
    folder = ReportFolder(path)
    assert not (path / PAGES).exists()
    others = tuple(name for name in WRITTEN if name != PAGES)
    fill(folder.staging, "two", others)
    folder.publish(others)
    left = {name: text for name, text in whole("two").items() if name != OWN}
    assert held(path) == whole("one", f"{PREVIOUS}/") | left


def test_pages_of_an_audit_that_was_not_finished_are_removed(path: Path) -> None:
    """Pages without the head of their audit are no report, and neither are those in its midst."""
    fill(path, "half", (PAGES,))
    folder = ReportFolder(path)
    fill(folder.staging, "half", (PAGES,))
    folder.close()
    assert list(path.iterdir()) == []


def test_pages_of_an_audit_that_cannot_be_moved_are_removed(path: Path) -> None:
    """If a later file cannot be moved to its place, no page stays."""
    folder = ReportFolder(path)
    fill(folder.staging, "one", (PAGES, "summary.md"))
    with pytest.raises(FileNotFoundError):
        folder.publish((PAGES, "summary.md", "audit.json"))
    assert list(path.iterdir()) == []


def _make_stranger(folder: Path, kind: str) -> Path:
    """Put something into a folder of pages that no audit puts there, and return its path."""
    name = "index.html" if kind == "page" else "notes.txt" if kind == "file" else Path(OWN).name
    stranger = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    stranger.unlink(missing_ok=True)
    if kind == "folder":
        stranger.mkdir()
        write_text(stranger / "mine.txt", "mine")
    elif kind == "link":
        stranger.symlink_to("nowhere")
    else:
        write_text(stranger, "mine")
    return stranger


@pytest.mark.parametrize("kind", ["file", "page", "folder", "link"])
@pytest.mark.parametrize("place", [PAGES, f"{PREVIOUS}/{PAGES}"])
@pytest.mark.parametrize("is_audit", [True, False])
def test_what_is_among_the_pages_is_not_lost(
    path: Path, place: str, kind: str, *, is_audit: bool
) -> None:
    """A file of somebody else in a folder of pages is refused by name, and nothing is moved."""
    publish(path, "one")
    publish(path, "two")
    if not is_audit:
        (path / "audit.json").unlink()
    stranger = _make_stranger(path / place, kind)
    before = held(path)
    if is_audit or place == PAGES:
        assert refused(path) == (
            f"--cmek-report-dir: found {stranger}, expected only files of an earlier audit in "
            f"{PAGES}/"
        )
        assert held(path) == before
    else:
        ReportFolder(path).close()
    assert stranger.is_symlink() or stranger.exists()


@pytest.mark.parametrize("is_link", [True, False])
def test_what_has_the_name_of_the_folder_of_pages_is_not_lost(
    path: Path, tmp_path: Path, *, is_link: bool
) -> None:
    """A file, or a link to another folder, in the place of the folder of pages is refused."""
    pages = path / PAGES
    for folder in (path, tmp_path / "mine"):
        folder.mkdir()
    write_text(tmp_path / "mine" / Path(OWN).name, "mine")
    if is_link:
        pages.symlink_to(tmp_path / "mine")
    else:
        write_text(pages, "mine")
    assert refused(path) == (
        f"--cmek-report-dir: found {pages}, expected only files of an earlier audit in {PAGES}/"
    )
    assert (tmp_path / "mine" / Path(OWN).name).read_text() == "mine"


# --- what was killed ------------------------------------------------------------------------------


def test_the_leavings_of_a_killed_run_are_removed(path: Path) -> None:
    """What a run had written when it was killed is no audit, and goes when the next one begins."""
    fill(path / UNFINISHED, "half")
    fill(path / f"{UNFINISHED}-4711", "half, by an earlier version")
    ReportFolder(path).close()
    assert list(path.iterdir()) == []


@pytest.mark.parametrize("moved", range(len(WRITTEN) + 1))
def test_a_run_that_is_killed_while_it_sets_aside_loses_nothing(path: Path, moved: int) -> None:
    """Whichever files had been moved when the run was killed, the next one moves the others."""
    publish(path, "one")
    publish(path, "two")
    moving = path / f".{PREVIOUS}"
    moving.mkdir()
    for name in WRITTEN[:moved]:
        (path / name).replace(moving / name)
    ReportFolder(path).close()
    assert held(path) == whole("two", f"{PREVIOUS}/")


def test_a_run_that_is_killed_before_the_last_move_loses_nothing(path: Path) -> None:
    """If only the hidden folder holds the last audit, the next run finds it there."""
    fill(path / f".{PREVIOUS}", "one")
    ReportFolder(path).close()
    assert held(path) == whole("one", f"{PREVIOUS}/")


def test_files_without_their_head_are_removed(path: Path) -> None:
    """What a run had published when it was killed is no audit as long as the head is missing."""
    publish(path, "one")
    ReportFolder(path).close()
    fill(path, "half", WRITTEN[1:])
    ReportFolder(path).close()
    assert held(path) == whole("one", f"{PREVIOUS}/")


def test_an_audit_that_cannot_be_moved_is_none(path: Path) -> None:
    """If a file cannot be moved to its place, none is left there."""
    folder = ReportFolder(path)
    fill(folder.staging, "one", WRITTEN[2:])
    with pytest.raises(FileNotFoundError):
        folder.publish(WRITTEN)
    assert list(path.iterdir()) == []


# --- folders that cannot be used ------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(SettingError) as caught:
        ReportFolder(path)
    return str(caught.value)


def test_two_audits_at_once_do_not_share_a_folder(path: Path) -> None:
    """The second of two runs at once is refused, and the first one ends well."""
    folder = ReportFolder(path)
    assert refused(path) == (
        f"--cmek-report-dir: found {path}, which another run is writing to, "
        "expected a folder of its own"
    )
    fill(folder.staging, "one")
    folder.publish(WRITTEN)
    assert held(path) == whole("one")


def test_a_file_is_no_folder(path: Path) -> None:
    """A file in the place of the folder is refused, and stays."""
    write_text(path, "mine")
    assert refused(path).startswith(f"--cmek-report-dir: found {path} (")
    assert path.read_text() == "mine"


def test_a_link_to_nothing_is_no_folder(path: Path) -> None:
    """A link that leads nowhere is refused."""
    path.symlink_to("nowhere")
    assert refused(path) == (
        f"--cmek-report-dir: found {path} (File exists), expected a folder to write to"
    )


@pytest.fixture
def _nobody(tmp_path: Path) -> Iterator[None]:
    """Be another user than the one to whom the folders belong."""
    if os.geteuid():
        pytest.skip("only root may become another user")
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


@pytest.mark.usefixtures("_nobody")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """Where this user may not write, the run is refused before anything is asked or read."""
    assert refused(tmp_path).endswith("(Permission denied), expected a folder to write to")
    assert refused(tmp_path / "r").endswith("(Permission denied), expected a folder to write to")


@pytest.mark.parametrize("stranger", ["a file", "a link", "another file in it"])
def test_what_is_in_the_place_of_the_earlier_audit_is_not_removed(
    path: Path, stranger: str
) -> None:
    """A ``previous`` that holds anything but an earlier audit is refused by name, and stays."""
    publish(path, "one")
    strange = path / PREVIOUS
    if stranger == "a file":
        write_text(strange, "mine")
    elif stranger == "a link":
        strange.symlink_to("nowhere")
    else:
        strange = strange / "notes.txt"
        fill(strange.parent, "mine", ("notes.txt",))
    before = held(path)
    assert refused(path) == (
        f"--cmek-report-dir: found {strange}, expected a folder whose previous/ holds only an "
        "earlier audit"
    )
    assert held(path) == before
    assert not (path / LOCK).exists()
