"""What the command offers, how it is asked, and how it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from cmek_audit import cli
from cmek_audit.cli import COMMANDS
from tests.cmek_audit.helpers import ROOT, command

if TYPE_CHECKING:
    from pathlib import Path

CODES = {
    "audit": {0, 1, 2, 3, 4, 5},
    "collect": {0, 1, 2, 3, 4},
    "convert": {0, 2, 3, 4},
    "verify": {0, 1, 2, 3, 4, 5},
    "keys": {0, 1, 2, 3, 4},
    "merge": {0, 1, 2, 3, 4},
    "diff": {0, 1, 2, 3, 4},
    "init": {0, 1, 2, 3, 4},
    "prune": {0, 2, 3, 4},
    "render": {0, 2, 3, 4},
    "rules": {0, 3, 4},
    "settings": {0, 2, 3, 4},
    "sample": {0, 2, 3, 4},
    "schema": {0, 2, 3, 4},
    "sign": {0, 2, 3, 4},
    "package": {0, 1, 2, 3, 4},
    "portal": {0, 1, 2, 3, 4},
    "waive": {0, 2, 3, 4},
}
"""Each command with the exit codes that it can end with."""

PLAIN = {"COLUMNS": "80", "NO_COLOR": "1"}


def test_help_lists_every_command() -> None:
    """The help lists the commands, each with its first sentence in full."""
    done = command("--help", environment=PLAIN)
    assert (done.exit_code, done.stderr) == (0, "")
    listed = dict(
        re.findall(r"^  ([a-z]+)  +(.+)$", done.stdout.split("Commands:")[1], re.MULTILINE)
    )
    assert listed == {name: command.summary for name, command in COMMANDS.items()}
    assert listed.keys() == CODES.keys()
    assert _listed(done.stdout) == {"--version", "--help"}


def _listed(text: str) -> set[str]:
    """Return the long names of the options that a help lists."""
    return set(re.findall(r"^  (?:-[a-zA-Z], )?(--[a-z-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["", *CODES])
def test_help_and_version_have_their_letters_everywhere(name: str) -> None:
    """``-h`` and ``-V`` do in every command what the long options do."""
    words = [name] if name else []
    for letter, long in (("-h", "--help"), ("-V", "--version")):
        short, whole = (command(*words, word, environment=PLAIN) for word in (letter, long))
        assert (short.exit_code, short.stdout) == (0, whole.stdout)


@pytest.mark.parametrize("name", CODES)
def test_the_summary_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    """The list of commands, which imports none of them, says what the help of each says first."""
    done = command(name, "--help", environment=PLAIN)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.split("\n\n")[1].strip() == COMMANDS[name].summary


@pytest.mark.parametrize(
    ("name", "usage", "options"),
    [
        (
            "collect",
            "[OPTIONS] [ORGANIZATIONS.yaml]",
            {
                *("--live", "--evidence-dir", "--executor", "--kms", "--format"),
                *("--json", "--quiet"),
            },
        ),
        (
            "verify",
            "[OPTIONS] PATH...",
            {"--since", "--chain-only", "--jobs", "--key", "--json", "--quiet"},
        ),
        ("rules", "[OPTIONS] [RULE]", {"--json"}),
        ("settings", "[OPTIONS]", {"--json"}),
    ],
)
def test_help_of_a_command(name: str, usage: str, options: set[str]) -> None:
    """The help of a command shows how it is called, and its options."""
    done = command(name, "--help")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"Usage: cmek-audit {name} {usage}"
    assert _listed(done.stdout) == options | {"--version", "--help"}


@pytest.mark.parametrize("name", CODES)
def test_help_explains_every_exit_code(name: str) -> None:
    """The help of each command has a line for each exit code that it can end with."""
    lines = re.findall(r"^    ([0-9])  \S", command(name, "--help").stdout, re.MULTILINE)
    assert list(map(int, lines)) == sorted(CODES[name])


@pytest.mark.parametrize("name", ["", *CODES])
def test_every_command_has_its_place_in_the_documents(name: str) -> None:
    """The page of commands has a section for each command, with the codes and an example."""
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert set(re.findall(r"^## `cmek-audit ([a-z]+)`$", page, re.MULTILINE)) == CODES.keys()
    if name:
        section = page.split(f"## `cmek-audit {name}`\n")[1].split("\n## ")[0]
        codes = re.findall(r"^\| ([0-9]) \|", section, re.MULTILINE)
        assert list(map(int, codes)) == sorted(CODES[name])
        assert re.search(rf"^cmek-audit {name}\b", section, re.MULTILINE)


def test_the_version() -> None:
    """``--version`` prints the version that the project has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    done = command("--version")
    assert (done.exit_code, done.output) == (0, f"cmek-audit {project['version']}\n")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["audit", "--help"]],
    ids=["help", "version", "audit-help"],
)
def test_help_imports_little(arguments: list[str]) -> None:
    """What takes long to import is imported only by the command that needs it."""
    late = ("httpx", "jinja2", "pydantic", "pytest", "rich", "yaml")
    code = (
        "import sys; from cmek_audit.cli import app\n"
        f"try: app({arguments})\n"
        f"except SystemExit: print([name for name in {late} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


# --- arguments that cannot be used ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["colect"], "No such command 'colect'. Did you mean collect or convert?"),
        (["collect", "--dir", "here"], "No such option '--dir'."),
        (["collect", "--evidence-dir"], "Option '--evidence-dir' requires an argument."),
        (["collect", "one.yaml", "two.yaml"], "Got unexpected extra argument (two.yaml)"),
        (["verify"], "Missing argument 'PATH...'."),
    ],
)
def test_unusable_arguments(arguments: list[str], message: str) -> None:
    """A mistake in the arguments ends with 4, and says on stderr what it is."""
    done = command(*arguments)
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1] == f"Error: {message}"


def test_unusable_arguments_lead_to_the_help() -> None:
    """Who makes a mistake is told how the command is called, and where its help is."""
    assert command("verify").stderr.splitlines()[:2] == [
        "Usage: cmek-audit verify [OPTIONS] PATH...",
        "Try 'cmek-audit verify --help' for help.",
    ]


def test_nothing_asked_for() -> None:
    """Without a command there is help, on stderr, and the exit code 4: nothing was done."""
    done = command()
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.rstrip("\n") == command("--help").stdout.rstrip("\n")


def test_a_token_given_by_mistake_is_not_repeated() -> None:
    """A token in the place of an argument is not repeated by the error about it."""
    secret = "not-a-real-token-0123456789"
    for arguments in (["AstraCS:" + secret], ["collect", "AstraCS:" + secret]):
        done = command(*arguments)
        assert (done.exit_code, done.stdout) == (4, "")
        assert secret not in done.stderr


# --- the process ----------------------------------------------------------------------------------


def test_a_signal_to_terminate_is_an_interruption(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The signal by which a system ends a process is handled as Ctrl-C is."""
    handlers: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(sys, "argv", ["anything", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert handlers == {signal.SIGTERM: signal.default_int_handler}
    assert capsys.readouterr().out.startswith("Usage: cmek-audit [OPTIONS]")


def test_the_package_can_be_run(tmp_path: Path) -> None:
    """The command is there as a module, too, and finds its suite from any folder."""
    arguments = [sys.executable, "-m", "cmek_audit", "verify", "nowhere"]
    done = subprocess.run(
        arguments,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "nowhere: found nothing, expected the folder of an evidence bundle, of several, or of a "
        "report, or a package\n"
    )
