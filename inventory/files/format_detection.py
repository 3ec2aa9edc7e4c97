"""Problems for files that an option does not take: what the file is, and where it belongs.

A message describes the kind of a file, and never repeats its content: that may be a secret.
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
        label: what it takes, in words.
        head: the key at the head of such a file, as the signature of its kind; may be empty.
        show: for Terraform's files, the command that prints them.
        before: the command to run before that; may be empty.
    """

    kind: str
    label: str
    head: str = ""
    show: str = ""
    before: str = ""

    @property
    def option(self) -> str:
        """Return the name of the option."""
        return f"--cmek-{self.kind}"

    @property
    def command(self) -> str:
        """Return the command that writes the file."""
        return f"{self.before}{self.show} > {self.kind}.json"

    @property
    def expectation(self) -> str:
        """Describe what is expected; for Terraform's files with the command that prints it."""
        return f"{self.label}, as printed by: {self.command}" if self.show else self.label

    @property
    def endings(self) -> str:
        """Describe the endings of such files' names."""
        if self.show:
            return f".yaml, .yml or .json, such as written by: {self.command}"
        last = ".yml, .json or .ndjson" if self.kind == "inventory" else ".yml or .json"
        return f"a file ending in .yaml, {last}"


PLAN = ExpectedFile(
    kind="plan",
    label="a plan",
    head="cmek-plan",
    show="terraform show -json plan.bin",
    before="terraform plan -out=plan.bin && ",
)
STATE = ExpectedFile(kind="state", label="a state", show="terraform show -json")
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
_ALONE = "redirect only stdout, without 2>&1"
BEFORE = FileKind("", "other text before the JSON", _ALONE)
AFTER = FileKind("", "other text after the JSON", _ALONE)
SECOND = FileKind("", "another JSON document after the first", "use one file for each")
CUT = FileKind("", "truncated JSON", "check its exit code and the free disk space")


def plan_state_mixup(expected_file: ExpectedFile) -> tuple[str, str]:
    """Return found and expected where a state was given as a plan, or a plan as a state."""
    if expected_file.kind == "plan":
        return "a state, not a plan", _expected(expected_file, option=STATES)
    return "a plan, not a state", _expected(expected_file, option=PLANS)


def raw_state_mixup(expected_file: ExpectedFile) -> tuple[str, str]:
    """Return found and expected for the file in which Terraform stores a state."""
    return "a raw Terraform state file", _expected(expected_file, option=STATES, give=SHOW_JSON)


def folder_problem(file: str, expected_file: ExpectedFile) -> Problem:
    """Return the problem of a folder in place of a file."""
    return _problem(file, 0, recognize_folder(Path(file)), expected_file)


def bytes_problem(file: str, raw: bytes, expected_file: ExpectedFile) -> Problem | None:
    """Return the problem of a file by its first bytes; None if it may be text."""
    kind = recognize_bytes(raw)
    return _problem(file, 0, kind, expected_file) if kind else None


def ending_problem(
    file: str, raw: bytes | None, ending: str, expected_file: ExpectedFile
) -> Problem:
    """Return the problem of a file with another ending, by its content if that is recognized."""
    other = Problem(file, 0, "", f"the ending {describe(ending)}", expected_file.endings)
    return other if raw is None else content_problem(file, raw, expected_file) or other


def content_problem(file: str, raw: bytes, expected_file: ExpectedFile) -> Problem | None:
    """Return the problem of a file that cannot be read as expected, by its content.

    None if the content is not recognized, or is meant to be the expected file.
    """
    if recognized := bytes_problem(file, raw, expected_file):
        return recognized
    data = parse_json(raw)
    if isinstance(data, dict):
        return _kind_problem(file, 0, recognize_data(data), expected_file)
    return _text_kind_problem(file, raw, expected_file)


def head_problem(
    file: str, raw: bytes, document: Document, expected_file: ExpectedFile
) -> Problem | None:
    """Return the problem of a file that lacks the expected head; None if it has it.

    None also where the content is not recognized.
    """
    if isinstance(document.data, dict):
        line, kind = line_of(document.lines, ()), recognize_data(document.data)
        return (
            None
            if expected_file.head in document.data
            else _kind_problem(file, line, kind, expected_file)
        )
    return content_problem(file, raw, expected_file)


