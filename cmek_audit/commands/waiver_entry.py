"""A request for a waiver in YAML: printed, or added to a file in which all else stays as it is."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
import yaml

from checks.engine.waivers import Waiver, read_waivers, target_of
from inventory.errors import SettingError, WaiverError
from inventory.text.display import printable
from inventory.text.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDINGS = {".yaml", ".yml"}
_HEAD = "cmek-waivers: 1\nwaivers:\n"
_HINT = "To be filled in by somebody else: approved_by, approved_on"
_INDENT = 2
_WIDTH = 98


class WaiverRequest(NamedTuple):
    """A request for a waiver, and what its finding says to whoever is to approve it."""

    waiver: Waiver
    message: str


# --- the whole ------------------------------------------------------------------------------------


def show(asked: WaiverRequest, rules: Sequence[str]) -> None:
    """Print a whole file that holds the request, in characters that stdout has."""
    text = _HEAD + entry(asked)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = _HEAD + entry(asked, only_ascii=True)
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "waivers.yaml"
        file.write_bytes(text.encode())
        _compare(file, [asked.waiver], rules, "the request")
    typer.echo(text, nl=False)


def listed(into: str, rules: Sequence[str]) -> list[Waiver]:
    """Return the waivers of the file ``into``, none if it is still to be made.

    Raises WaiverError if it is no file of waivers, SettingError if it would be none in YAML.
    """
    path = Path(into)
    if path.suffix.lower() not in _ENDINGS:
        expected = "a file ending in .yaml or .yml; --cmek-waivers takes it beside others"
        raise SettingError(f"--into: found {into}, expected {expected}")
    return read_waivers([into], rules) if path.exists() else []


def add(asked: WaiverRequest, into: str, rules: Sequence[str]) -> None:
    """Add the request to the file ``into``, or make that.

    What is written is read back before it takes the place of the file, which otherwise stays as it
    is. Raises SettingError if it cannot take the request.
    """
    old = listed(into, rules)
    _refuse_second(asked.waiver, old)
    path = Path(os.path.realpath(into))
    raw = path.read_bytes() if path.exists() else b""
    text = _added(raw.decode(), asked) if raw else _HEAD + entry(asked)
    beside = path.with_name(f".writing-{os.getpid()}-{path.name}")
    try:
        beside.write_bytes(text.encode())
        _compare(beside, [*old, asked.waiver], rules, into)
        _put(beside, path, raw)
    finally:
        beside.unlink(missing_ok=True)


def _refuse_second(waiver: Waiver, old: Sequence[Waiver]) -> None:
    for each in old:
        if target_of(each) == target_of(waiver):
            found = f"{each.id}, a waiver for the same cause of the same subject"
            instead = "change that one: its days and who asks, and have it approved anew"
            raise SettingError(f"{each.file}:{each.line}: found {found}. To do instead: {instead}.")


def _compare(file: Path, expected: Sequence[Waiver], rules: Sequence[str], shown: str) -> None:
    """Refuse what is not, read back, the waivers that it should be."""
    told = "it would not hold the same waivers and one more"
    try:
        found = read_waivers([str(file)], rules)
    except WaiverError as error:
        told = str(error.problems[0]._replace(file="it would not be read again"))
    else:
        if [each.model_dump() for each in found] == [each.model_dump() for each in expected]:
            return
    instead = "print the request, and add it by hand"
    raise SettingError(f"{shown}: nothing was changed, as {told}. To do instead: {instead}.")


def _put(beside: Path, path: Path, raw: bytes) -> None:
    """Let ``beside`` take the place of ``path``, unless that is not ``raw`` any more."""
    if (path.read_bytes() if path.exists() else b"") != raw:
        raise SettingError(f"{path}: nothing was changed, as somebody else just did. Try again.")
    if raw:
        shutil.copymode(path, beside)
    beside.replace(path)


# --- the text -------------------------------------------------------------------------------------


def entry(
    asked: WaiverRequest, indent: int = _INDENT, newline: str = "\n", *, only_ascii: bool = False
) -> str:
    """Render the request as an entry of a list in YAML, below what its finding says.

    Characters that hide, or turn text around, are named by number: who approves must see them.
    """
    data = {name: value for name, value in asked.waiver.model_dump().items() if value is not None}
    is_visible = all(printable(text, len(text)) == text for text in map(str, data.values()))
    is_plain = is_visible and not only_ascii
    body = yaml.safe_dump([data], sort_keys=False, allow_unicode=is_plain, width=_WIDTH)
    lines = [*_comments(asked.message, only_ascii=only_ascii), *body.rstrip("\n").split("\n")]
    return "".join(f"{' ' * indent}{line}{newline}" for line in lines)


def _comments(message: str, *, only_ascii: bool) -> list[str]:
    told = printable(without_secrets(message))
    told = told.encode("ascii", "backslashreplace").decode() if only_ascii else told
    lines = textwrap.wrap(told, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in (*lines, _HINT)]


def _added(text: str, asked: WaiverRequest) -> str:
    """Return ``text``, a file of waivers, with one more at the end of its list."""
    waivers = _list_in(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    if waivers.value:
        lines = entry(asked, waivers.start_mark.column, newline)
        return _inserted(text, _end(waivers), lines, newline)
    before, after = text[: waivers.start_mark.index], text[waivers.end_mark.index :]
    before = before.rstrip(" ")
    return _inserted(before + after, len(before), entry(asked, newline=newline), newline)


def _list_in(text: str) -> yaml.SequenceNode:
    whole: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    waivers: yaml.SequenceNode = next(value for key, value in whole.value if key.value == "waivers")
    return waivers


def _end(node: yaml.Node) -> int:
    """Return where the text of a node ends, without the comments and blank lines after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    return int(node.end_mark.index)


def _inserted(text: str, place: int, lines: str, newline: str) -> str:
    """Insert whole ``lines`` below the line that ends at ``place``, or in which that lies."""
    is_line_end = text[:place].endswith("\n")
    end = place if is_line_end else (text.find("\n", place) + 1 or len(text))
    gap = "" if text[:end].endswith("\n") else newline
    return text[:end] + gap + lines + text[end:]
