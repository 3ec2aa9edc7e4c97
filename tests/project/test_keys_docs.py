"""The page of the key plan says what the command does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from cmek_audit.cli import app
from cmek_audit.commands.keys import markdown, table
from cmek_audit.commands.keys.command import keys
from cmek_audit.exit_codes import ExitCode
from inventory.hypothetical import SHAPE, parse_hypothetical_databases
from reports.key_instructions.commands import TOKEN
from reports.key_instructions.terraform import Dependent
from reports.presentation.labels import CELL, NO_DATABASE
from reports.presentation.selection import PageLimits
from tests.cmek_audit.helpers import choices
from tests.cmek_audit.planning import ACME, asked

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/keys.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def rows(title: str) -> dict[str, str]:
    """Return the cells of the table whose first column has that title, by their first."""
    (table,) = re.findall(rf"^\| {title} \| .+\n\|---\|---\|\n((?:\|.+\n)+)", PAGE, re.MULTILINE)
    cells = [re.split(r" *\| *", line)[1:-1] for line in table.splitlines()]
    return {cell[0]: cell[-1] for cell in cells}


def fields(title: str) -> set[str]:
    """Return the names that the first column of a table gives."""
    return {name for cell in rows(title) for name in re.findall(r"`([a-z_-]+)`", cell)}


def commands() -> list[list[str]]:
    """Return the arguments of each call of the command that the page shows."""
    text = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    lines = (line for line in text.splitlines() if line.startswith("cmek-audit keys"))
    return [shlex.split(line.partition(" | ")[0], comments=True)[1:] for line in lines]


def test_the_example_is_what_it_prints() -> None:
    """The page shows what the command prints, to the letter."""
    (block,) = re.findall(r"^```console\n\$ (.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    typed = re.match(r"(?:.*\\\n)*.*\n", block)
    assert typed is not None
    arguments = shlex.split(typed[0].replace("\\\n", ""))[1:]
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, arguments, prog_name="cmek-audit")
    assert done.stdout == block[typed.end() :]


def test_options_are_those_of_the_command() -> None:
    """The page names each option with its short form, and every format."""
    known = {name for parameter in keys.params for name in parameter.opts}
    known -= {"-V", "--version"}  # which every command has
    documented = {name for cell in rows("option") for name in re.findall(r"`(--?[a-z-]+)`", cell)}
    assert documented == known
    formats = set(re.findall(r"`([a-z]+)`", rows("option")["`--format`, `-f`"]))
    assert formats == set(choices("keys", "format_name"))


def test_exit_codes_are_those_of_the_command() -> None:
    """The page explains each exit code in the words of the help."""
    text = CliRunner().invoke(app, ["keys", "--help"], prog_name="cmek-audit").stdout
    reported = {
        str(int(code)): words
        for code, words in re.findall(r"^    ([0-9])  (.+)$", text, re.MULTILINE)
    }
    assert rows("exit code") == reported
    assert set(map(int, reported)) == set(ExitCode) - {ExitCode.NOT_PROVEN}


def test_commands_are_well_formed() -> None:
    """Each call that the page shows has known options, and databases that can be read."""
    shown = commands()
    for arguments in shown:
        context = keys.make_context("keys", list(arguments[1:]))
        parse_hypothetical_databases(context.params["add"])
    assert len(shown) > 4
    assert SHAPE in PAGE


def test_every_field_is_explained() -> None:
    """The page explains each field of the data, of organizations, key scopes, doubts and steps."""
    _, answer = asked(*ACME, "--price", "1.00 USD")
    assert fields("field") - {"cmek-keys"} == set(answer)
    [organization] = [
        organization for organization in answer["organizations"] if organization["doubts"]
    ]
    reported = rows("field of an organization")
    assert fields("field of an organization") == set(organization)
    for name, inner in (("doubts", organization["doubts"]), ("scopes", organization["scopes"])):
        assert set(re.findall(r"`([a-z_]+)`", reported[f"`{name}`"])) == set(inner[0])
    assert fields("field of a step") == set(answer["steps"][0])
    [made, *_] = answer["commands"]
    assert fields("field of commands") == set(made)
    assert fields("field of Terraform's commands") == set(made["terraform"])
    assert fields("field of grants") == set(answer["grants"][0])
    waiting = rows("field of Terraform's commands")["`dependents`"]
    assert set(re.findall(r"`([a-z_]+)`", waiting)) == set(Dependent._fields)
    priced = set(re.findall(r"`([a-z_]+)`", rows("field")["`price`"])) - {"null"}
    assert priced == set(answer["price"])
    assert set(re.findall(r"`([a-z]+)`", rows("field")["`sources`"])) == set(answer["sources"])


def test_how_much_is_shown() -> None:
    """The page says for how many key scopes each format holds what is to be pasted."""
    reported = (
        f"first {table._MOST_COMMANDS} key scopes of each kind, Markdown for "
        f"{markdown._MOST_COMMANDS} and `audit.html` for {PageLimits().commands};"
    )
    assert reported in " ".join(PAGE.split())
    assert f"from the variable `{TOKEN}`" in " ".join(PAGE.split())


def test_every_state_is_explained() -> None:
    """The page explains each state in which a key scope can be, and no other."""
    assert set(rows("state")) == {f"`{state}`" for state in CELL if state != NO_DATABASE}