def text_problem(file: str, raw: bytes, problem: Problem, expected_file: ExpectedFile) -> Problem:
    """Return the problem of a text that cannot be parsed, which is at least ``problem``."""
    if found := _text_kind_problem(file, raw, expected_file):
        return found
    if not file.lower().endswith(".json"):
        return problem  # YAML without a sign of Terraform
    return problem._replace(
        expected=f"{problem.expected.partition(':')[0]}: {expected_file.expectation}"
    )


def data_problem(file: str, raw: bytes, document: Document, expected_file: ExpectedFile) -> Problem:
    """Return the problem of a file that can be parsed but is not Terraform's."""
    data, line = document.data, line_of(document.lines, ())
    if isinstance(data, dict):
        headless = HEADLESS if HEADLESS.signature in data else None
        if recognized := _kind_problem(file, line, recognize_data(data) or headless, expected_file):
            return recognized
        found = "neither cmek-plan nor format_version"
    else:
        if recognized := _text_kind_problem(file, raw, expected_file):
            return recognized
        found = "a list" if isinstance(data, list) else "no mapping"
    is_plan = expected_file.kind == "plan"
    expected = f"a plan in YAML, which begins with cmek-plan: 1, or {expected_file.expectation}"
    return Problem(file, line, "", found, expected if is_plan else expected_file.expectation)


# --- text -----------------------------------------------------------------------------------------


def _text_kind_problem(file: str, raw: bytes, expected_file: ExpectedFile) -> Problem | None:
    coloured = raw.removeprefix(BOM_UTF8).decode("utf-8", errors="replace")
    text = _COLOURS.sub("", coloured)
    if wrapped := re.search(WRAPPER.signature, text, re.MULTILINE):
        return _problem(file, _line(text, wrapped.start()), WRAPPER, expected_file)
    if headed := recognize_first_line(text) or recognize_head(text):
        return _kind_problem(file, 0, headed, expected_file)
    if expected_file.show and (mixed := _mixture(text)):
        place, kind = mixed
        return _problem(file, _line(text, place), kind, expected_file)
    for kind in TEXT_KINDS:
        if re.search(kind.signature, text, re.MULTILINE):
            return _problem(file, 0, kind, expected_file)
    return _problem(file, 0, COLOURED, expected_file) if text != coloured else None


def _mixture(text: str) -> tuple[int, FileKind] | None:
    """Return position and kind of what surrounds Terraform's JSON document, or that it is cut off.

    None if there is no such document, or if it is damaged in another way.
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
    """Return the end of the JSON that begins at ``start``; None if the text is cut off.

    JSON that cannot be parsed for another reason counts as ending with the text.
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
    """Return the position of the first character after ``place`` that is not white space."""
    word = re.compile(r"\S").search(text, place)
    return word.start() if word else len(text)


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


# --- messages -------------------------------------------------------------------------------------


def _kind_problem(
    file: str, line: int, kind: FileKind | None, expected_file: ExpectedFile
) -> Problem | None:
    """Return the problem of a file of this kind; None if it is meant to be the expected one."""
    meant = {expected_file.head, FORMAT_VERSION if expected_file.show else ""}
    return (
        None
        if kind is None or kind.signature in meant
        else _problem(file, line, kind, expected_file)
    )


def _problem(file: str, line: int, kind: FileKind, expected_file: ExpectedFile) -> Problem:
    expected = _expected(expected_file, kind.hint, kind.option, kind.give)
    return Problem(file, line, "", kind.found, expected)


def _expected(
    expected_file: ExpectedFile, hint: str = "", option: str = "", give: str = "give it"
) -> str:
    """Describe what is expected, with a hint.

    A file that another option takes gets that option as the hint. A kind that no option takes has
    hints for Terraform's options only.
    """
    if option and option != expected_file.option:
        hint = f"{give} as {option}"
    elif not (option or expected_file.show):
        hint = ""
    return (
        "; ".join(filter(None, [expected_file.expectation, hint]))
        .replace("{show}", expected_file.show)
        .replace("{kind}", expected_file.kind)
    )
