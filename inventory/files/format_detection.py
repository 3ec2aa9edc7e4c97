"""What is said of a file that is not what an option takes: what it is, and where it belongs.

A message says what a file looks like, and never repeats what is in it: that may be a secret.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import Problem
from inventory.files.file_kinds import (
    COLOURED,
    FORMAT_VERSION,
    HEADLESS,
    PLANS,
    SHOW_JSON,
    STATES,
    TEXT_KINDS,
    WRAPPER,
    FileKind,
    parse_json,
    recognize_bytes,
    recognize_data,
    recognize_first_line,
    recognize_folder,
    recognize_head,
)
from inventory.files.validation import line_of
from inventory.text.display import describe

if TYPE_CHECKING:
    from inventory.files.documents import Document


class ExpectedFile(NamedTuple):
    """What an option takes.

    Attributes:
        kind: the name of the option, without ``--cmek-``.
        named: what it takes, in words.
        head: what stands at the head of such a file, as the sign of a look; may be empty.
        show: of Terraform's, what prints it.
        before: what has to be run before that; may be empty.
    """

    kind: str
    named: str
    head: str = ""
    show: str = ""
    before: str = ""

    @property
    def option(self) -> str:
        """Return the name of the option."""
        return f"--cmek-{self.kind}"

    @property
    def command(self) -> str:
        """Return what writes it into a file."""
        return f"{self.before}{self.show} > {self.kind}.json"

    @property
    def expectation(self) -> str:
        """Say what is expected, and of Terraform's what to run for it."""
        return f"{self.named}, as this prints it: {self.command}" if self.show else self.named

    @property
    def endings(self) -> str:
        """Say how the names of such files end."""
        if self.show:
            return f".yaml, .yml or .json, such as this writes: {self.command}"
        last = ".yml, .json or .ndjson" if self.kind == "inventory" else ".yml or .json"
        return f"a file ending in .yaml, {last}"


PLAN = ExpectedFile(
    kind="plan",
    named="a plan",
    head="cmek-plan",
    show="terraform show -json plan.bin",
    before="terraform plan -out=plan.bin && ",
)
STATE = ExpectedFile(kind="state", named="a state", show="terraform show -json")
INVENTORY = ExpectedFile("inventory", "an inventory", "cmek-inventory")
STREAM = ExpectedFile("inventory", "an inventory in NDJSON", "kind=inventory")
ORGANIZATIONS = ExpectedFile("live", "an organizations file", "cmek-organizations")
WAIVERS = ExpectedFile("waivers", "a file of waivers", "cmek-waivers")
CONTROLS = ExpectedFile("controls", "a file of control ids", "cmek-controls")
REPORT = ExpectedFile("baseline", "a report folder or its audit.json", "schema=cmek-audit-record/")

ENDINGS = (".yaml", ".yml", ".json")

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_JSON_BEGINS = re.compile(r'^[ \t]*\{\s*"format_version"', re.MULTILINE)
_JSON_OBJECT = re.compile(r'\{\s*"')
_ALONE = "take its stdout alone, without 2>&1"
BEFORE = FileKind("", "other text before the JSON", _ALONE)
AFTER = FileKind("", "other text after the JSON", _ALONE)
SECOND = FileKind("", "another JSON document after the first", "each in a file of its own")
CUT = FileKind("", "JSON that ends too early", "see its exit code, and whether the disk is full")


def plan_state_mixup(wanted: ExpectedFile) -> tuple[str, str]:
    """Return what was found, and what is expected, where the other kind was given."""
    if wanted.kind == "plan":
        return "a state, which plans nothing", _expected(wanted, option=STATES)
    return "a plan, which is no state", _expected(wanted, option=PLANS)


def raw_state_mixup(wanted: ExpectedFile) -> tuple[str, str]:
    """Return the same for the file in which Terraform keeps a state."""
    return "a state as Terraform keeps it", _expected(wanted, option=STATES, give=SHOW_JSON)


def folder_problem(file: str, wanted: ExpectedFile) -> Problem:
    """Return what is wrong with a folder where a file is meant."""
    return _problem(file, 0, recognize_folder(Path(file)), wanted)


def bytes_problem(file: str, raw: bytes, wanted: ExpectedFile) -> Problem | None:
    """Return what is wrong with a file by how it begins; None if it may be text."""
    look = recognize_bytes(raw)
    return _problem(file, 0, look, wanted) if look else None


def ending_problem(file: str, raw: bytes | None, ending: str, wanted: ExpectedFile) -> Problem:
    """Return what is wrong with a file of another ending, by what it holds if that is known."""
    other = Problem(file, 0, "", f"the ending {describe(ending)}", wanted.endings)
    return other if raw is None else content_problem(file, raw, wanted) or other


def content_problem(file: str, raw: bytes, wanted: ExpectedFile) -> Problem | None:
    """Return what is wrong with a file that nobody can read as what is wanted, by what it holds.

    None if that says nothing of what it is, or that it is meant to be what is wanted.
    """
    if recognized := bytes_problem(file, raw, wanted):
        return recognized
    data = parse_json(raw)
    if isinstance(data, dict):
        return _kind_problem(file, 0, recognize_data(data), wanted)
    return _text_kind_problem(file, raw, wanted)


