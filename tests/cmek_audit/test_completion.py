"""What a shell is told when it asks how a word could go on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, get_args

import pytest

from checks.engine.card import SEVERITIES
from checks.engine.catalogue import load_rules
from cmek_audit import cli
from cmek_audit.run.options import OPTIONS
from reports.formats.registry import RENDERABLE, WRITABLE
from tests.builders import write_text
from tests.cmek_audit.helpers import ROOT, command
from tests.cmek_audit.test_cli import CODES

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

RULES = [rule.card for rule in load_rules()]
SHELLS = ("bash", "zsh", "fish")


def ask(shell: str, line: str, **more: str) -> Result:
    """Ask as ``shell`` does, for the last word of ``line``."""
    words = line.split(" ")
    told = {
        "_CMEK_AUDIT_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COLUMNS": "40",
        **more,
    }
    return command(environment=told)


def offered(shell: str, line: str) -> list[str]:
    """Return the words that ``shell`` would offer, without their explanations."""
    done = ask(shell, line)
    assert (done.exit_code, done.stderr) == (0, "")
    if shell == "zsh":
        return re.findall(r'^(?:_arguments \'\*: :\(\()?"((?:[^"])+)"', done.stdout, re.MULTILINE)
    return [splitline.split("\t")[0] for splitline in done.stdout.splitlines() if splitline]


CASES: dict[str, list[str]] = {
    "cmek-audit ": [*CODES],
    "cmek-audit re": ["render"],
    "cmek-audit audit --cmek-": [option.flag for option in OPTIONS],
    "cmek-audit audit -q --cmek-fail-on ": [*SEVERITIES],
    "cmek-audit audit --cmek-fail-on m": ["medium"],
    "cmek-audit audit --cmek-formats ": [*WRITABLE],
    "cmek-audit audit --cmek-formats json,s": [
        f"json,{name}" for name in WRITABLE if name.startswith("s")
    ],
    "cmek-audit keys --format ": [*get_args(cli.KeysFormat)],
    "cmek-audit diff --format ": [*get_args(cli.DiffFormat)],
    "cmek-audit render ": [*RENDERABLE],
    "cmek-audit rules ": [card.id for card in RULES],
    "cmek-audit rules CMEK-1": [card.id for card in RULES if card.id.startswith("CMEK-1")],
    "cmek-audit verify --j": ["--json"],
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", CASES)
def test_what_is_offered(shell: str, line: str) -> None:
    """Commands, options, formats and rules are offered, all that fit and no others."""
    assert sorted(offered(shell, line)) == sorted(CASES[line])


@pytest.mark.parametrize("line", ["cmek-audit audit --cmek-plan ", "cmek-audit verify "])
def test_files_are_left_to_the_shell(line: str) -> None:
    """Where a file is wanted nothing is offered, so that the shell offers its files."""
    assert offered("bash", line) == []
    assert ask("zsh", line).stdout == "_files\n"
    assert ask("fish", line, _TYPER_COMPLETE_FISH_ACTION="is-args").exit_code == 1


def test_words_are_explained() -> None:
    """The shells that show explanations get them, each in one line however narrow it is there."""
    line = "cmek-audit rules CMEK-0"
    told = [(card.id, card.title) for card in RULES if card.id.startswith("CMEK-0")]
    fish = ask("fish", line).stdout.splitlines()
    assert [tuple(each.split("\t")) for each in fish] == told
    zsh = re.findall(r'"(.+?)":"(.+?)"', ask("zsh", line).stdout)
    assert [(each, words) for each, words in zsh] == told
    assert ask("bash", line).stdout.split() == [name for name, _ in told]


def test_an_unfinished_line_is_no_error() -> None:
    """What stands before the word may be wrong: the rest is offered all the same."""
    assert offered("bash", "cmek-audit audit --cmek-nothing --cmek-rep") == ["--cmek-report-dir"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script(shell: str) -> None:
    """``source_`` prints the script by which a shell asks this very command."""
    done = ask(shell, "cmek-audit ", _CMEK_AUDIT_COMPLETE=f"source_{shell}")
    assert done.exit_code == 0
    assert set(re.findall(r"\w+_COMPLETE=\w+", done.stdout)) == {
        f"_CMEK_AUDIT_COMPLETE=complete_{shell}"
    }


def test_the_script_of_bash_works(tmp_path: Path) -> None:
    """A bash that has read the script offers what the command does."""
    script = ask("bash", "cmek-audit ", _CMEK_AUDIT_COMPLETE="source_bash").stdout
    start = tmp_path / "cmek-audit"
    write_text(start, f'#!/bin/sh\nexec "{sys.executable}" -m cmek_audit "$@"\n')
    start.chmod(0o755)
    line = "COMP_WORDS=(cmek-audit rules CMEK-1) COMP_CWORD=2; _cmek_audit_completion cmek-audit"
    done = subprocess.run(
        ["bash", "--norc", "-c", f'{script}\n{line}; printf "%s\\n" "${{COMPREPLY[@]}}"'],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == CASES["cmek-audit rules CMEK-1"]


def test_an_unknown_shell_is_told_so() -> None:
    """A shell that is not known is refused."""
    done = ask("acme", "cmek-audit ")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "Shell acme not supported.\n")


def _shell(patch: pytest.MonkeyPatch, name: str) -> None:
    patch.setattr("typer._completion_shared._get_shell_name", lambda: name)
    patch.setattr("typer.completion._get_shell_name", lambda: name)


def test_completion_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--show-completion`` prints the script for the shell from which it is asked."""
    _shell(monkeypatch, "fish")
    done = command("--show-completion")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("complete --command cmek-audit ")


def test_completion_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--install-completion`` adds the script to the user's own, and nothing else."""
    _shell(monkeypatch, "bash")
    done = command("--install-completion", environment={"HOME": str(tmp_path)})
    script = tmp_path / ".bash_completions" / "cmek-audit.sh"
    assert (done.exit_code, done.stderr) == (0, "")
    assert {each for each in tmp_path.rglob("*") if each.is_file()} == {
        script,
        tmp_path / ".bashrc",
    }
    assert (tmp_path / ".bashrc").read_text().split() == ["source", f"'{script}'"]
    assert "_CMEK_AUDIT_COMPLETE=complete_bash" in script.read_text()


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
def test_no_shell_that_is_known(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a shell that is not known, the options of completion end with 1 and change nothing."""
    _shell(monkeypatch, "acme")
    done = command(option, environment={"HOME": str(tmp_path)})
    assert (done.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert re.fullmatch(r"Shell acme (is )?not supported.\n", done.output)
