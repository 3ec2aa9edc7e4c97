"""What a command prints can do no harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cmek_audit.cli import app
from cmek_audit.console import accept_any_character, aligned, wrapped, write_json, write_lines
from tests.astra.fleet import organization_data
from tests.builders import write_yaml
from tests.cmek_audit.helpers import FIRST

if TYPE_CHECKING:
    from pathlib import Path


def test_what_could_steer_a_terminal_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    """Escapes and marks of direction are replaced; lines stay lines."""
    write_lines("a\x1b[2Jb\nc\u202ed")
    assert capsys.readouterr() == ("a?[2Jb\nc?d\n", "")


def test_errors_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no result goes to stderr."""
    write_lines("oh", err=True)
    assert capsys.readouterr() == ("", "oh\n")


def test_tokens_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    """What looks like a token is hidden, whoever wrote it there."""
    write_lines("found " + "AstraCS:" + "not-a-real-token-0123456789")
    assert capsys.readouterr().out == "found AstraCS:(hidden)\n"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is printed in ASCII, so that no terminal and no encoding changes it."""
    write_json({"name": "acme-\x1b\u540d"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"name": "acme-\x1b\u540d"}


@pytest.fixture
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the terminal 40 columns wide."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("_narrow")
def test_ids_are_never_broken() -> None:
    """Text is folded to the terminal between words; a long id stays on one line."""
    long = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
    assert wrapped(f"Register {long} for it") == ["Register", long, "for it"]


@pytest.mark.usefixtures("_narrow")
def test_lines_after_the_first_may_hang() -> None:
    """The first line has one indent, the others another; all fit the terminal."""
    assert wrapped("1. " + "word " * 9, "  ", "     ") == [
        "  1. word word word word word word",
        "     word word word",
    ]


@pytest.mark.usefixtures("_narrow")
def test_wide_characters_take_two_columns() -> None:
    """Lines are measured in columns of the terminal, not in characters."""
    assert wrapped(" ".join(["\u540d" * 5] * 4)) == [
        " ".join(["\u540d" * 5] * 3),
        "\u540d" * 5,
    ]
    assert aligned([("\u540d\u540d", "a"), ("abc", "b")]) == ["\u540d\u540d  a", "abc   b"]


def test_markup_is_only_text() -> None:
    """Square brackets style nothing, and numbers and paths are not highlighted."""
    text = "[bold]a[/bold] /v2/kms 12 :smile:"
    assert wrapped(text) == [text]
    assert aligned([(text, "x")]) == [f"{text}  x"]


def test_each_row_is_one_line() -> None:
    """A cell cannot end its line or steer the terminal, however long it is."""
    long = "x" * 300
    assert aligned([("a\nb\x1b[2J", long), ("c", "d")]) == [f"a?b?[2J  {long}", "c        d"]
    assert aligned([]) == []


def test_any_name_can_be_printed_in_any_encoding(tmp_path: Path) -> None:
    """A name that stdout's encoding lacks is shown by number, and breaks nothing."""
    listed = [organization_data(FIRST) | {"name": "acme-\u540d"}]
    file = write_yaml(tmp_path / "o.yaml", {"cmek-organizations": 1, "organizations": listed})
    runner = CliRunner(charset="latin-1", env={FIRST.variable: None})
    done = runner.invoke(app, ["collect", file, "--evidence-dir", str(tmp_path / "e")])
    assert done.exit_code == 1
    assert "acme-\\u540d" in done.stdout.splitlines()


def test_other_streams_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stdout that is no text file of the system's is taken as it is."""
    monkeypatch.setattr("sys.stdout", None)
    accept_any_character()
