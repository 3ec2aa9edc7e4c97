"""What a command prints can do no harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cmek_audit.cli import app
from cmek_audit.console import take_any_character, wrapped, write_json, write_lines
from inventory.text.display import pluralize
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


def test_tokens_are_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    """What looks like a token is hidden, whoever wrote it there."""
    write_lines("found " + "AstraCS:" + "not-a-real-token-0123456789")
    assert capsys.readouterr().out == "found AstraCS:(hidden)\n"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is printed in ASCII, so that no terminal and no encoding changes it."""
    write_json({"name": "acme-\x1b\u540d"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"name": "acme-\x1b\u540d"}


def test_ids_are_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is folded to the terminal between words; a long id stays on one line."""
    monkeypatch.setenv("COLUMNS", "40")
    long = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"
    assert wrapped(f"Register {long} for it") == ["Register", long, "for it"]


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 bundles"), (1, "1 bundle"), (2_000, "2,000 bundles")]
)
def test_numbers_agree_with_what_they_count(number: int, text: str) -> None:
    """One is counted in the singular, everything else in the plural."""
    assert pluralize(number, "bundle") == text


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
    take_any_character()
