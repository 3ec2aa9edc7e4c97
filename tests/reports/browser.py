"""A browser in which pages are opened as an auditor would open them."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
OPEN_ALL = "document.querySelectorAll('details').forEach((details) => details.open = true)"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return the path of a Chromium, by ``AUDIT_CHROMIUM`` or by its usual names."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in (os.environ.get("AUDIT_CHROMIUM", ""), *names))
    return next((each for each in found if each), None)


@contextmanager
def start_browser() -> Iterator[Browser]:
    """Start a browser; without playwright the test that needs it is skipped."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield launched
        launched.close()


NEEDS_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_chromium() is None, reason="no Chromium was found, nor does AUDIT_CHROMIUM name one"
    ),
]
"""The marks of tests in a browser."""


class Opened(NamedTuple):
    """A page that is open, the addresses that were asked for, and what the page said."""

    page: Page
    requests: list[str]
    said: list[str]


@contextmanager
def open_page(browser: Browser, file: Path, anchor: str = "", **context: Any) -> Iterator[Opened]:  # noqa: ANN401 (playwright's own options)
    """Open ``file`` in a context of its own; requests for data inside the file are no requests."""
    with browser.new_context(**context) as made:
        page = made.new_page()
        opened = Opened(page, [], [])
        page.on("request", lambda request: opened.requests.append(request.url))
        page.on("console", lambda message: opened.said.append(message.text))
        page.on("pageerror", lambda error: opened.said.append(str(error)))
        page.on("dialog", lambda dialog: _dismiss(dialog, opened))
        page.goto(file.as_uri() + anchor)
        yield opened


def _dismiss(dialog: Dialog, opened: Opened) -> None:
    opened.said.append(dialog.message)
    dialog.dismiss()


def violations_of(page: Page, within: str = "html") -> list[str]:
    """Return what axe finds wrong ``within`` an element of ``page``, as rule and element."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    result = page.evaluate("(part) => axe.run(part, {resultTypes: ['violations']})", within)
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
