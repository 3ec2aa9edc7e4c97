"""Takes the pictures in ``docs/images`` of the bundled example: ``python benchmarks/pictures.py``.

It needs the test tools and a Chromium, which ``AUDIT_CHROMIUM`` may name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import FloatRect, Page, sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1280, 1000
MARGIN = 24


def make_report(folder: Path) -> Path:
    """Audit the bundled example, which is not compliant; return its page."""
    command = [sys.executable, "-m", "cmek_audit", "audit", f"--cmek-report-dir={folder}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 1:
        message = f"the audit ended with {done.returncode}"
        raise SystemExit(message)
    return folder / "audit.html"


def timeline_of(page: Page) -> FloatRect:
    """Return the place of the timeline, down to the end of its first organization."""
    section = page.locator("#timeline").bounding_box()
    first = page.locator("div.timeline").first.bounding_box()
    if not section or not first:
        message = "the page has no timeline"
        raise SystemExit(message)
    bottom = first["y"] + first["height"]
    return {"x": 0, "y": section["y"], "width": WIDTH, "height": bottom - section["y"] + MARGIN}


def take_pictures(file: Path) -> None:
    """Write the first screen and the timeline of a page, in the light scheme."""
    chromium = shutil.which(os.environ.get("AUDIT_CHROMIUM", "")) or shutil.which("chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(file.as_uri())
        page.screenshot(path=FOLDER / "audit.png")
        page.screenshot(path=FOLDER / "timeline.png", full_page=True, clip=timeline_of(page))
        browser.close()


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        take_pictures(make_report(Path(temporary) / "report"))
