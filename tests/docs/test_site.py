"""The documentation site: the pages of the repository as they are, each with its place."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from docs.site import build
from tests.reports.browser import (
    NARROW,
    NEEDS_BROWSER,
    WIDE,
    open_page,
    start_browser,
    violations_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ViewportSize

ROOT = Path(__file__).parents[2]
NEEDS_GENERATOR = pytest.mark.skipif(
    importlib.util.find_spec("zensical") is None, reason="the extra docs is not installed"
)
BY_THE_THEME = {"landmark-unique", "scrollable-region-focusable"}
"""Faults that no page and no style can mend: of buttons that copy code, and around wide tables."""

LOADED = re.compile(r'<(?:script|link|img)\b[^>]*?\b(?:src|href)="([^"]*)"')


def _tracked(*patterns: str) -> set[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard", *patterns]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {Path(name) for name in done.stdout.splitlines() if (ROOT / name).is_file()}


def _is_page(path: Path) -> bool:
    return path.parent in {Path(), Path("docs")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, as it is built."""
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "docs/site/build.py", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_has_one_place_in_the_navigation() -> None:
    """Each page of the repository is in the navigation of the site, and none is there twice."""
    expected = sorted(filter(_is_page, _tracked("*.md")))
    assert sorted(build.pages()) == expected, "add the page to docs/site/zensical.toml"


def test_every_link_leads_to_a_page_or_a_file() -> None:
    """A link leads to nothing that the site does not have: a folder, say, or a missing file."""
    known = {*build.pages(), *build.linked_files()}
    leading = {link for page in build.pages() for link in build.links_of(page)}
    assert leading - known == set()


def test_nothing_is_linked_that_is_not_in_the_repository() -> None:
    """Every file that the site copies is one that is kept."""
    assert build.linked_files() - _tracked() == set()


@pytest.mark.slow
@NEEDS_GENERATOR
def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    """A link to a page or an anchor that there is not ends the build with an error."""
    for name in _tracked():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    page = tmp_path / "docs/keys.md"
    page.write_text(page.read_text("utf-8") + "\n[there](formats.md#no-such-part)\n", "utf-8")
    command = [sys.executable, "docs/site/build.py", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "docs/keys.md" in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@NEEDS_GENERATOR
def test_the_site_has_every_page(site: Path) -> None:
    """Each page has a file at the place that it has in the repository; README is the front."""
    made = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    expected = {path if path.name != "README.md" else Path("index.md") for path in build.pages()}
    assert expected <= made


@pytest.mark.slow
@NEEDS_GENERATOR
def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    """No page of the site asks another host for a script, a style, a font or a picture."""
    loaded = {
        address
        for page in site.rglob("*.html")
        for address in LOADED.findall(page.read_text("utf-8"))
        if re.match(r"(?:[a-z]+:)?//", address)
    }
    assert loaded == set()


@pytest.fixture(scope="module")
def browser(site: Path) -> Iterator[Browser]:
    """Start a browser once the site is there."""
    assert site
    with start_browser() as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@NEEDS_GENERATOR
class TestInABrowser:
    """The site, as a browser shows it."""

    pytestmark = NEEDS_BROWSER

    def test_it_fits_and_asks_for_nothing(
        self,
        browser: Browser,
        site: Path,
        size: ViewportSize,
        scheme: Literal["light", "dark"],
    ) -> None:
        """A page fits any width, what it loads are files of the site, and axe finds no fault."""
        with open_page(
            browser, site / "docs/keys.html", viewport=size, color_scheme=scheme
        ) as opened:
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            assert [url for url in opened.requests if not url.startswith(site.as_uri())] == []
            found = {violation.partition(":")[0] for violation in violations_of(opened.page)}
            assert found <= BY_THE_THEME
