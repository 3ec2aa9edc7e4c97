"""A request for a waiver, printed in YAML."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import click
import yaml

from checks.engine.catalogue import load_rules
from checks.engine.waivers import Waiver, read_waivers
from inventory.errors import SettingError, WaiverError
from inventory.text.display import printable
from inventory.text.secrets import without_secrets

_HEAD = "cmek-waivers: 1\nwaivers:\n"
_HINT = "To be filled in by somebody else: approved_by, approved_on"
_INDENT = "  "
_WIDTH = 98


class WaiverRequest(NamedTuple):
    """A request for a waiver, and the message of its finding for whoever approves it."""

    waiver: Waiver
    message: str


def print_request(request: WaiverRequest, *, as_json: bool = False) -> None:
    """Print the request as an entry of a list of waivers, in characters that stdout can encode.

    Raises SettingError if an audit could not read it.
    """
    if as_json:
        entry = json.dumps(_data(request.waiver, mode="json"), indent=2) + "\n"
        _check_readable(f"{_INDENT}- {entry}", request.waiver)
        click.echo(entry, nl=False)
        return
    entry = render_entry(request)
    try:
        entry.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        entry = render_entry(request, only_ascii=True)
    _check_readable(entry, request.waiver)
    click.echo(entry, nl=False)


def render_entry(request: WaiverRequest, *, only_ascii: bool = False) -> str:
    """Render the request as an entry of a list in YAML, below the message of its finding.

    Characters that are invisible, or reverse text, are escaped: who approves must see them.
    """
    data = _data(request.waiver)
    is_visible = all(printable(text, len(text)) == text for text in map(str, data.values()))
    body = yaml.safe_dump(
        [data], sort_keys=False, allow_unicode=is_visible and not only_ascii, width=_WIDTH
    )
    lines = [*_comments(request.message, only_ascii=only_ascii), *body.rstrip("\n").split("\n")]
    return "".join(f"{_INDENT}{line}\n" for line in lines)


def _data(waiver: Waiver, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
    return {
        name: value for name, value in waiver.model_dump(mode=mode).items() if value is not None
    }


def _comments(message: str, *, only_ascii: bool) -> list[str]:
    text = printable(without_secrets(message))
    text = text.encode("ascii", "backslashreplace").decode() if only_ascii else text
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in (*lines, _HINT)]


def _check_readable(entry: str, waiver: Waiver) -> None:
    """Refuse an entry in which an audit would not find exactly this ``waiver``."""
    rules = [rule.card.id for rule in load_rules()]
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "waivers.yaml"
        file.write_bytes((_HEAD + entry).encode())
        try:
            found = read_waivers([str(file)], rules)
        except WaiverError as error:
            problem = str(error.problems[0]._replace(file="it could not be read"))
        else:
            if [other.model_dump() for other in found] == [waiver.model_dump()]:
                return
            problem = "it would be read as another one"
    raise SettingError(f"The request was not printed: {problem}. Write it by hand.")
