"""``cmek-audit init``: writes the first files of an audit, and prints what to run next."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cmek_audit import parameters
from cmek_audit.commands.start.answers import PIPELINES, SOURCES, Given, answers
from cmek_audit.commands.start.files import first_files, next_commands, notes
from cmek_audit.commands.start.placing import place_new
from cmek_audit.console import wrapped, write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cmek_audit.commands.start.answers import Answers
    from cmek_audit.commands.start.placing import Placed

_TITLES = {
    "written": "Written:",
    "unchanged": "Already there, with the same content:",
    "left": "Already there, left as it is:",
}


@click.command(context_settings=parameters.SETTINGS)
@click.argument("folder", default=".")
@click.option(
    "--source",
    type=parameters.Word(SOURCES),
    help="recorded: you write the inventory; live: Astra is asked. Default: recorded.",
)
@click.option(
    "--organization",
    "organizations",
    metavar="NAME",
    multiple=True,
    help="The name of an organization; repeatable. Default: my-organization.",
)
@click.option(
    "--pipeline",
    type=parameters.Word(PIPELINES),
    help="The system whose pipeline runs the audit. Default: none.",
)
@parameters.as_json
@interruptible("nothing unfinished is left behind")
def init(
    folder: str,
    source: str | None,
    organizations: tuple[str, ...],
    pipeline: str | None,
    *,
    as_json: bool,
) -> ExitCode:
    """Write the first files of an audit, and print what to run next.

    FOLDER is where they are written; without it, the folder you are in. You get an inventory or an
    organizations file, a file of waivers, the schemas by which an editor completes them, and a
    pipeline if you want one. On a terminal you are asked for what no option says.

    A file that is there already stays as it is. What is written is an example: it holds
    placeholders, and no audit passes before you replace them.

    \b
    Exit codes:
      0  every file is there
      1  done, but a file that was there already was left as it is
      2  interrupted; nothing unfinished is left behind
      3  internal error
      4  unusable option or folder; nothing was written
    """
    given = Given(source or "", organizations, pipeline or "")
    wanted = answers(given, may_ask=sys.stdin.isatty())
    placed = _place(Path(folder), wanted)
    if as_json:
        write_json(_data(placed, wanted, folder))
    else:
        write_lines("\n".join(_page(placed, wanted, folder)))
    return ExitCode.NOT_DONE if _of(placed, "left") else ExitCode.DONE


def _place(folder: Path, wanted: Answers) -> list[Placed]:
    if folder.exists() and not folder.is_dir():
        raise SettingError(f"FOLDER: found {folder} (a file), expected a folder")
    files = first_files(wanted, datetime.now(UTC))
    return place_new({folder / name: text.encode() for name, text in files.items()})


def _of(placed: Sequence[Placed], state: str) -> list[str]:
    return [str(file.path) for file in placed if file.state == state]


def _data(placed: Sequence[Placed], wanted: Answers, folder: str) -> dict[str, object]:
    return {
        "files": [{"path": str(file.path), "state": file.state} for file in placed],
        "commands": next_commands(wanted, folder),
        "notes": [*notes(wanted)],
    }


def _page(placed: Sequence[Placed], wanted: Answers, folder: str) -> Iterator[str]:
    for state, title in _TITLES.items():
        if files := _of(placed, state):
            yield from (title, *(f"  {file}" for file in files), "")
    yield from ("Run next:", *(f"  {line}" for line in next_commands(wanted, folder)), "")
    for note in notes(wanted):
        yield from wrapped(note)
