"""The parameters that several commands have."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from cmek_audit.cli import COMMANDS
from cmek_audit.parameters import SettingOption, own_option_names
from cmek_audit.run.options import OPTIONS
from inventory.errors import SettingError
from tests.builders import document_data, write_text, write_yaml
from tests.cmek_audit.helpers import click_command, command, printed_json


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"audit"}))
def test_help_shows_defaults(name: str) -> None:
    """Every command but the audit, whose table states them, has its defaults in the help."""
    assert click_command(name).context_settings == {"show_default": True}


def test_every_command_prints_json() -> None:
    """Every command prints one JSON object instead by one option."""
    commands = {
        name
        for name in COMMANDS
        if "as_json" in {found.name for found in click_command(name).params}
    }
    assert commands == COMMANDS.keys()


def test_commands_that_do_something_can_be_quiet() -> None:
    """What is no result can be left out; what a command is asked to print is printed."""
    commands = {
        name for name in COMMANDS if "quiet" in {found.name for found in click_command(name).params}
    }
    assert commands == {"audit", "collect", "convert", "merge", "prune", "verify"}


def test_an_option_has_one_name_in_all_commands() -> None:
    """What is an option of the audit is called so in each command, and takes its settings.

    Left out are those that mean something else: how many bundles are verified at the same time.
    """
    names = {option.field: option for option in OPTIONS}
    own = [
        (name, found)
        for name in COMMANDS
        if name != "audit"
        for found in click_command(name).params
        if isinstance(found, click.Option) and found.name in names
        if (name, found.name) != ("verify", "jobs")
    ]
    assert {found.name for _, found in own} == {
        *("inventory", "plan", "state", "terraform_organization", "history", "as_of"),
        *("live", "evidence_dir", "kms", "executor", "report_dir", "formats", "sign_key"),
    }
    for name, found in own:
        assert isinstance(found, SettingOption), (name, found.name)
        assert names[str(found.name)].plain_flag in found.opts, (name, found.name)


@pytest.mark.parametrize("name", ["render", "waive"])
def test_the_report_of_an_audit_is_the_default(name: str) -> None:
    """Without a report, a command takes the one that an audit writes."""
    (report,) = (found for found in click_command(name).params if found.name == "report")
    assert report.default == "audit-report"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("--cmek-as-of: found 'x'", "--as-of: found 'x'"),
        ("give --cmek-terraform-organization=ID", "give --terraform-organization=ID"),
        ("--cmek-plan, --cmek-history", "--plan, --history"),
        ("--cmek-live, --cmek-planet", "--cmek-live, --cmek-planet"),
    ],
)
def test_errors_name_the_options_of_the_command(text: str, named: str) -> None:
    """An error names an option as the command has it, and one that it lacks as the audit has it."""
    with pytest.raises(SettingError) as caught, own_option_names():
        raise SettingError(text)
    assert str(caught.value) == named


# --- settings of commands -------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that is the root of a repository, with an inventory in it."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    write_yaml(tmp_path / "acme.yaml", document_data())
    return tmp_path


def test_a_command_takes_its_options_from_settings(here: Path) -> None:
    """A variable or a file gives the value of an option, and the command prints that it does."""
    write_text(here / "cmek-audit.toml", "inventory = ['acme.yaml']\nfail-on = 'high'\n")
    typed = command("keys", "--inventory=acme.yaml", "--json", environment={})
    found = command("keys", "--json", environment={})
    assert (found.exit_code, typed.stderr) == (typed.exit_code, "")
    assert found.stderr == "settings: inventory=acme.yaml from cmek-audit.toml:1\n"
    assert printed_json(found)["sources"] == printed_json(typed)["sources"]


def test_the_report_folder_of_the_settings_is_the_report(here: Path) -> None:
    """A command that reads a report looks where the audit puts it."""
    done = command("render", "markdown", environment={"CMEK_REPORT_DIR": "elsewhere"})
    assert done.exit_code == 4
    assert "settings: report-dir=elsewhere from CMEK_REPORT_DIR\n" in done.stderr
    assert "elsewhere" in done.stderr.splitlines()[-1]
    done = command("render", "markdown", "typed", environment={"CMEK_REPORT_DIR": "elsewhere"})
    assert "elsewhere" not in done.stderr


def test_settings_that_cannot_be_used_end_a_command(here: Path) -> None:
    """Everything that is wrong is named, before anything is read."""
    write_text(here / "cmek-audit.toml", "inventory = 'acme.yaml'\n")
    done = command("keys", environment={"CMEK_PLANN": "x"})
    assert (done.exit_code, done.stdout) == (4, "")
    assert [line.partition(": found")[0] for line in done.stderr.splitlines()] == [
        "cmek-audit.toml:1: inventory",
        "CMEK_PLANN",
    ]


def test_an_error_names_the_setting(here: Path) -> None:
    """An unusable value is reported by where it is set, and a typed one by its option."""
    done = command("portal", "-i", "acme.yaml", environment={"CMEK_AS_OF": "yesterday"})
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1].startswith("CMEK_AS_OF: found 'yesterday', expected a time")
    done = command("portal", "-i", "acme.yaml", "--as-of=yesterday", environment={})
    assert done.stderr.startswith("--as-of: found 'yesterday', expected a time")
    done = command("collect", environment={"CMEK_KMS": "aws,gpc"})
    assert done.stderr.splitlines()[-1].startswith("CMEK_KMS: found 'aws,gpc', expected auto,")
    done = command("collect", environment={"CMEK_EXECUTOR": "threads"})
    assert "CMEK_EXECUTOR: found 'threads', expected serial" in done.stderr


def test_commands_without_such_options_read_no_settings(here: Path) -> None:
    """What is wrong in settings is no matter of a command that takes none."""
    write_text(here / "cmek-audit.toml", "broken")
    assert command("rules", environment={}).exit_code == 0
    assert command("keys", "--help", environment={}).exit_code == 0


@pytest.mark.parametrize("words", [["keys", "-i", "acme.yaml"], ["diff", "a", "b"], ["sample"]])
def test_json_and_another_format_exclude_each_other(here: Path, words: list[str]) -> None:
    """``--json`` is ``--format json``, and cannot be two formats at once."""
    done = command(*words, "--json", "--format", "markdown", environment={})
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr == "found --json and --format markdown, expected one of them\n"


def test_json_has_two_spellings(here: Path) -> None:
    """``--json`` prints what ``--format json`` does, and both together, too."""
    words = ("keys", "-i", "acme.yaml")
    both = [
        printed_json(command(*words, *more, environment={}))
        for more in (["--json"], ["--format=json"], ["--json", "--format=json"])
    ]
    for data in both:
        del data["as_of"]
    assert both[0] == both[1] == both[2]


def test_the_nearest_word_is_suggested(here: Path) -> None:
    """A mistyped word that is one of a few ends with 4, and with the word that is meant."""
    done = command("keys", "--format=markdwn", environment={})
    assert done.exit_code == 4
    assert done.stderr.splitlines()[-1].endswith("Did you mean markdown?")


def test_organizations_are_named_once(here: Path) -> None:
    """The argument of collect is its ``--live``; both together are refused."""
    done = command("collect", "a.yaml", "--live=b.yaml", environment={})
    assert (done.exit_code, done.stderr) == (
        4,
        "--live: found ORGANIZATIONS.yaml beside it, expected one of the two\n",
    )
    done = command("collect", environment={"CMEK_LIVE": "gone.yaml"})
    assert done.exit_code == 4
    assert "gone.yaml" in done.stderr.splitlines()[-1]
    done = command("collect", "typed.yaml", environment={"CMEK_LIVE": "gone.yaml"})
    assert "typed.yaml" in done.stderr.splitlines()[-1]
