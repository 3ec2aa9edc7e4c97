"""``cmek-audit render``: makes a report of any format from the record of an audit."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cmek_audit import parameters
from cmek_audit.console import write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.errors import LeakError, SettingError
from inventory.files.suggestions import did_you_mean
from inventory.text.display import describe
from inventory.text.secrets import holds_secret
from reports.formats.registry import RENDERABLE, encode
from reports.record.reader import read_record, relying_on

if TYPE_CHECKING:
    from reports.formats.registry import Format
    from reports.model.head import Head
    from reports.record.reader import Record


@click.command(context_settings=parameters.SETTINGS)
@click.argument(
    "format_name", metavar=f"[{'|'.join(RENDERABLE)}]", type=click.Choice([*RENDERABLE])
)
@parameters.report
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    default="-",
    help="The file to write; - prints the report.",
)
@click.option(
    "--organization",
    metavar="NAME",
    default="",
    help="Make html of this organization alone, by its name or id.",
)
@interruptible("nothing unfinished is left behind")
def render(format_name: str, report: str, output: str, organization: str) -> ExitCode:
    """Make a report of any format from the record of an audit.

    REPORT is a report folder or its audit.json; without it, audit-report. The record is audit.json
    with findings.ndjson beside it. It is checked before it is used. Nothing is judged again.

    \b
    Exit codes:
      0  made
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  no record, a changed one, or a file that cannot be written
    """
    record = read_record(report)
    target = None if output == "-" else _target(output, record)
    content = _render(format_name, record, organization)
    if target is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return ExitCode.DONE
    try:
        _replace(target, content)
    except OSError as error:
        raise _refused(output, str(error.strerror)) from None
    write_lines(f"Written: {output}")
    return ExitCode.DONE


def _target(output: str, record: Record) -> Path:
    """Return the file to write; it must not be one of those that are read."""
    path = Path(output)
    if any(path.resolve() == file.resolve() or _is_same(path, file) for file in record.files):
        raise _refused(output, "the record itself")
    if path.is_dir():
        raise _refused(output, "a folder")
    return path


def _is_same(path: Path, other: Path) -> bool:
    """Return whether both are one file, by whatever links."""
    return path.exists() and path.samefile(other)


def _refused(output: str, found: str) -> SettingError:
    return SettingError(f"--output: found {output} ({found}), expected a file to write to")


def _render(name: str, record: Record, organization: str) -> bytes:
    row, lines, population = RENDERABLE[name], record.lines(), record.population_lines()
    with relying_on(record):
        if organization:
            identity = _identify(row, record.head, organization)
            text = row.render_organization(record.head, lines, population, identity)
        else:
            text = row.render(record.head, lines, population)
        content = encode(text)
    if holds_secret(content):
        raise LeakError([record.path])
    return content


def _identify(row: Format, head: Head, organization: str) -> str:
    """Return the id of the one organization with that name or id."""
    if not row.folder:
        formats = " or ".join(name for name, other in RENDERABLE.items() if other.folder)
        raise SettingError(f"--organization: found it with {row.name}, expected {formats}")
    names = {entry["id"]: entry["name"] for entry in head["population"]["organizations"]}
    # An id is unique; a name may be that of several, or be the id of another one.
    if organization in names:
        return organization
    found = [key for key, name in names.items() if name == organization]
    if len(found) == 1:
        return found[0]
    if found:
        expected = f"an id, as {len(found):,} organizations have this name"
    else:
        expected = f"an organization of the report{did_you_mean(organization, names.values())}"
    raise SettingError(f"--organization: found {describe(organization)}, expected {expected}")


def _replace(target: Path, content: bytes) -> None:
    """Write a file beside and rename it, so that nothing unfinished is left behind."""
    beside = target.with_name(f".{target.name}.writing-{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(target)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
