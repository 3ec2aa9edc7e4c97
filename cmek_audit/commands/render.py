"""``cmek-audit render``: makes a report of any format from the record of an audit."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.errors import LeakError, SettingError
from inventory.files.suggestions import did_you_mean
from inventory.text.display import describe
from inventory.text.searched_files import SearchedFiles
from reports.formats.registry import FOLDERS, RENDERABLE, encode
from reports.record.reader import read_record, relying_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.formats.registry import Format
    from reports.model.head import Head
    from reports.record.reader import Record
    from reports.record.stored_lines import StoredLines


_FORMATS = f"Formats: {', '.join(RENDERABLE)}."


@click.command(context_settings=parameters.SETTINGS, epilog=_FORMATS)
@click.argument("format_name", metavar="FORMAT", type=parameters.Word([*RENDERABLE]))
@parameters.report
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    default="-",
    help="The file to write, or the folder for a format of several files; - prints the report.",
)
@click.option(
    "--organization",
    metavar="NAME",
    default="",
    show_default=False,
    help="Make the report of this organization alone, by its name or id.",
)
@parameters.as_json
@interruptible("nothing unfinished is left behind")
def render(
    format_name: str, report: str, output: str, organization: str, *, as_json: bool
) -> ExitCode:
    """Make a report of any format from the record of an audit.

    FORMAT is one of those below. REPORT is a report folder or its audit.json; without it,
    audit-report. The record is audit.json with findings.ndjson beside it. It is checked before it
    is used. Nothing is judged again.

    json is the record itself, and results is written by an audit only.

    \b
    Exit codes:
      0  made
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  no record, a changed one, or a file that cannot be written
    """
    row, record = RENDERABLE[format_name], read_record(report)
    rendering = _Rendering(row, record, _identify(row, record.head, organization))
    if output == "-":
        if as_json:
            raise SettingError("--json: found no --output, expected it: stdout has the report")
        return _print(rendering)
    target = _target(output, rendering)
    try:
        with tempfile.TemporaryDirectory(prefix=".cmek-audit-", dir=target.parent) as staging:
            _write(rendering, Path(staging))
            is_written = _move(rendering, Path(staging), target)
    except OSError as error:
        raise _refused(output, str(error.strerror), rendering) from None
    if as_json:
        written = {"written": output} if is_written else {"written": None, "reason": row.no_file}
        write_json({"format": row.name, "report": record.head["report"], **written})
    else:
        write_lines(f"Written: {target}" if is_written else f"Not written: {target}: {row.no_file}")
    return ExitCode.DONE


class _Rendering(NamedTuple):
    """What is made: a format of a record, maybe of one organization alone, by its id."""

    row: Format
    record: Record
    organization: str

    @property
    def is_folder(self) -> bool:
        """Return whether several files are made, in a folder."""
        return not self.row.file and bool(self.row.folder) and not self.organization

    def files(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Yield the name and the blocks of each file."""
        head, lines, population = self._parts()
        if self.organization:
            text = self.row.render_organization(head, lines, population, self.organization)
            yield "report", [encode(text)]
        elif self.is_folder:
            yield from self.row.render_inside(head, lines, population)
        else:
            yield "report", self.row.render_blocks(head, lines, population)

    def _parts(self) -> tuple[Head, StoredLines, StoredLines]:
        return self.record.head, self.record.lines(), self.record.population_lines()


def _print(rendering: _Rendering) -> ExitCode:
    row = rendering.row
    if row.kind == "exported" or rendering.is_folder:
        raise _refused("-", "stdout", rendering)
    with tempfile.TemporaryDirectory(prefix="cmek-audit-") as staging:
        # Nothing is printed before the whole is searched for secrets.
        _write(rendering, Path(staging))
        file = Path(staging) / "report"
        if row.no_file and not file.stat().st_size:
            write_lines(f"Nothing to print: {row.no_file}", err=True)
        sys.stdout.flush()
        with file.open("rb") as opened:
            shutil.copyfileobj(opened, sys.stdout.buffer)
    return ExitCode.DONE


def _write(rendering: _Rendering, staging: Path) -> None:
    """Write all files into ``staging``; raise LeakError if there is a secret in any."""
    row, record, searched = rendering.row, rendering.record, SearchedFiles()
    with relying_on(record):
        if row.kind == "exported":
            if row.without_library:
                raise SettingError(row.without_library)
            # What is in a compressed file cannot be searched; it is what the record holds.
            searched.refuse_leaks(record.files)
            row.export(record.head, record.path.parent, staging / "report")
            return
        for name, blocks in rendering.files():
            searched.write(staging / name, blocks)
    try:
        searched.refuse_leaks(staging.iterdir())
    except LeakError:
        raise LeakError([record.path]) from None


def _move(rendering: _Rendering, staging: Path, target: Path) -> bool:
    """Move what was made to its place; return whether there is anything."""
    if rendering.is_folder:
        _move_files(staging, target)
    elif rendering.row.no_file and not (staging / "report").stat().st_size:
        target.unlink(missing_ok=True)  # an older one is no report of this audit
        return False
    else:
        (staging / "report").replace(target)
    return True


def _move_files(staging: Path, target: Path) -> None:
    """Move all files into the folder ``target``, and remove older ones that it holds."""
    target.mkdir(exist_ok=True)
    written = {file.name for file in staging.iterdir()}
    for name in written:
        (staging / name).replace(target / name)
    for file in target.iterdir():
        if file.name not in written:
            file.unlink()


def _target(output: str, rendering: _Rendering) -> Path:
    """Return the file or folder to write; no file may be one of those that are read."""
    path = Path(output)
    if any(
        path.resolve() == file.resolve() or _is_same(path, file) for file in rendering.record.files
    ):
        raise _refused(output, "the record itself", rendering)
    if not rendering.is_folder:
        if path.is_dir():
            raise _refused(output, "a folder", rendering)
        return path
    if path.exists() and not path.is_dir():
        raise _refused(output, "a file", rendering)
    pattern = FOLDERS[rendering.row.folder]
    for entry in sorted(path.iterdir()) if path.exists() else ():
        if not pattern.fullmatch(entry.name) or entry.is_symlink() or not entry.is_file():
            raise _refused(output, f"a folder with {entry.name}", rendering)
    return path


def _is_same(path: Path, other: Path) -> bool:
    """Return whether both are one file, by whatever links."""
    return path.exists() and path.samefile(other)


def _refused(output: str, found: str, rendering: _Rendering) -> SettingError:
    folder = f"a folder for files of {rendering.row.name} only"
    expected = folder if rendering.is_folder else "a file to write to"
    return SettingError(f"--output: found {output} ({found}), expected {expected}")


def _identify(row: Format, head: Head, organization: str) -> str:
    """Return the id of the one organization with that name or id; empty if none is asked for."""
    if not organization:
        return ""
    if not row.by_organization:
        formats = " or ".join(name for name, other in RENDERABLE.items() if other.by_organization)
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
