"""The parameters that several commands have."""

from __future__ import annotations

import pytest

from cmek_audit.cli import COMMANDS
from cmek_audit.parameters import own_option_names
from inventory.errors import SettingError
from tests.cmek_audit.helpers import click_command


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"audit"}))
def test_help_shows_defaults(name: str) -> None:
    """Every command but the audit, whose table states them, has its defaults in the help."""
    assert click_command(name).context_settings == {"show_default": True}


def test_commands_with_data_print_it_as_json() -> None:
    """The commands that print their data print one JSON object instead by one option."""
    commands = {
        name
        for name in COMMANDS
        if "as_json" in {found.name for found in click_command(name).params}
    }
    assert commands == {"collect", "portal", "prune", "rules", "verify"}


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
