"""The pages of a fleet's organizations are rendered again, and compared with those found."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from cmek_audit.verification.verify_report import verify_report
from tests.cmek_audit.verification.verified import reason_of, rewrite, stopping
from tests.reports.fleets import LEAN_FLEET, page_names
from tests.reports.samples import audit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.reports.samples import Report

PAGES = "organizations"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit a fleet; not to be changed."""
    return audit(tmp_path_factory.mktemp("fleet"), LEAN_FLEET)


@pytest.fixture
def fleet(shared: Report, tmp_path: Path) -> Report:
    """Return a copy of the report, which may be changed."""
    return shared._replace(folder=shutil.copytree(shared.folder, tmp_path / "report"))


def _proof(fleet: Report) -> tuple[str, str]:
    """Return the status of the pages and the reason, where nothing else stops."""
    verified = verify_report(str(fleet.folder))
    assert stopping(verified).keys() <= {PAGES}
    return stopping(verified).get(PAGES, "proven"), reason_of(verified, PAGES)


def _page_of(fleet: Report, organization: str) -> Path:
    return fleet.folder / PAGES / page_names(fleet)[organization]


def test_pages_as_they_were_written_are_proven(fleet: Report) -> None:
    """Pages that the record renders to again are proven as the record is."""
    assert _proof(fleet) == ("proven", "rendered again from the record: equal")


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page.write_bytes(page.read_bytes().replace(b"fail", b"pass", 1)),
        lambda page: page.write_bytes(page.read_bytes() + b" "),
        lambda page: page.write_bytes(b""),
        lambda page: page.unlink(),
    ],
    ids=["changed", "longer", "empty", "missing"],
)
def test_a_page_that_is_not_as_rendered_is_found_out(
    fleet: Report, change: Callable[[Path], object]
) -> None:
    """One page that was changed or removed is counted, and named."""
    page = _page_of(fleet, "failing-1")
    change(page)
    assert _proof(fleet) == ("differs", f"1 file not as rendered, the first {page.name}")


def test_the_pages_that_differ_are_counted(fleet: Report) -> None:
    """Of several pages the first one is named, in the order of the record."""
    pages = [_page_of(fleet, organization) for organization in ("failing-2", "failing-1")]
    for page in pages:
        page.write_text("changed")
    assert _proof(fleet) == ("differs", f"2 files not as rendered, the first {pages[1].name}")


@pytest.mark.parametrize("name", ["notes.txt", "calm-001.0123456789ab.html", ".hidden"])
def test_a_file_that_no_record_renders_to_is_found_out(fleet: Report, name: str) -> None:
    """A page of no organization, or any other file, is none of this report."""
    (fleet.folder / PAGES / name).write_text("<p>All is well.")
    assert _proof(fleet) == ("differs", f"found {name}, which no record renders to")


def test_a_page_of_an_organization_in_order_is_found_out(fleet: Report) -> None:
    """A page for an organization that needs none is not of this report, whatever it shows."""
    page = _page_of(fleet, "calm-001")
    shutil.copy(_page_of(fleet, "failing-0"), page)
    assert _proof(fleet) == ("differs", f"found {page.name}, which no record renders to")


def test_a_pipe_is_not_waited_for(fleet: Report) -> None:
    """Reading a pipe in the place of a page might never end, so it is not begun."""
    page = _page_of(fleet, "failing-0")
    page.unlink()
    os.mkfifo(page)
    found = f"found no regular file called {page.name}, expected only files"
    assert _proof(fleet) == ("differs", found)


def test_no_link_is_followed(fleet: Report, tmp_path: Path) -> None:
    """A link could lead out of the report, so it is no page, whatever it leads to."""
    page = _page_of(fleet, "failing-0")
    page.rename(tmp_path / "moved.html")
    page.symlink_to(tmp_path / "moved.html")
    assert _proof(fleet) == ("differs", f"found a link called {page.name}, expected only files")
    shutil.move(fleet.folder / PAGES, tmp_path / "moved")
    (fleet.folder / PAGES).symlink_to(tmp_path / "moved")
    assert _proof(fleet) == ("differs", "found a link, expected a folder")


def test_a_folder_in_the_place_of_a_page_is_no_crash(fleet: Report) -> None:
    """What is no file cannot be read as a page."""
    page = _page_of(fleet, "failing-0")
    page.unlink()
    page.mkdir()
    found = f"found no regular file called {page.name}, expected only files"
    assert _proof(fleet) == ("differs", found)


def test_a_missing_folder_is_found_out(fleet: Report) -> None:
    """Without the folder every page of it is missing."""
    pages = [*(fleet.folder / PAGES).iterdir()]
    shutil.rmtree(fleet.folder / PAGES)
    status, reason = _proof(fleet)
    assert status == "differs"
    assert reason.startswith(f"{len(pages)} files not as rendered, the first ")


def test_a_file_in_the_place_of_the_folder_is_no_crash(fleet: Report) -> None:
    """What is no folder has no pages."""
    shutil.rmtree(fleet.folder / PAGES)
    (fleet.folder / PAGES).write_text("mine")
    assert _proof(fleet) == ("differs", "found a file, expected a folder")


def test_pages_of_a_forged_record_are_not_proven(fleet: Report) -> None:
    """Pages that fit a record which cannot be judged again are proven no further than it."""
    rewrite(fleet, lambda head: head["settings"].update(as_of="2026-11-22T00:00:00Z"))
    verified = verify_report(str(fleet.folder))
    assert stopping(verified)[PAGES] in {"differs", "not-proven"}
