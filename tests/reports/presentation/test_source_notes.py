"""Notes on the sources stand beside the verdict in every report, and nothing in them runs."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cmek_audit.run import pytest_results, terminal
from cmek_audit.run.option_values import parse_options
from reports.formats import gitlab_code_quality, html, junit, markdown, sarif
from reports.formats.github_annotations import render as render_annotations
from reports.presentation.source_notes import MOST, SourceNote, first_notes, notes_on
from tests.reports.recording import RUN, SOURCE, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from inventory.model.sources import Source

    Head = Any

PLAN = SOURCE.model_copy(
    update={"path": "plan.json", "role": "plan", "notes": ("It is so.", "It holds a part.")}
)
HOSTILE = "It <img src=x onerror=alert(1)> is `a` [b](javascript:x)\n::error::c\u202e\x1b[31m."


def head_of(*sources: Source) -> Head:
    """Return the head of a record with these sources."""
    with TemporaryDirectory() as folder:
        return {**record(Path(folder), sources=sources).head, "run": RUN}


class _Writer:
    """A terminal of 80 columns that keeps what is written to it."""

    fullwidth = 80

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str = "", **_: object) -> None:
        self.lines.append(text)


def _on_the_terminal(head: Head) -> str:
    writer = _Writer()
    plugins = SimpleNamespace(has_plugin=lambda name: name == "terminalreporter")
    config: Any = SimpleNamespace(
        get_terminal_writer=lambda: writer,
        option=SimpleNamespace(verbose=0),
        pluginmanager=plugins,
        stash=pytest.Stash(),
    )
    terminal.conclude(config, parse_options({"formats": "html"}), head)
    return "\n".join(writer.lines)


def _in_the_results(head: Head) -> str:
    prefix: list[str] = []
    pytest_results.summary(prefix, head, "audit.html", 0)
    return unescape("\n".join(prefix))


def _in_junit(head: Head) -> str:
    reported: list[str] = []
    plugin = SimpleNamespace(add_global_property=lambda *pair: reported.append(": ".join(pair)))
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugins=lambda: [plugin]))
    pytest_results.mark_junit(config, head)
    return "\n".join(reported)


def _on_the_page(head: Head) -> str:
    """Return what stands on the page before its first section."""
    first, _, _ = html.render(head, []).partition("<nav")
    return unescape(re.sub(r"<[^>]+>", "", first.partition("<header")[2]))


def _in_sarif(head: Head) -> str:
    [run] = json.loads(sarif.render(head, []))["runs"]
    [invocation] = run["invocations"]
    notices = invocation["toolExecutionNotifications"]
    return "\n".join(f"{notice['level']}: {notice['message']['text']}" for notice in notices)


def _in_code_quality(head: Head) -> str:
    issues = json.loads(gitlab_code_quality.render(head, []))
    return "\n".join(f"{issue['severity']}: {issue['description']}" for issue in issues)


SHOWN: dict[str, tuple[Callable[[Head], str], str]] = {
    "terminal": (_on_the_terminal, "Note:     plan.json: {}"),
    "results.html": (_in_the_results, "<p>Note on plan.json: {}</p>"),
    "junit.xml": (_in_junit, "note: plan.json: {}"),
    "audit.html": (_on_the_page, "plan.json: {}"),
    "summary.md": (lambda head: markdown.render(head, []), "> `plan.json`: {}"),
    "render junit": (
        lambda head: unescape(junit.render(head, [])),
        '<property name="note" value="plan.json: {}"/>',
    ),
    "gl-code-quality-report.json": (
        _in_code_quality,
        "info: Note on plan.json: {}",
    ),
    "audit.sarif": (_in_sarif, "note: plan.json: {}"),
    "annotations": (
        lambda head: render_annotations(head, []),
        "::notice title=Note on plan.json::{}",
    ),
}


# --- one list -------------------------------------------------------------------------------------


def test_the_notes_of_all_sources() -> None:
    """Each note names its source, in the order of sources and of their notes."""
    assert notes_on(head_of(SOURCE, PLAN)["population"]["sources"]) == [
        SourceNote("plan.json", "It is so."),
        SourceNote("plan.json", "It holds a part."),
    ]
    assert str(SourceNote("plan.json", "It is so.")) == "plan.json: It is so."


@pytest.mark.parametrize(("count", "more"), [(0, 0), (MOST, 0), (MOST + 3, 3)])
def test_the_first_notes(count: int, more: int) -> None:
    """Beside the verdict are the first, and the number of those that are left out."""
    notes = tuple(f"It is {number}." for number in range(count))
    head = head_of(PLAN.model_copy(update={"notes": notes}))
    assert first_notes(head) == ([SourceNote("plan.json", note) for note in notes[:MOST]], more)


# --- shown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHOWN)
def test_every_report_shows_them(name: str) -> None:
    """Each note stands beside the verdict, and without notes nothing stands there."""
    show, line = SHOWN[name]
    shown = show(head_of(SOURCE, PLAN)).splitlines()
    lines = [line.format(note) for note in PLAN.notes]
    assert [line for line in shown if line in lines] == lines
    assert "plan.json" not in show(head_of(PLAN.model_copy(update={"notes": ()})))
    assert "Note" not in show(head_of(SOURCE)).replace("Nothing", "")


@pytest.mark.parametrize("name", ["terminal", "audit.html", "summary.md"])
def test_how_many_are_left_out(name: str) -> None:
    """What people read says how many notes are left out."""
    notes = tuple(f"It is {number}." for number in range(MOST + 3))
    shown = SHOWN[name][0](head_of(PLAN.model_copy(update={"notes": notes})))
    assert (f"It is {MOST - 1}." in shown, f"It is {MOST}." in shown) == (True, False)
    assert "3 more notes" in shown


@pytest.mark.parametrize("name", SHOWN)
def test_hostile_notes_are_text(name: str) -> None:
    """Whatever a note holds, it ends no line, sets no text, and cannot steer a terminal."""
    plain = PLAN.model_copy(update={"path": HOSTILE, "notes": (HOSTILE,)})
    shown = SHOWN[name][0](head_of(plain))
    assert "\x1b" not in shown
    assert not re.search(r"^::error", shown, re.MULTILINE)
    assert "\u202e" not in shown
    if name == "summary.md":
        assert not re.search(r"^[^`]*<img", shown, re.MULTILINE)


def test_hostile_notes_on_the_page() -> None:
    """Markup in a note is shown as text."""
    page = html.render(head_of(PLAN.model_copy(update={"notes": (HOSTILE,)})), [])
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_a_long_note_is_folded() -> None:
    """On a terminal a long note goes on below its beginning, without breaking an option."""
    text = f"It {'is so ' * 20}by --cmek-terraform-organization=astra=ID."
    lines = _on_the_terminal(head_of(PLAN.model_copy(update={"notes": (text,)}))).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Note:"))
    folded = [line for line in lines[start:] if line.startswith((" " * 10, "Note: "))]
    assert all(len(line) <= 80 for line in folded)
    assert " ".join(line[10:] for line in folded) == f"plan.json: {text}"
