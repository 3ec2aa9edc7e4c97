"""``cmek-audit prune``: turns old evidence bundles into a summary, and removes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.install_location import version
from inventory.errors import SettingError
from inventory.files.evidence_layout import is_folder
from inventory.pruning import plan_pruning
from inventory.pruning import prune as prune_folder
from inventory.text.display import describe, pluralize

if TYPE_CHECKING:
    from inventory.pruning import Pruning

_MEBIBYTE = 1_048_576
_MOST_NAMED = 5


@click.command(context_settings=parameters.SETTINGS)
@click.argument("folder", metavar="FOLDER")
@click.option(
    "--keep",
    metavar="N",
    type=click.IntRange(min=1),
    required=True,
    help="How many of the newest bundles to keep whole.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@parameters.quiet
@parameters.as_json
@interruptible("nothing is lost; run it again")
def prune(folder: str, keep: int, *, dry_run: bool, as_json: bool, quiet: bool) -> ExitCode:
    """Turn old evidence bundles into one summary, and remove them.

    FOLDER is a folder of evidence bundles. Its N newest bundles stay as they are. Of the older
    ones a summary is kept: the keys of each organization at each time, its databases, and the name
    and the root of each bundle. An audit that has the folder as its history finds the same as
    before. The recorded answers of the older bundles are lost: copy them elsewhere first if you
    have to keep them.

    Each bundle is checked before it is removed. A later run extends the summary.

    \b
    Exit codes:
      0  done, or nothing to do
      2  interrupted; nothing is lost
      3  internal error
      4  nothing is removed: unusable argument, damaged bundle, broken chain, or unknown file
    """
    if not is_folder(folder):
        expected = "a folder of evidence bundles"
        raise SettingError(f"{folder}: found no folder, expected {expected}")
    if dry_run:
        pruning = plan_pruning(Path(folder), keep)
    else:
        tool = f"cmek-audit {version()}"
        pruning = prune_folder(Path(folder), keep, tool, lambda text: write_lines(text, err=True))
    if as_json:
        write_json(_summary(pruning, dry_run=dry_run))
    elif not quiet:
        _print(pruning, dry_run=dry_run)
    return ExitCode.DONE


def _summary(pruning: Pruning, *, dry_run: bool) -> dict[str, Any]:
    fields = pruning._asdict() | {"dry_run": dry_run}
    return fields | {"summary": pruning.summary.as_posix() if pruning.summary else None}


def _print(pruning: Pruning, *, dry_run: bool) -> None:
    if not pruning.removed:
        write_lines(f"Nothing to prune: {pluralize(len(pruning.kept), 'bundle')} kept.")
        return
    size = f"{pluralize(pruning.files, 'file')}, {pruning.size / _MEBIBYTE:,.1f} MiB"
    write_lines(f"Summary:   {pruning.summary}")
    write_lines(f"Summed up: {_names(pruning.covered)}")
    write_lines(f"Removed:   {_names(pruning.removed)}; {size}")
    write_lines(f"Kept:      {_names(pruning.kept)}")
    if pruning.unchecked:
        names = _names(pruning.unchecked)
        write_lines(f"The answers were not here to be checked, only the inventory: {names}")
    if dry_run:
        write_lines("Nothing was changed.")


def _names(names: tuple[str, ...]) -> str:
    if not names:
        return "none"
    shown = ", ".join(map(describe, names[:_MOST_NAMED]))
    rest = f" … {describe(names[-1])}" if len(names) > _MOST_NAMED else ""
    return f"{pluralize(len(names), 'bundle')}: {shown}{rest}"
