"""The group of commands: found by name, imported late, and ended with their exit code."""

from __future__ import annotations

import sys

import click
import pytest
from click.testing import CliRunner

from cmek_audit.command_group import CommandGroup, LazyCommand

LAZY = {
    "one": LazyCommand("tests.cmek_audit.lazy_command", "Do one thing."),
    "absent": LazyCommand("tests.cmek_audit.no_such_module", "Cannot be imported."),
}


@click.group("group", cls=CommandGroup, lazy=LAZY)
def group() -> None:
    """Group commands."""


def test_a_command_is_imported_when_it_is_asked_for() -> None:
    """The list of commands imports none of them; a command imports its own module only."""
    module = LAZY["one"].module
    sys.modules.pop(module, None)
    listed = CliRunner().invoke(group, ["--help"])
    assert "one     Do one thing." in listed.stdout
    assert module not in sys.modules
    done = CliRunner().invoke(group, ["one"])
    assert (done.exit_code, done.stdout) == (1, "one is done\n")
    assert module in sys.modules


def test_a_module_that_cannot_be_imported_is_an_internal_error() -> None:
    """A row of the table that leads nowhere is a mistake of the program."""
    assert CliRunner().invoke(group, ["absent"]).exit_code == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [("ono", "No such command 'ono'. Did you mean one?"), ("x", "No such command 'x'.")],
)
def test_an_unknown_command(name: str, message: str) -> None:
    """A command that does not exist ends with 4, and similar names are suggested."""
    done = CliRunner().invoke(group, [name])
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (4, f"Error: {message}")


def test_an_interruption_of_the_very_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption before any command has begun ends with 2, too, and without a traceback."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(click.Group, "main", interrupted)
    done = CliRunner().invoke(group, ["one"])
    assert (done.exit_code, done.output) == (2, "Interrupted.\n")


@pytest.mark.parametrize("width", range(40, 100))
def test_help_breaks_no_name_at_its_hyphen(width: int) -> None:
    """A name with a hyphen is on one line of the help, whatever the width, so it can be copied."""
    explained = click.Option(
        ["--way"], help="take lane-one, lane-two or lane-three of cmek-audit[x]"
    )
    command = click.Command("two", help="Do two-sided things.", params=[explained])
    two = CommandGroup(name="group", lazy={})
    shown = two.make_context("group", ["--help"], resilient_parsing=True).make_formatter()
    with click.Context(command, terminal_width=width) as context:
        shown.width = width
        command.format_help(context, shown)
    lines = shown.getvalue().splitlines()
    assert [line for line in lines if line.endswith("-")] == []
    assert "\ue000" not in shown.getvalue()
