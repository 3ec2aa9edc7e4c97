"""What a shell gets when it asks for completions of a word."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from checks.engine.card import SEVERITIES
from checks.engine.catalogue import load_rules
from cmek_audit.run.options import OPTIONS
from reports.formats.registry import WRITABLE
from tests.builders import write_text
from tests.cmek_audit.helpers import ROOT, choices, command
from tests.cmek_audit.test_cli import CODES

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

RULES = [rule.card for rule in load_rules()]
SHELLS = ("bash", "zsh", "fish")


def ask(shell: str, line: str, instruction: str = "complete") -> Result:
    """Ask as ``shell`` does, for the last word of ``line``."""
    words = line.split(" ")
    asked = {
        "_CMEK_AUDIT_COMPLETE": f"{shell}_{instruction}",
        # fish sends the words before the last one apart from it.
        "COMP_WORDS": line if shell != "fish" else " ".join([*words[:-1], ""]),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
        "COLUMNS": "40",
    }
    return command(environment=asked)


def completions(shell: str, line: str) -> list[tuple[str, str, str]]:
    """Return the type, the value and the explanation of each word that ``shell`` would offer."""
    done = ask(shell, line)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    if shell == "bash":
        return [(kind, value, "") for kind, _, value in (text.partition(",") for text in lines)]
    if shell == "zsh" or (lines and lines[0] in {"plain", "file", "dir"}):
        return list(zip(lines[::3], lines[1::3], lines[2::3], strict=True))
    parts = (text.replace(",", "\t", 1).split("\t") for text in lines)
    return [(kind, value, "".join(more)) for kind, value, *more in parts]


def offered(shell: str, line: str) -> list[str]:
    """Return the words that ``shell`` would offer."""
    return [value for _, value, _ in completions(shell, line)]


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
    "cmek-audit keys --format ": choices("keys", "format_name"),
    "cmek-audit diff --format ": choices("diff", "format_name"),
    "cmek-audit portal --form=": choices("portal", "form_name"),
    "cmek-audit sample --kind ": choices("sample", "kind"),
    "cmek-audit sample --format ": choices("sample", "format_name"),
    "cmek-audit render ": choices("render", "format_name"),
    "cmek-audit rules ": [card.id for card in RULES],
    "cmek-audit rules CMEK-1": [card.id for card in RULES if card.id.startswith("CMEK-1")],
    "cmek-audit verify --js": ["--json"],
    "cmek-audit collect --format ": choices("collect", "format_name"),
    "cmek-audit collect --kms ": ["auto", "none", "aws", "gcp", "azure"],
    "cmek-audit collect --kms aws,g": ["aws,gcp"],
    "cmek-audit audit --cmek-kms ": ["auto", "recorded", "none", "aws", "gcp", "azure"],
    "cmek-audit audit --cmek-kms gcp,a": ["gcp,auto", "gcp,aws", "gcp,azure"],
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", CASES)
def test_what_is_offered(shell: str, line: str) -> None:
    """Commands, options, formats and rules are offered, all that fit and no others."""
    assert sorted(offered(shell, line)) == sorted(CASES[line])


@pytest.mark.parametrize("option", ["--cmek-plan", "--cmek-report-dir"])
def test_files_are_left_to_the_shell(option: str) -> None:
    """Where an option takes a path, the shell is asked to offer its files."""
    for shell in ("bash", "zsh"):
        ((kind, value, _),) = completions(shell, f"cmek-audit audit {option} a")
        assert (kind, value) == ("file", "a")


def test_words_are_explained() -> None:
    """The shells that show explanations get them, each in one line however narrow it is there."""
    titles = [("plain", card.id, card.title) for card in RULES if card.id.startswith("CMEK-0")]
    assert completions("zsh", "cmek-audit rules CMEK-0") == titles


def test_an_unfinished_line_is_no_error() -> None:
    """What stands before the word may be wrong: the rest is offered all the same."""
    assert offered("bash", "cmek-audit audit --cmek-nothing --cmek-rep") == ["--cmek-report-dir"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script(shell: str) -> None:
    """``_source`` prints the script by which a shell asks this very command."""
    done = ask(shell, "cmek-audit ", "source")
    assert done.exit_code == 0
    assert set(re.findall(r"\w+_COMPLETE=\w+", done.stdout)) == {
        f"_CMEK_AUDIT_COMPLETE={shell}_complete"
    }


def test_the_script_of_bash_works(tmp_path: Path) -> None:
    """A bash that has read the script offers what the command does."""
    script = ask("bash", "cmek-audit ", "source").stdout
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


def test_an_unknown_shell_gets_nothing() -> None:
    """A shell that is not known ends with 1."""
    done = ask("acme", "cmek-audit ")
    assert (done.exit_code, done.output) == (1, "")
