"""The auditor's page and the engineer's, as a browser shows them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run.option_values import parse_options
from reports.formats import html
from tests.astra.faults import ALWAYS, FIRST, Fault
from tests.reports.browser import (
    NARROW,
    NEEDS_BROWSER,
    OPEN_ALL,
    WIDE,
    open_page,
    start_browser,
    violations_of,
)
from tests.reports.live import recorded, renamed, small_fleet
from tests.reports.recording import RUN, SOURCE, record
from tests.reports.samples import (
    AS_OF,
    EVIL,
    HOSTILE,
    VIOLATIONS,
    WAIVERS,
    run_rules,
    save,
    save_inventory,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[3]

pytestmark = NEEDS_BROWSER

_LATER = "--cmek-as-of=2026-11-22T00:00:00Z"
_AS_OF = [f"--cmek-as-of={AS_OF}"]
_DIFFERING = (
    Fault("cut-list", "serverless-keys", ALWAYS),
    Fault("reset-at-once", "databases", FIRST),
)
NOTE = "It holds a part of the configuration only: it was made with -target."


@pytest.fixture(scope="module")
def browser(reports: dict[str, Path]) -> Iterator[Browser]:
    """Start a browser once the reports are there: none can be recorded inside playwright's loop."""
    assert reports
    with start_browser() as launched:
        yield launched


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run pytest as its users do, and return each run's folder of reports."""
    folder = tmp_path_factory.mktemp("runs")
    waivers = save(folder / "waivers.json", **{"cmek-waivers": 1, "waivers": WAIVERS})
    made = {}
    faults = (Fault("403-errors", "managed-clusters-keys", ALWAYS), *_DIFFERING)
    evil = recorded(folder / "a", *faults, fleet=renamed(small_fleet(), EVIL), evidence="<b> 'e'")
    for name, inventory, more in (
        ("violations", _saved(folder, VIOLATIONS), [f"--cmek-waivers={waivers}", *_AS_OF]),
        ("hostile", _saved(folder, HOSTILE), _AS_OF),
        ("live", recorded(folder / "b", *_DIFFERING, stated=False).bundle, []),
        ("hostile-live", evil.bundle, []),
        ("changes", _saved(folder, HOSTILE), [_LATER, f"--cmek-baseline={folder / 'violations'}"]),
    ):
        options = [f"--cmek-inventory={inventory}", f"--cmek-report-dir={folder / name}"]
        command = [sys.executable, "-m", "pytest", "-q", *options, *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stdout + done.stderr
        made[name] = folder / name
    return made


def _saved(folder: Path, organizations: list[Any]) -> Path:
    return save_inventory(folder / f"{len(organizations)}.json", organizations)


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("violations", "light"),
        ("violations", "dark"),
        ("live", "light"),
        ("live", "dark"),
        ("hostile", "light"),
        ("hostile-live", "light"),
    ],
)
def test_accessible(browser: Browser, reports: dict[str, Path], name: str, scheme: str) -> None:
    """The page has no violation that axe knows, in light and in dark."""
    with open_page(browser, reports[name] / "audit.html", color_scheme=scheme) as opened:
        if name != "hostile":
            opened.page.evaluate(OPEN_ALL)
        assert violations_of(opened.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("section", ["#frameworks", "#exceptions"])
def test_opened_sections_are_accessible(
    browser: Browser, reports: dict[str, Path], section: str, width: int, scheme: str
) -> None:
    """Frameworks, waivers and attestations, all opened, fit their page and have no violation."""
    size, path = {"width": width, "height": 900}, reports["violations"] / "audit.html"
    with open_page(browser, path, viewport=size, color_scheme=scheme) as opened:
        page = opened.page
        page.evaluate(OPEN_ALL.replace("'details'", f"'{section} details'"))
        assert violations_of(page, section) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_control_is_a_row_on_any_screen(browser: Browser, reports: dict[str, Path]) -> None:
    """On a narrow screen the table of a framework stays one, and scrolls in its own box."""
    with open_page(browser, reports["violations"] / "audit.html", viewport=NARROW) as opened:
        opened.page.evaluate(OPEN_ALL)
        framework = opened.page.locator("#frameworks details.framework").first
        rows = framework.get_by_role("table").get_by_role("row")
        assert rows.count() == 1 + framework.locator("tbody tr").count()
        box = framework.locator(".scroll")
        assert box.evaluate("(box) => box.scrollWidth > box.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_changes_are_accessible(browser: Browser, reports: dict[str, Path], scheme: str) -> None:
    """The section on what changed has no violation that axe knows, whatever names it shows."""
    path = reports["changes"] / "audit.html"
    with open_page(browser, path, color_scheme=scheme) as opened:
        assert opened.page.locator("#changes table.changed").count() == 5
        assert violations_of(opened.page, "#changes") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_notes_are_on_the_first_screen(
    browser: Browser, tmp_path: Path, size: dict[str, int], scheme: str
) -> None:
    """What limits a source is seen without scrolling, as everybody can read it."""
    notes = (NOTE, "x" * 400)
    noted = SOURCE.model_copy(update={"path": f"{'long/' * 30}plan.json", "notes": notes})
    file = tmp_path / "audit.html"
    head = record(tmp_path, sources=[noted]).head | {"run": RUN}
    file.write_text(html.render(head, []), "utf-8")
    with open_page(browser, file, viewport=size, color_scheme=scheme) as opened:
        box = opened.page.get_by_text(NOTE).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < size["height"]
        assert violations_of(opened.page, "header.top") == []
        width = opened.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"]


@pytest.mark.parametrize("name", ["hostile", "hostile-live", "changes"])
@pytest.mark.parametrize("file", ["audit.html", "results.html"])
def test_hostile_names_run_nothing(
    browser: Browser, reports: dict[str, Path], file: str, name: str
) -> None:
    """Whatever names hold, no script of theirs runs, and nothing but the file is asked for."""
    path = reports[name] / file
    with open_page(browser, path) as opened:
        opened.page.evaluate(OPEN_ALL)
        opened.page.wait_for_timeout(200)
        assert opened.page.evaluate("window.__pwned === undefined")
        assert {request for request in opened.requests if not request.startswith("data:")} == {
            path.as_uri()
        }


def test_quiet(browser: Browser, reports: dict[str, Path]) -> None:
    """The page asks for itself alone, and its browser has nothing to complain of."""
    path = reports["hostile"] / "audit.html"
    with open_page(browser, path) as opened:
        assert opened.requests == [path.as_uri()]
        assert opened.said == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["violations", "hostile", "live", "hostile-live", "changes"])
def test_layout_holds(
    browser: Browser, reports: dict[str, Path], name: str, size: dict[str, int]
) -> None:
    """The page is never wider than its window, with everything open."""
    with open_page(browser, reports[name] / "audit.html", viewport=size) as opened:
        opened.page.evaluate(OPEN_ALL)
        width = opened.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", ["violations", "hostile"])
def test_what_to_paste(
    browser: Browser, reports: dict[str, Path], name: str, size: dict[str, int]
) -> None:
    """One click takes all of a call or block that is to be pasted, whatever a region is called."""
    with open_page(browser, reports[name] / "audit.html", viewport=size) as opened:
        opened.page.evaluate(OPEN_ALL)
        blocks = opened.page.locator("#key-plan .paste").all()
        assert len(blocks) > 3
        for block in blocks[:12]:
            block.click(position={"x": 5, "y": 5})
            assert opened.page.evaluate("String(getSelection())") == block.text_content()


def test_without_script(browser: Browser, reports: dict[str, Path]) -> None:
    """Without JavaScript all is there, a link opens its finding, and the filter is not offered."""
    folder = reports["violations"]
    finding = _first(folder, "fail")
    with open_page(
        browser, folder / "audit.html", f"#f-{finding['id']}", java_script_enabled=False
    ) as opened:
        page = opened.page
        assert not page.locator("#filter").is_visible()
        for section in page.locator("section").all():
            assert section.is_visible()
        target = page.locator(f"#f-{finding['id']}")
        assert target.locator("dd").first.is_visible()
        another = page.locator(f"details.f:not(#f-{finding['id']})").first
        assert not another.locator("dd").first.is_visible()
        another.locator("summary").click()
        assert another.locator("dd").first.is_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_evidence_leads_to_its_answer(
    browser: Browser,
    reports: dict[str, Path],
    script: bool,  # noqa: FBT001 (a parameter)
) -> None:
    """From a finding's evidence a link leads to the recorded answer, with script and without."""
    path = reports["live"] / "audit.html"
    with open_page(browser, path, java_script_enabled=script) as opened:
        page = opened.page
        finding = page.locator("details.f:has(dd a[href^='#e-'])").first
        finding.locator("summary").click()
        link = finding.locator("dd a[href^='#e-']").first
        place = link.inner_text().rpartition("/exchanges/")[2]
        row = page.locator(link.get_attribute("href") or "none")
        link.click()
        page.wait_for_timeout(200)
        assert row.locator("th").inner_text().startswith(f"exchanges/{place}")
        box, height = row.bounding_box(), page.evaluate("innerHeight")
        assert box is not None
        assert 0 <= box["y"] < height


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_link_to_an_answer_opens_what_is_folded_around_it(
    browser: Browser,
    reports: dict[str, Path],
    script: bool,  # noqa: FBT001 (a parameter)
) -> None:
    """The address of a recorded answer opens its organization, which was folded."""
    path = reports["live"] / "audit.html"
    with open_page(browser, path) as opened:
        anchors = opened.page.locator("tr[id^='e-']")
        anchor = anchors.last.get_attribute("id")
    with open_page(browser, path, f"#{anchor}", java_script_enabled=script) as opened:
        row = opened.page.locator(f"#{anchor}")
        row.wait_for(state="visible")
        assert row.locator("xpath=ancestor::details").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["violations", "hostile", "live", "hostile-live"])
