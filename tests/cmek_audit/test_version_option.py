"""The option that shows the version."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from cmek_audit.install_location import version
from cmek_audit.version_option import version_option


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_the_version_ends_a_command(word: str) -> None:
    """The version is printed, and nothing else is done or missed."""
    command = click.Command("x", params=[version_option(), click.Argument(["needed"])])
    done = CliRunner().invoke(command, [word])
    assert (done.exit_code, done.output) == (0, f"cmek-audit {version()}\n")


def test_a_command_may_keep_its_letters() -> None:
    """A command that reads letters by itself has the long name alone."""
    assert version_option(is_long=True).opts == ["--version"]
    command = click.Command("x", params=[version_option(is_long=True)])
    assert CliRunner().invoke(command, ["-V"]).exit_code != 0


def test_completion_prints_no_version() -> None:
    """A shell that asks for completions runs no option."""
    command = click.Command("x", params=[version_option()])
    command.make_context("x", ["--version"], resilient_parsing=True)