def head_problem(file: str, raw: bytes, document: Document, wanted: ExpectedFile) -> Problem | None:
    """Return what is wrong with a file that does not begin as what is wanted does; else None.

    None also where it does not say what it is.
    """
    if isinstance(document.data, dict):
        line, look = line_of(document.lines, ()), recognize_data(document.data)
        return None if wanted.head in document.data else _kind_problem(file, line, look, wanted)
    return content_problem(file, raw, wanted)


def text_problem(file: str, raw: bytes, problem: Problem, wanted: ExpectedFile) -> Problem:
    """Return what is wrong with a text that cannot be read, as ``problem`` says."""
    if found := _text_kind_problem(file, raw, wanted):
        return found
    if not file.lower().endswith(".json"):
        return problem  # nothing hints at Terraform in it
    return problem._replace(expected=f"{problem.expected.partition(':')[0]}: {wanted.expectation}")


def data_problem(file: str, raw: bytes, document: Document, wanted: ExpectedFile) -> Problem:
    """Return what is wrong with a file that can be read and is nothing of Terraform's."""
    data, line = document.data, line_of(document.lines, ())
    if isinstance(data, dict):
        headless = HEADLESS if HEADLESS.signature in data else None
        if recognized := _kind_problem(file, line, recognize_data(data) or headless, wanted):
            return recognized
        found = "neither cmek-plan nor format_version"
    else:
        if recognized := _text_kind_problem(file, raw, wanted):
            return recognized
        found = "a list" if isinstance(data, list) else "no mapping"
    is_plan = wanted.kind == "plan"
    expected = f"a plan in YAML, which begins with cmek-plan: 1, or {wanted.expectation}"
    return Problem(file, line, "", found, expected if is_plan else wanted.expectation)


# --- text -----------------------------------------------------------------------------------------


def _text_kind_problem(file: str, raw: bytes, wanted: ExpectedFile) -> Problem | None:
    coloured = raw.removeprefix(BOM_UTF8).decode("utf-8", errors="replace")
    text = _COLOURS.sub("", coloured)
    if wrapped := re.search(WRAPPER.signature, text, re.MULTILINE):
        return _problem(file, _line(text, wrapped.start()), WRAPPER, wanted)
    if headed := recognize_first_line(text) or recognize_head(text):
        return _kind_problem(file, 0, headed, wanted)
    if wanted.show and (mixed := _mixture(text)):
        place, look = mixed
        return _problem(file, _line(text, place), look, wanted)
    for look in TEXT_KINDS:
        if re.search(look.signature, text, re.MULTILINE):
            return _problem(file, 0, look, wanted)
    return _problem(file, 0, COLOURED, wanted) if text != coloured else None


def _mixture(text: str) -> tuple[int, FileKind] | None:
    """Return where text holds something else than one whole JSON document of Terraform, and what.

    None if there is no such document, or if it is damaged in some other way.
    """
    begin, start = _JSON_BEGINS.search(text), _next_word(text, 0)
    if begin and begin.start() > start:
        return start, BEFORE
    if not (begin or _JSON_OBJECT.match(text, start)):
        return None
    end = _json_end(text, start)
    if end is None:
        return len(text.rstrip()), CUT
    rest = _next_word(text, end)
    if rest == len(text):
        return None
    return rest, SECOND if text[rest] == "{" else AFTER


def _json_end(text: str, start: int) -> int | None:
    """Return where the JSON that begins at ``start`` ends; None if it is cut off there.

    The end of the text stands for all that cannot be read for other reasons.
    """
    try:
        return json.JSONDecoder().raw_decode(text, start)[1]
    except json.JSONDecodeError as error:
        whole = text.rstrip()
        is_cut = error.pos >= len(whole) or error.msg.startswith("Unterminated string")
        return None if is_cut or whole[-1] not in "}]" else len(text)
    except (ValueError, RecursionError):
        return len(text)


def _next_word(text: str, place: int) -> int:
    """Return where the first character behind ``place`` is that is no white space."""
    found = re.compile(r"\S").search(text, place)
    return found.start() if found else len(text)


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


# --- words ----------------------------------------------------------------------------------------


def _kind_problem(
    file: str, line: int, look: FileKind | None, wanted: ExpectedFile
) -> Problem | None:
    """Return what is wrong with a file that looks so; None if it is meant to be what is wanted."""
    meant = {wanted.head, FORMAT_VERSION if wanted.show else ""}
    return None if look is None or look.signature in meant else _problem(file, line, look, wanted)


def _problem(file: str, line: int, look: FileKind, wanted: ExpectedFile) -> Problem:
    expected = _expected(wanted, look.hint, look.option, look.give)
    return Problem(file, line, "", look.found, expected)


def _expected(wanted: ExpectedFile, hint: str = "", option: str = "", give: str = "give it") -> str:
    """Say what is expected, with a hint; of another kind, where that belongs is the better one.

    What no option takes has hints for Terraform alone.
    """
    if option and option != wanted.option:
        hint = f"{give} as {option}"
    elif not (option or wanted.show):
        hint = ""
    return (
        "; ".join(filter(None, [wanted.expectation, hint]))
        .replace("{show}", wanted.show)
        .replace("{kind}", wanted.kind)
    )
