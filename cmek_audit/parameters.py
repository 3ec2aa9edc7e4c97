"""Parameters that several commands have, with the settings that stand in for them."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click
from click.core import ParameterSource

from inventory.errors import CmekAuditError, SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cmek_audit.settings.given import Given
    from cmek_audit.settings.settings import Settings

SETTINGS = {"show_default": True}
"""click's settings of every command: its help shows the defaults."""

_READ, _USED = "cmek_audit.settings", "cmek_audit.settings.used"
"""Where the contexts of one command line keep the settings, and those that were used."""


# --- settings -------------------------------------------------------------------------------------


def _settings(context: click.Context) -> Settings:
    """Return the settings of this command line, which are read once.

    Raises SettingError that names everything in them that cannot be used.
    """
    from cmek_audit.settings.settings import read_settings  # noqa: PLC0415 (help needs none)

    if _READ not in context.meta:
        context.meta[_READ] = read_settings(Path.cwd(), os.environ)
        context.meta[_READ].refuse_problems()
    return cast("Settings", context.meta[_READ])


def _used(context: click.Context) -> dict[str, Given]:
    return cast("dict[str, Given]", context.meta.setdefault(_USED, {}))


def _setting(context: click.Context, name: str) -> Given | None:
    """Return what is set for an option, and print that it is used: nobody typed it."""
    from cmek_audit.console import write_lines  # noqa: PLC0415 (as above)

    given = _settings(context).get(name)
    if given is not None and name not in _used(context):
        _used(context)[name] = given
        write_lines(f"settings: {given}", err=True)
    return given


def _or_setting(
    context: click.Context, name: str, found: tuple[Any, ParameterSource]
) -> tuple[Any, ParameterSource]:
    """Return what the command line gives, else what is set for the option ``name``."""
    if found[1] is ParameterSource.COMMANDLINE or context.resilient_parsing:
        return found
    given = _setting(context, name)
    return found if given is None else (given.spelled, ParameterSource.DEFAULT_MAP)


def label_of(context: click.Context, name: str) -> str:
    """Return how an error names an option: as it is typed, or by the place where it is set."""
    given = _used(context).get(name)
    return given.label if given else f"--{name}"


class SettingOption(click.Option):
    """An option of a command that is one of the audit's, too: the same settings hold for it."""

    def consume_value(
        self, ctx: click.Context, opts: Mapping[str, Any]
    ) -> tuple[Any, ParameterSource]:
        """Take the value from the command line, else from a variable, else from the file."""
        name = str(self.name).replace("_", "-")
        return _or_setting(ctx, name, super().consume_value(ctx, opts))


class SettingArgument(click.Argument):
    """An argument for which an option of the audit is set, which ``setting`` names."""

    def __init__(self, *declarations: Any, setting: str, **attributes: Any) -> None:  # noqa: ANN401 (click's)
        """Take the setting beside what click takes."""
        super().__init__(*declarations, **attributes)
        self.setting = setting

    def consume_value(
        self, ctx: click.Context, opts: Mapping[str, Any]
    ) -> tuple[Any, ParameterSource]:
        """Take the value from the command line, else from a variable, else from the file."""
        return _or_setting(ctx, self.setting, super().consume_value(ctx, opts))


class Word(click.Choice[str]):
    """One word of a few; the error about another one suggests the nearest."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:  # noqa: ANN401 (as the base)
        """Return what click says, with the nearest word."""
        from cmek_audit.suggestions import did_you_mean  # noqa: PLC0415 (help needs none)

        hint = did_you_mean(str(value), map(str, self.choices))
        return f"{super().get_invalid_choice_message(value, ctx)}{hint}"


# --- parameters -----------------------------------------------------------------------------------

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, not text.")
quiet = click.option(
    "--quiet", "-q", is_flag=True, help="Print only what is wrong; the exit code stays."
)
report = click.argument("report", cls=SettingArgument, setting="report-dir", default="audit-report")

inventory = click.option(
    "--inventory",
    "-i",
    cls=SettingOption,
    metavar="PATH",
    multiple=True,
    help="What exists: see --inventory of audit.",
)
plan = click.option(
    "--plan",
    "-p",
    cls=SettingOption,
    metavar="[NAME=]PATH",
    multiple=True,
    help="What is planned: see --plan of audit.",
)
state = click.option(
    "--state",
    "-s",
    cls=SettingOption,
    metavar="PATH",
    multiple=True,
    help="What Terraform believes to exist: see --state of audit.",
)
terraform_organization = click.option(
    "--terraform-organization",
    cls=SettingOption,
    metavar="[[NAME#]PROVIDER=]ID",
    multiple=True,
    help="See --terraform-organization of audit.",
)
evidence_dir = click.option(
    "--evidence-dir",
    cls=SettingOption,
    metavar="DIR",
    default="audit-evidence",
    help="The folder for the bundle.",
)


def choose_format(context: click.Context, format_name: str, *, as_json: bool) -> str:
    """Return the format to print, of commands that have ``--json`` beside ``--format``.

    Raises SettingError if both were given, and say different things.
    """
    if not as_json:
        return format_name
    is_given = context.get_parameter_source("format_name") is ParameterSource.COMMANDLINE
    if is_given and format_name != "json":
        raise SettingError(f"found --json and --format {format_name}, expected one of them")
    return "json"


# --- errors ---------------------------------------------------------------------------------------

_AUDIT_OPTION = re.compile(
    "--cmek-(?=(?:inventory|plan|state|terraform-organization|history|as-of)\\b)"
)
"""How an audit's options begin that these commands have, too."""


@contextmanager
def own_option_names() -> Iterator[None]:
    """Name options in errors as the command calls them, so that a correction can be pasted.

    What a variable or a file gives is named by that.
    """
    try:
        yield
    except CmekAuditError as error:
        _refuse_renamed(str(error))


def _refuse_renamed(text: str) -> NoReturn:
    from cmek_audit.settings.given import by_their_source  # noqa: PLC0415 (help needs none)

    context = click.get_current_context(silent=True)
    named = by_their_source(text, _used(context).values() if context else ())
    raise SettingError(_AUDIT_OPTION.sub("--", named)) from None
