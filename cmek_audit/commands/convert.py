"""``cmek-audit convert``: writes an inventory in NDJSON or Parquet, which are for large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.conversion import convert as convert_inventory
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping


_COUNTED = ("organizations", "keys", "databases")


@click.command(context_settings=parameters.SETTINGS)
@click.argument("inventory", metavar="INPUT")
@click.argument("output")
@click.option(
    "--shards",
    type=click.IntRange(min=1, max=10_000),
    default=1,
    metavar="N",
    help="How many files of Parquet to write; fewer if there are fewer organizations.",
)
@parameters.quiet
@parameters.as_json
@interruptible("nothing was written")
def convert(inventory: str, output: str, shards: int, *, as_json: bool, quiet: bool) -> ExitCode:
    """Convert an inventory into NDJSON or Parquet.

    INPUT is an inventory of any format: YAML, JSON, NDJSON, Parquet, or an evidence bundle. OUTPUT
    is a file that ends in .ndjson, or a new folder for Parquet. Nothing is overwritten. Parquet
    needs DuckDB: pip install 'cmek-audit[parquet]'.

    The inventory says the same in each format, and is judged alike. It is read as a stream where
    its format allows. The recorded answers of a bundle are not copied.

    \b
    Exit codes:
      0  the inventory was written
      2  interrupted; nothing was written
      3  internal error
      4  unusable input or option
    """
    counts = convert_inventory(inventory, output, shards)
    if as_json:
        write_json({"output": output, **{name: counts[name] for name in _COUNTED}})
    elif not quiet:
        _print(output, counts)
    return ExitCode.DONE


def _print(output: str, counts: Mapping[str, int]) -> None:
    parts = [pluralize(counts[name], name.removesuffix("s")) for name in _COUNTED]
    write_lines(f"{output}: {', '.join(parts)}")
