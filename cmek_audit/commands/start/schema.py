"""``cmek-audit schema``: the JSON Schemas, for editors and for programs that read a record."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from cmek_audit import parameters
from cmek_audit.commands.start.editor_schemas import SCHEMAS
from cmek_audit.commands.start.placing import replace
from cmek_audit.console import aligned, write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.errors import SettingError
from inventory.files.suggestions import did_you_mean
from inventory.text.display import describe

if TYPE_CHECKING:
    from cmek_audit.commands.start.editor_schemas import Schema

_OWN = "urn:cmek-audit:"
"""How the addresses of the suite's schemas begin."""


def _complete_name(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    found = (row for name, row in SCHEMAS.items() if name.startswith(incomplete))
    return [CompletionItem(row.name, help=row.purpose) for row in found]


@click.command(context_settings=parameters.SETTINGS)
@click.argument("name", metavar="[NAME]", default="", shell_complete=_complete_name)
@click.option("--output", "-o", metavar="FILE", default="-", help="The file to write; - prints.")
@parameters.as_json
@interruptible("nothing unfinished is left behind")
def schema(name: str, output: str, *, as_json: bool) -> ExitCode:
    """List the JSON Schemas, or print one.

    NAME is a schema of the list. An editor that knows the schema of a file completes its fields and
    marks mistakes: write the schema into a file, and name that file in the first line of yours, as
    in "# yaml-language-server: $schema=inventory.schema.json".

    \b
    Exit codes:
      0  printed
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  no such schema, or a file that cannot be written
    """
    if name:
        _write(_find(name).path.read_bytes(), output)
    elif output != "-":
        raise SettingError(f"--output: found {output} without NAME, expected the name of a schema")
    elif as_json:
        write_json({"schemas": [_data(row) for row in SCHEMAS.values()]})
    else:
        rows = [(row.name, row.address, row.purpose) for row in SCHEMAS.values()]
        write_lines("\n".join(aligned(rows)))
    return ExitCode.DONE


def _find(name: str) -> Schema:
    row = SCHEMAS.get(name.lower())
    if row is None:
        expected = f"one of {', '.join(SCHEMAS)}{did_you_mean(name, SCHEMAS)}"
        raise SettingError(f"NAME: found {describe(name)}, expected {expected}")
    return row


def _data(row: Schema) -> dict[str, Any]:
    return {"name": row.name, "id": row.address, "file": str(row.path), "purpose": row.purpose}


def _write(content: bytes, output: str) -> None:
    if output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    target = Path(output)
    if target.exists() and not _is_own_schema(target):
        found = "a folder" if target.is_dir() else "a file that is no schema of this suite"
        raise SettingError(f"--output: found {output} ({found}), expected a new file")
    replace(target, content)
    write_lines(f"Written: {output}")


def _is_own_schema(path: Path) -> bool:
    """Return whether a file is a schema of the suite, of whatever version: it can be replaced."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and str(data.get("$id", "")).startswith(_OWN)
