"""How a collection is shown while it lasts."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from cmek_audit.progress import progress_bar, show_progress
from inventory.astra.collector import Progress

STEPS = (Progress(0, 2), Progress(1, 2, 13, "acme-[bold]\x1b[2J"), Progress(2, 2, 1_034, "acme"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_is_one_line_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a terminal the counts are printed once, on stderr, at the end."""
    with show_progress() as show:
        for step in STEPS:
            show(step)
        assert capsys.readouterr() == ("", "")
    assert capsys.readouterr() == ("", "2/2 organizations, 1,034 requests\n")


def test_a_collection_that_broke_has_no_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """A collection that ends by an error has no closing line."""

    def broken() -> None:
        with show_progress() as show:
            show(STEPS[1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a bar grows, with the counts."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with show_progress() as show:
        for step in STEPS:
            show(step)
    assert isinstance(sys.stderr, Terminal)
    last = sys.stderr.getvalue().rpartition("Reading")[2]
    assert " 2/2 organizations, 1,034 requests acme " in last


NOTE = Progress(0, 2, note="Removing .collecting-[bold]\x1b[2J-7.")


def test_notes_are_shown_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A note is printed on stderr when it comes, in a line of its own, and steers no terminal."""
    with show_progress() as show:
        show(NOTE)
        assert capsys.readouterr() == ("", "Removing .collecting-[bold]?[2J-7.\n")
        show(STEPS[2])
    assert capsys.readouterr() == ("", "2/2 organizations, 1,034 requests\n")


def test_notes_are_shown_above_a_bar() -> None:
    """On a terminal a note has a line above the bar, and is no markup."""
    console = Console(file=Terminal(), force_terminal=True, width=60, legacy_windows=False)
    with progress_bar(console) as show:
        show(NOTE)
        show(STEPS[2])
    assert isinstance(console.file, Terminal)
    shown = console.file.getvalue()
    assert "Removing .collecting-[bold]?[2J-7.\n" in shown
    assert " 2/2 organizations" in shown.rpartition("Removing")[2]


def test_names_are_shown_as_they_are_and_harm_nothing() -> None:
    """A name is no markup, and steers no terminal."""
    drawn = Terminal()
    with progress_bar(
        Console(file=drawn, force_terminal=True, width=120, color_system=None)
    ) as show:
        show(STEPS[1])
    assert "1/2 organizations, 13 requests acme-[bold]?[2J" in drawn.getvalue()
