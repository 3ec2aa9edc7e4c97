"""What the command offers, how it is asked, and how it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from cmek_audit import cli
from cmek_audit.exit_codes import Code, Commands
from tests.cmek_audit.helpers import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODES = {
    "audit": {0, 1, 2, 3, 4, 5},
    "collect": {0, 1, 2, 3, 4},
    "verify": {0, 1, 2, 3, 4, 5},
    "keys": {0, 1, 2, 3, 4},
    "diff": {0, 1, 2, 3, 4},
    "render": {0, 2, 3, 4},
    "rules": {0, 3, 4},
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
    assert listed == {
        "audit": "Audit: judge an inventory by all rules, and write the reports.",
        "collect": "Read organizations live, and record every answer.",
        "verify": "Prove evidence and reports: make them again and compare.",
        "keys": "Tell which keys are needed, registered, missing and idle.",
        "diff": "Compare two audits: what is new, reopened, fixed or gone.",
        "render": "Make a report of any format from the record of an audit.",
        "rules": "List the rules, or show one in full.",
        "waive": "Ask for a waiver of one finding that fails.",
    }
    assert listed.keys() == CODES.keys()
    assert set(re.findall(r"^  (--[a-z-]+)", done.stdout, re.MULTILINE)) == {
        "--version",
        "--install-completion",
        "--show-completion",
        "--help",
    }


@pytest.mark.parametrize("name", ["", *CODES])
def test_help_is_as_it_was(name: str, golden: Callable[[str, str], None]) -> None:
    """The help of the command, and of each of its commands, has not changed unnoticed."""
    done = command(*filter(None, [name]), "--help", environment=PLAIN)
    assert (done.exit_code, done.stderr) == (0, "")
    golden(f"help-{name}.txt" if name else "help.txt", done.stdout)


@pytest.mark.parametrize(
    ("name", "usage", "options"),
    [
        ("collect", "[OPTIONS] [ORGANIZATIONS.yaml]", {"--evidence-dir", "--json", "--help"}),
        ("verify", "[OPTIONS] {PATH}...", {"--json", "--help"}),
        ("rules", "[OPTIONS] [RULE]", {"--json", "--help"}),
    ],
)
def test_help_of_a_command(name: str, usage: str, options: set[str]) -> None:
    """The help of a command shows how it is called, and its options."""
    done = command(name, "--help")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"Usage: cmek-audit {name} {usage}"
    assert set(re.findall(r"^  (--[a-z-]+)", done.stdout, re.MULTILINE)) == options


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
    """``--version`` tells the version that the project has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    done = command("--version")
    assert (done.exit_code, done.output) == (0, f"cmek-audit {project['version']}\n")


def test_exit_codes_mean_what_those_of_pytest_mean() -> None:
    """Done, not done, interrupted, broken and unusable have pytest's numbers.

    So has what is not proven: to pytest, its number says that nothing was tested.
    """
    pytests = (
        pytest.ExitCode.OK,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.INTERRUPTED,
        pytest.ExitCode.INTERNAL_ERROR,
        pytest.ExitCode.USAGE_ERROR,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    )
    assert [int(code) for code in Code] == [int(code) for code in pytests]


def test_help_imports_no_part_of_the_suite() -> None:
    """What takes long to import is imported only by the command that needs it."""
    late = ("inventory", "checks", "reports", "httpx", "pytest", "pydantic", "rich")
    code = f"import sys, cmek_audit.cli; print([each for each in {late} if each in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# --- arguments that cannot be used ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["colect"], "No such command 'colect'. Did you mean 'collect'?"),
        (["collect", "--dir", "here"], "No such option: --dir"),
        (["collect", "--evidence-dir"], "Option '--evidence-dir' requires an argument."),
        (["collect", "one.yaml", "two.yaml"], "Got unexpected extra argument(s) (two.yaml)"),
        (["verify"], "Missing argument 'PATH'."),
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
        "Usage: cmek-audit verify [OPTIONS] {PATH}...",
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


# --- other ends -----------------------------------------------------------------------------------


def _app(end: object) -> typer.Typer:
    app = typer.Typer(cls=Commands, pretty_exceptions_enable=False)

    @app.command()
    def one() -> object:
        if isinstance(end, BaseException):
            raise end
        return end

    @app.command()
    def other() -> None:
        """Make the first one a command by name."""

    return app


@pytest.mark.parametrize("code", sorted(Code))
def test_commands_return_their_exit_code(code: Code) -> None:
    """What a command returns is the exit code of the process."""
    assert CliRunner().invoke(_app(code), ["one"]).exit_code == code


def test_a_command_without_a_code_is_broken() -> None:
    """A command that forgets to say how it ended has not succeeded."""
    assert CliRunner().invoke(_app(None), ["one"]).exit_code == 3


def test_internal_errors_keep_their_words_to_themselves() -> None:
    """A mistake of the program ends with 3, and shows where and what, but no values."""
    done = CliRunner().invoke(_app(ZeroDivisionError("a value")), ["one"])
    assert (done.exit_code, done.stdout) == (3, "")
    assert "test_cli.py" in done.stderr
    assert "Internal error: ZeroDivisionError, a mistake of cmek-audit" in done.stderr
    assert "a value" not in done.stderr


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "a.yaml"), "a.yaml: Permission denied\n"),
        (OSError(28, "No space left on device"), "The system: No space left on device\n"),
    ],
)
def test_what_the_system_refuses(error: OSError, message: str) -> None:
    """What the system refuses ends with 4, and names the file if there is one."""
    done = CliRunner().invoke(_app(error), ["one"])
    assert (done.exit_code, done.stdout, done.stderr) == (4, "", message)


def test_an_interruption_that_no_command_explains() -> None:
    """Interrupted where no command says what that means, the process ends with 2 all the same."""
    done = CliRunner().invoke(_app(KeyboardInterrupt()), ["one"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Interrupted."


def test_an_interruption_of_the_very_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption before any command is begun ends with 2, too, and without a traceback."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("typer.core.TyperGroup.main", interrupted)
    done = CliRunner().invoke(_app(0), ["one"])
    assert (done.exit_code, done.output) == (2, "Interrupted.\n")


def test_being_told_to_end_is_an_interruption(
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
        "report\n"
    )
