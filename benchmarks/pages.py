"""Measures the page in a browser: ``python benchmarks/pages.py [--quick]``.

It needs the test tools and a Chromium. pytest-html's page of plain tests is the yardstick: the
machine may be shared and noisy, so only what was measured in the same run can be compared.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from compare import plain
from fleet import write_fleet
from measuring import ROOT
from suite import audit

sys.path.insert(0, str(ROOT))

from reports.formats import html
from reports.page.organizations.links import FOLDER
from reports.record.layout import FINDINGS, POPULATION
from reports.record.stored_lines import StoredLines
from tests.reports.browser import start_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FAILING = 3
"""One of so many organizations fails."""

TURNS = 3
SCREEN = 900
RECORD = "audit.json"
TESTS = 5_000
"""How many tests the yardstick has: with more, its page takes minutes to open and to print."""

TIMES = """() => [
  performance.getEntriesByName('first-contentful-paint').map((paint) => paint.startTime)[0] || 0,
  performance.getEntriesByType('navigation')[0].loadEventEnd,
]"""
SIZES = "() => [document.querySelectorAll('*').length, document.documentElement.scrollHeight]"
PRINTED = re.compile(rb"/Type\s*/Page\b")


class Measured(NamedTuple):
    """How a page opens, and how large it is.

    Attributes:
        painted: milliseconds until something is seen.
        loaded: milliseconds until the event of the loaded page has ended.
        bytes: the size of its file.
        nodes: how many elements it has.
        screens: how many screens it is high.
        printed: how many pages its print has.
    """

    painted: float
    loaded: float
    bytes: int
    nodes: int
    screens: float
    printed: int


def measure(browser: Browser, file: Path) -> Measured:
    """Open ``file`` a few times, each in a context of its own, and print it once."""
    times = [_open(browser, file) for _ in range(TURNS)]
    page = browser.new_page(viewport={"width": 1280, "height": SCREEN})
    page.set_default_timeout(600_000)
    page.goto(file.as_uri())
    nodes, height = page.evaluate(SIZES)
    printed = len(PRINTED.findall(page.pdf()))
    page.close()
    painted, loaded = (median(column) for column in zip(*times, strict=True))
    screens = height / SCREEN
    return Measured(painted, loaded, file.stat().st_size, nodes, screens, printed)


def _open(browser: Browser, file: Path) -> tuple[float, float]:
    page = browser.new_page(viewport={"width": 1280, "height": SCREEN})
    page.set_default_timeout(600_000)
    page.goto(file.as_uri())
    painted = loaded = 0.0
    while not (painted and loaded):
        # The policy of our page does not allow playwright to wait for a function.
        page.wait_for_timeout(50)
        painted, loaded = page.evaluate(TIMES)
    page.close()
    return painted, loaded


def show(name: str, page: Measured) -> None:
    """Print a line of the table of pages."""
    print(
        f"| {name} | {page.painted / 1000:.2f} s | {page.loaded / 1000:.2f} s "
        f"| {page.bytes / 1000:,.0f} kB | {page.nodes:,} | {page.screens:,.0f} "
        f"| {page.printed:,} |",
        flush=True,
    )


def rendering(name: str, reports: Path) -> str:
    """Render a page and those beside it from their record; return a line of the other table.

    It is processor time, and the templates are compiled before.
    """
    head = json.loads((reports / RECORD).read_text(encoding="utf-8"))
    lines, population = StoredLines(reports / FINDINGS), StoredLines(reports / POPULATION)
    html.render(head, lines, population=population)
    started = time.process_time()
    html.render(head, lines, population=population)
    index = time.process_time() - started
    started = time.process_time()
    beside = html.render_files(head, lines, population=population)
    sizes = [sum(len(part.encode()) for part in parts) for _, parts in beside]
    pages = time.process_time() - started
    if not sizes:
        return f"| {name} | {index:.2f} s | none | | | |"
    return (
        f"| {name} | {index:.2f} s | {len(sizes):,} | {pages:.2f} s "
        f"| {pages / len(sizes) * 1000:.1f} ms | {sum(sizes) / 1e6:.0f} MB |"
    )


def measure_fleet(browser: Browser, folder: Path, organizations: int, databases: int) -> str:
    """Measure the pages of a fleet; return its line of the other table."""
    name = f"{organizations:,} x {databases:,}"
    inventory, reports = folder / "fleet.ndjson", folder / "reports"
    write_fleet(inventory, organizations, databases, failing=FAILING)
    audit(inventory, reports)
    head = json.loads((reports / RECORD).read_text(encoding="utf-8"))
    findings = sum(head["counts"].values())
    pages = sorted((reports / FOLDER).glob("*.html")) if (reports / FOLDER).exists() else []
    what = "the index" if pages else "the page"
    show(f"{name}, {findings:,} findings: {what}", measure(browser, reports / "audit.html"))
    if pages:
        show(f"{name}: the page of an organization", measure(browser, pages[0]))
    rendered = rendering(name, reports)
    shutil.rmtree(reports)
    return rendered


def measure_plain(browser: Browser, folder: Path, tests: int) -> None:
    """Measure pytest-html's page of as many plain ``tests``."""
    plain(folder, tests)
    show(f"pytest-html, {tests:,} tests", measure(browser, folder / "plain.html"))


def main() -> None:
    """Print both tables; ``--quick`` has one small fleet."""
    quick = "--quick" in sys.argv
    fleets = ((120, 2),) if quick else ((1, 3_000), (200, 25), (500, 10), (5_000, 4))
    print("| what | first seen | loaded | size | elements | screens | printed pages |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, start_browser() as browser:
        measure_plain(browser, Path(name), TESTS // 2 if quick else TESTS)
        rows = [measure_fleet(browser, Path(name), *fleet) for fleet in fleets]
    print("\n| fleet | rendering its page | pages beside it | rendering them | each | their size |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
