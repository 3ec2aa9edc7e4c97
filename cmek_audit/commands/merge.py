"""``cmek-audit merge``: puts together the shards of an audit that several runs have judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cmek_audit import parameters
from cmek_audit.commands.audit import run_checks
from cmek_audit.commands.audit_options import QUIET
from cmek_audit.execution.kept_shards import KeptShards
from cmek_audit.exit_codes import interruptible
from cmek_audit.run.options import OPTIONS
from inventory.errors import ShardError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

_TAKEN = frozenset(option.name.replace("-", "_") for option in OPTIONS) - {
    *("live", "clouds", "evidence_dir", "report_dir", "formats"),
    *("jobs", "shard", "shard_dir", "sign_key"),
}
"""The options that a plan of shards may hold: by none is a server asked, or a file written."""


@click.command(context_settings=parameters.SETTINGS)
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--report-dir",
    cls=parameters.SettingOption,
    metavar="DIR",
    default="",
    help="Where the reports go; default: audit-report.",
)
@click.option(
    "--formats",
    cls=parameters.SettingOption,
    metavar="LIST",
    default="",
    help="The formats, as of an audit.",
)
@click.option(
    "--sign-key",
    cls=parameters.SettingOption,
    metavar="KEY",
    default="",
    help="Sign the report, as of an audit.",
)
@parameters.as_json
@parameters.quiet
@interruptible("there is no audit")
def merge(
    folder: str, report_dir: str, formats: str, sign_key: str, *, as_json: bool, quiet: bool
) -> int:
    """Put the shards of an audit together and write its reports.

    DIR is the folder that was given to each run as --cmek-shard-dir. The files of the audit must be
    where they were, and unchanged: they are read again, but not judged again. A shard that is
    missing, was changed, or is of another audit is named, and nothing is written.

    \b
    Exit codes:
      0  compliant, or the gate lets it pass
      1  not compliant, or compliance is not established
      2  interrupted; there is no audit
      3  internal error
      4  a shard, a file or an option cannot be used
    """
    plan = KeptShards(folder).plan()
    if plan is None:
        raise ShardError(f"{folder}: found no shards, expected those of an audit")
    given = ["merge", folder]
    words = [*_words(plan.options), f"--cmek-shard-dir={folder}", "--cmek-shard=merge"]
    options = (("report-dir", report_dir), ("formats", formats), ("sign-key", sign_key))
    for name, value in options:
        if value:
            words.append(f"--cmek-{name}={value}")
            given.append(f"--{name}={value}")
    if quiet:
        words += QUIET
    # The shards were judged by their own options: settings of this place must not change these.
    return run_checks(words, ("cmek-audit", *given), has_settings=False, as_json=as_json)


def _words(options: dict[str, JsonValue]) -> Iterator[str]:
    """Yield the options of a plan, each as one word."""
    for name, value in options.items():
        if name not in _TAKEN:
            raise ShardError(f"found {name!r} in the plan of the shards, expected its own options")
        flag = f"--cmek-{name.replace('_', '-')}"
        if value is True:
            yield flag
        else:
            yield from (f"{flag}={one}" for one in (value if isinstance(value, list) else [value]))
