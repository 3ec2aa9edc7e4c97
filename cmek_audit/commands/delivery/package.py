"""``cmek-audit package``: packs a report with its sources for an auditor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from cmek_audit.packages import layout
from cmek_audit.packages.contents import gather
from cmek_audit.packages.made_files import render_made
from cmek_audit.packages.zip_writer import write_package
from inventory.errors import SettingError
from inventory.text.display import pluralize
from reports.record.reader import measure

if TYPE_CHECKING:
    from cmek_audit.packages.contents import Contents


@click.command(context_settings=parameters.SETTINGS)
@parameters.report
@click.option(
    "--output",
    "-o",
    metavar="FILE.zip",
    default="audit-package.zip",
    help="The package to write.",
)
@parameters.as_json
@interruptible("nothing unfinished is left behind")
def package(report: str, output: str, *, as_json: bool) -> ExitCode:
    """Pack a report with its sources for an auditor.

    REPORT is a report folder; without it, audit-report. The package has the report, its signature,
    the sources and evidence bundles that the record names, an index by framework and control, a
    work paper, hashes, and a README for somebody who has none of the tools. Run it where the audit
    was run. The same content gives the same package. "cmek-audit verify" takes it as it is.

    \b
    Exit codes:
      0  packed, with every source that the record names
      1  packed, without sources that are missing or were changed; each is listed
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  nothing was packed: no record, a changed one, a secret, or an unusable output
    """
    contents = gather(_folder(report))
    target = _target(output, Path(report), contents)
    try:
        hashes = write_package(target, {**contents.files, **render_made(contents)})
    except OSError as error:
        raise _refused(output, error) from None
    _print(target, contents, len(hashes) + 1, as_json=as_json)
    return ExitCode.NOT_DONE if contents.missing else ExitCode.DONE


def _refused(output: str, error: OSError) -> SettingError:
    """Return the error for a file that cannot be written, or for one that cannot be read."""
    is_own = not error.filename or Path(error.filename).name.startswith(f".{Path(output).name}")
    found = f"{output if is_own else error.filename} ({error.strerror})"
    expected = "a file to write to" if is_own else "files that can be read"
    return SettingError(f"--output: found {found}, expected {expected}")


def _folder(report: str) -> Path:
    return Path(report).parent if Path(report).is_file() else Path(report)


def _target(output: str, report: Path, contents: Contents) -> Path:
    """Return the file to write; it must be none of those that are read, nor among them."""
    path = Path(output)
    found = ""
    if path.suffix.lower() != layout.ENDING:
        found = "another ending"
    elif path.is_dir():
        found = "a folder"
    elif path.resolve().is_relative_to(report.resolve()):
        found = "inside the report"
    elif path.exists() and any(path.samefile(file) for file in contents.files.values()):
        found = "one of the sources"
    if found:
        raise SettingError(f"--output: found {output} ({found}), expected a {layout.ENDING} file")
    return path


def _print(target: Path, contents: Contents, files: int, *, as_json: bool) -> None:
    sha256, size, _ = measure(target)
    if as_json:
        write_json(
            {
                "package": str(target),
                "sha256": sha256,
                "bytes": size,
                "files": files,
                "report": contents.record.head["report"],
                "signed": contents.is_signed,
                "sources": [source._asdict() for source in contents.sources],
                "not_packed": list(contents.others),
            }
        )
        return
    packed = len(contents.sources) - len(contents.missing)
    sources = f"{packed:,} of {pluralize(len(contents.sources), 'source')}"
    signed = "signed" if contents.is_signed else "not signed"
    write_lines(f"Packed: {pluralize(files, 'file')}, with {sources}; the report is {signed}")
    for source in contents.missing:
        write_lines(f"  not here: {source.path} ({source.role}): {source.note}")
    for name in contents.others:
        write_lines(f"  not packed: {name}, which no audit writes")
    write_lines(f"Written: {target}")
    write_lines(f"SHA-256: {sha256}")