def test_evidence_on_a_phone(
    browser: Browser, reports: dict[str, Path], name: str, scheme: str
) -> None:
    """Evidence, population and sample, all open, fit a phone and have no violation axe knows."""
    path = reports[name] / "audit.html"
    with open_page(browser, path, viewport=NARROW, color_scheme=scheme) as opened:
        opened.page.evaluate(OPEN_ALL)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        assert opened.page.locator("#sample table tbody tr").count() > 0
        assert violations_of(opened.page, "#evidence") == []


def test_print_opens_everything(browser: Browser, reports: dict[str, Path]) -> None:
    """In print findings, passes, key scopes and rules are open, and what repeats them is gone."""
    with open_page(browser, reports["violations"] / "audit.html") as opened:
        page = opened.page
        page.emulate_media(media="print")
        shown = "details.f dl, table.folded, .organization .cells, #criteria blockquote"
        for element in page.locator(shown).all():
            assert element.is_visible()
        for gone in ("#filter", "nav.contents", "#timeline table", "#sample table"):
            assert not page.locator(gone).first.is_visible()


def test_the_example_is_short_on_paper(browser: Browser, tmp_path: Path) -> None:
    """The bundled example takes at most 23 pages, of which the first has answer and actions."""
    report = tmp_path / "report"
    run_rules(parse_options({"report_dir": str(report)}))
    with open_page(browser, report / "audit.html") as opened:
        raw = opened.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", raw)) <= 23
        opened.page.set_viewport_size({"width": 688, "height": 1002})
        opened.page.emulate_media(media="print")
        box = opened.page.locator(".fixes > .fix").nth(4).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 1002


def _findings(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "findings.ndjson").read_text(encoding="ascii").splitlines()
    return [json.loads(line) for line in lines]


def _first(folder: Path, status: str, rule: str = "CMEK-01") -> dict[str, Any]:
    return next(
        finding
        for finding in _findings(folder)
        if finding["status"] == status and finding["rule"] == rule
    )
