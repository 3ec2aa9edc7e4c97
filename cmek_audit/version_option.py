"""The option that shows the version; it needs nothing of the suite, which is not found yet."""

from __future__ import annotations

import click

from cmek_audit import install_location


def version_option(*, is_long: bool = False) -> click.Option:
    """Return the option that shows the version, of the group and of each of its commands.

    A command that reads letters by itself takes only the long name.
    """
    return click.Option(
        ["--version"] if is_long else ["--version", "-V"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help=f"Show the version and exit{'; also -V' if is_long else ''}.",
    )


def _show_version(context: click.Context, _: click.Parameter, is_given: bool) -> None:  # noqa: FBT001 (click's)
    if is_given and not context.resilient_parsing:
        click.echo(f"cmek-audit {install_location.version()}")
        context.exit()
