"""``cmek-audit settings``: lists what is set by variables and files, and what is left as it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cmek_audit import parameters
from cmek_audit.console import aligned, write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.run.option_values import Options, check_each
from cmek_audit.run.options import OPTIONS
from cmek_audit.settings.given import by_their_source
from cmek_audit.settings.settings import read_settings
from inventory.errors import SettingError
from inventory.text.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cmek_audit.run.options import Option
    from cmek_audit.settings.given import Given, Value
    from cmek_audit.settings.settings import Settings

SCHEMA = "cmek-settings/1"
Data = str | bool | list[str] | None
"""A value in JSON."""

DEFAULT = "default"
"""The source of what nobody sets."""


class Row(NamedTuple):
    """One setting.

    Attributes:
        option: the option.
        value: its value as text, several as texts; None if it has none.
        source: the variable, or the file with the line; ``default`` if nobody sets it.
    """

    option: Option
    value: Data
    source: str


@click.command(context_settings=parameters.SETTINGS)
@parameters.as_json
@interruptible("nothing was listed")
def settings(*, as_json: bool) -> ExitCode:
    """List all settings, with their values and sources.

    A setting is an option of the audit that a variable gives, such as CMEK_FAIL_ON, or a file:
    cmek-audit.toml, or [tool.cmek-audit] in pyproject.toml, in the folder you are in or above it. A
    variable has priority over the file, and the command line over both. What is set for pytest, in
    [tool.pytest], is not listed.

    \b
    Exit codes:
      0  listed
      2  interrupted; nothing was listed
      3  internal error
      4  something in a variable or in the file cannot be used
    """
    found = read_settings(Path.cwd(), os.environ)
    rows = [_row(option, found.get(option.name)) for option in OPTIONS]
    problems = [*found.problems, *_problems(found)]
    if as_json:
        write_json(_as_json(found, rows, problems))
    else:
        _print(found, rows)
    write_lines("\n".join(problems), err=True)
    return ExitCode.UNUSABLE if problems else ExitCode.DONE


def _row(option: Option, given: Given | None) -> Row:
    if given is None:
        return Row(option, _as_data(Options.model_fields[option.field].default), DEFAULT)
    try:
        return Row(option, _as_data(given.spelled), given.source)
    except SettingError:
        return Row(option, _as_data(given.value), given.source)


def _as_data(value: Value | None) -> Data:
    if isinstance(value, tuple):
        return [without_secrets(text) for text in value]
    return without_secrets(value) if isinstance(value, str) else value


def _problems(found: Settings) -> Iterator[str]:
    """Yield what is wrong with single values; what does not fit together depends on the run."""
    for option in OPTIONS:
        given = found.get(option.name)
        try:
            if given is not None:
                check_each({option.field: given.spelled})
        except SettingError as error:
            yield from by_their_source(str(error), [given] if given else []).splitlines()


def _as_json(found: Settings, rows: list[Row], problems: list[str]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "file": found.file or None,
        "settings": [
            {
                "name": row.option.name,
                "variable": row.option.variable,
                "value": row.value,
                "source": row.source,
            }
            for row in rows
        ],
        "problems": [without_secrets(problem) for problem in problems],
        "exit_code": int(ExitCode.UNUSABLE if problems else ExitCode.DONE),
    }


def _print(found: Settings, rows: list[Row]) -> None:
    write_lines(f"Settings file: {found.file or 'none'}\n")
    lines = aligned((row.option.name, _shown(row.value), row.source) for row in rows)
    write_lines("\n".join(lines))


def _shown(value: Data) -> str:
    if value is None or value == []:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else value
