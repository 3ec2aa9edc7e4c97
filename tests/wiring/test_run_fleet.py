"""A fleet through the real command: an index, and a page for each organization that needs one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.reports.fleets import (
    FLEET,
    FLEET_WAIVERS,
    LEAN_FLEET,
    dead_links,
    not_complying,
    page_names,
)
from tests.reports.samples import AS_OF, Page, Report, read_report, save, save_inventory
from tests.wiring.runs import ALL, HTML, XDIST, Run, plugin, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reports.model.head import Head

PAGES = "organizations"
_RUN = re.compile('<section id="run">.*?</section>', re.DOTALL)
ENDS_EARLY = """
import pytest

def pytest_runtest_teardown(item):
    pytest.exit("enough", 2)
"""
FAILS_WHEN_PUBLISHING = """
from pathlib import Path

replace = Path.replace

def failing(self, target):
    if self.name == "audit.json" and self.parent.name == ".writing":
        raise OSError(28, "No space left on device")
    return replace(self, target)

Path.replace = failing
"""


def _audit(
    folder: Path,
    organizations: Sequence[dict[str, Any]],
    *arguments: str,
    name: str = "r",
    environment: Mapping[str, str] | None = None,
) -> Run:
    """Audit ``organizations`` in every format; reports go to the folder of that ``name``."""
    inventory = save_inventory(folder / "inventory.json", organizations)
    waivers = save(folder / "waivers.json", **{"cmek-waivers": 1, "waivers": FLEET_WAIVERS})
    options = {"inventory": inventory, "waivers": waivers, "as-of": AS_OF, "formats": ALL}
    options["report-dir"] = folder / name
    return run(
        *(f"--cmek-{name}={value}" for name, value in options.items()),
        *arguments,
        folder=folder / name,
        environment=environment,
        plugins=(*HTML, *XDIST),
    )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Audit a fleet by two processes; not to be changed."""
    return _audit(tmp_path_factory.mktemp("fleet"), FLEET, "-n2")


@pytest.fixture(scope="module")
def report(fleet: Run) -> Report:
    return read_report(fleet.folder, cast("Head", fleet.head))


def _pages(folder: Path) -> set[str]:
    return {file.name for file in (folder / PAGES).iterdir()}


def _needed(report: Report) -> set[str]:
    names = page_names(report)
    return {names[organization] for organization in not_complying(report) if organization}


def test_a_fleet_has_its_pages(fleet: Run, report: Report) -> None:
    """The command writes the index and the pages, with all findings that are open or waived."""
    assert (fleet.code, fleet.word) == (1, "not compliant")
    assert _pages(fleet.folder) == _needed(report)
    names = page_names(report)
    for organization, findings in not_complying(report).items():
        file = f"{PAGES}/{names[organization]}" if organization else "audit.html"
        assert {f"f-{finding}" for finding in findings} <= set(Page(fleet.text(file)).values("id"))


def test_two_processes_write_what_one_writes(fleet: Run) -> None:
    """Shared among processes or not, an audit gives the same pages, but for how it was run."""
    single = _audit(fleet.folder.parent, FLEET, name="single")
    assert _pages(single.folder) == _pages(fleet.folder)
    for name in ("audit.html", *(f"{PAGES}/{page}" for page in _pages(single.folder))):
        ours, theirs = (_RUN.sub("", run.text(name)) for run in (single, fleet))
        assert ours == theirs


def test_results_lead_to_the_pages(fleet: Run) -> None:
    """Every link of the table of results leads to the page that shows the finding."""
    text = fleet.text("results.html")
    links = set(re.findall(r"(?:audit|organizations/[a-z0-9.-]+)\.html#f-[0-9a-f]{20}", text))
    assert len(links) > len(_pages(fleet.folder))
    assert any(link.startswith(PAGES) for link in links)
    anchors = {
        file: set(Page(fleet.text(file)).values("id"))
        for file in {link.partition("#")[0] for link in links}
    }
    dead = [link for link in links if link.partition("#")[2] not in anchors[link.partition("#")[0]]]
    assert dead == []
    assert re.search(r"organizations/[a-z0-9.-]+\.html#findings\?status=inconclusive", text)


def test_every_link_leads_somewhere(fleet: Run) -> None:
    """Links of the index and of the pages lead to files and places that are there."""
    files = [fleet.folder / "audit.html", *(fleet.folder / PAGES).iterdir()]
    assert {file.name: dead for file in files if (dead := dead_links(file))} == {}


# --- the folder -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_pages_are_moved_with_their_audit(tmp_path: Path) -> None:
    """The pages of the audit before are in ``previous/``; one of no fleet leaves none behind."""
    first = _audit(tmp_path, LEAN_FLEET)
    pages = _pages(first.folder)
    assert len(pages) == 3
    second = _audit(tmp_path, LEAN_FLEET[:-1])
    assert (len(_pages(second.folder)), _pages(second.folder / "previous")) == (2, pages)
    small = _audit(tmp_path, LEAN_FLEET[-2:])
    assert PAGES not in small.left
    assert len(_pages(small.folder / "previous")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "code"), [(ENDS_EARLY, 2), (FAILS_WHEN_PUBLISHING, 3)], ids=["ended", "disk"]
)
def test_an_audit_that_is_none_leaves_no_page(tmp_path: Path, text: str, code: int) -> None:
    """A run that is ended, or cannot be published, leaves the pages of the audit before alone."""
    pages = _pages(_audit(tmp_path, LEAN_FLEET).folder)
    argument, environment = plugin(tmp_path, text)
    broken = _audit(tmp_path, LEAN_FLEET, argument, environment=environment)
    assert (broken.code, broken.left - {"results.html", "junit.xml"}) == (code, {"previous"})
    assert _pages(broken.folder / "previous") == pages


@pytest.mark.slow
def test_a_stranger_among_the_pages_is_refused(tmp_path: Path) -> None:
    """A run does not begin where it would move somebody else's file, and leaves it there."""
    folder = _audit(tmp_path, LEAN_FLEET).folder
    stranger = folder / PAGES / "notes.html"
    stranger.write_text("mine")
    refused = _audit(tmp_path, LEAN_FLEET)
    assert refused.code == 4
    assert f"found {stranger}, expected only files of an earlier audit in {PAGES}/" in refused.out
    assert stranger.read_text() == "mine"
