"""What was given where a plan or a state of Terraform is meant, and what to run instead.

A message says what a file looks like, and never repeats what is in it: that may be a secret.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Literal, NamedTuple

from inventory.errors import Problem
from inventory.problems import line_of
from inventory.wording import describe

if TYPE_CHECKING:
    from inventory.documents import Document


class Wanted(NamedTuple):
    """What an option takes of Terraform.

    Attributes:
        kind: a plan or a state.
        show: what prints it.
        before: what has to be run before that; may be empty.
    """

    kind: Literal["plan", "state"]
    show: str
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
    def printed(self) -> str:
        """Say what is expected, and what to run for it."""
        return f"a {self.kind}, as this prints it: {self.command}"


PLAN = Wanted("plan", "terraform show -json plan.bin", "terraform plan -out=plan.bin && ")
STATE = Wanted("state", "terraform show -json")
ENDINGS = (".yaml", ".yml", ".json")


class Look(NamedTuple):
    """How the files of one kind look.

    Attributes:
        sign: what stands in them: a pattern, or one of the keys of a mapping.
        found: what they are, in words.
        hint: what to do beside running the command; may be empty.
        kind: what they hold: a plan, a state, or neither for sure.
    """

    sign: str
    found: str
    hint: str = ""
    kind: Literal["plan", "state", ""] = ""


_SAVED = "it is saved already, so the last command is enough"
_BYTES = (
    Look(r"PK\x03\x04", "a plan as Terraform saves it", _SAVED, "plan"),
    Look(r"\x1f\x8b|BZh[1-9]|\xfd7zXZ\x00|\x28\xb5\x2f\xfd", "compressed data", "unpack it first"),
    Look(
        r"\xff\xfe|\xfe\xff|\x00[{\[]|[{\[]\x00",
        "text in UTF-16",
        'PowerShell writes UTF-8 by: cmd /c "{show} > {kind}.json", '
        "or by: {show} | Out-File -Encoding utf8 {kind}.json",
    ),
    Look(r'(?:\xef\xbb\xbf)?\s*\{"@level"', "the log that 'terraform plan -json' prints"),
)
"""How the bytes of a file begin, read as Latin-1."""

_BEGINNING = 1_024
_EMPTY = Look("", "an empty file", "see what it prints to stderr")

_WRAPPER = Look(
    r"^\[command\]|^::(?:add-mask|debug|error|group|notice|set-output|warning)\b",
    "a line of GitHub's wrapper of Terraform",
    "set terraform_wrapper: false for hashicorp/setup-terraform",
)
_TEXTS = (
    Look(r'^\{"@level"', "the log that 'terraform plan -json' prints"),
    Look(
        r"^(?:Terraform|OpenTofu) (?:used the selected|will perform the|detected the following)|"
        r"^Initializing (?:modules|provider plugins|the backend)|^No changes\. |"
        r"^Plan: [0-9]+ to |^Changes to Outputs:$|^No state\.|^The state file is |"
        r'^# .{1,1000}:\n(?:data|resource) "|'
        r"^.{1,1000}: (?:Creating|Reading|Refreshing state|Still creating)\.\.\.",
        "the text that Terraform prints for people",
    ),
    Look(
        r"^(?:│ )?(?:Error|Warning): |^Usage: (?:terraform|tofu) ",
        "an error or a warning of Terraform",
        "see to that first",
    ),
    Look(
        r"^(?:check|data|ephemeral|import|locals|module|moved|output|provider|removed|resource|"
        r"terraform|variable)\b[^\n:={}]{0,1000}\{",
        "a configuration of Terraform",
    ),
    Look(r'^"?[A-Za-z_][\w-]*"?[ \t]*=(?!=)', "assignments, as in a file of variables"),
)
_COLOURED = Look("", "text with colours, as for people")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

_JSON_BEGINS = re.compile(r'^[ \t]*\{\s*"format_version"', re.MULTILINE)
_JSON_OBJECT = re.compile(r'\{\s*"')
_ALONE = "take its stdout alone, without 2>&1"
_BEFORE = Look("", "other text before the JSON", _ALONE)
_AFTER = Look("", "other text after the JSON", _ALONE)
_SECOND = Look("", "another JSON document after the first", "each in a file of its own")
_CUT = Look("", "JSON that ends too early", "see its exit code, and whether the disk is full")

_KEYS = (
    Look(
        "plan_format_version",
        "the redacted plan of HCP Terraform",
        "its API returns the whole one as json-output",
        "plan",
    ),
    Look("state_format_version", "the redacted state of HCP Terraform", kind="state"),
    Look("remote_plan_format", "a plan of HCP Terraform as it is saved", _SAVED, "plan"),
    Look("encrypted_data", "what OpenTofu has encrypted", "tofu show -json decrypts it"),
    Look("lineage", "a state as Terraform keeps it", kind="state"),
    Look(
        "resource_changes",
        "a plan without its format_version",
        "what cuts it down has to leave that",
        "plan",
    ),
    Look("cmek-plan", "a plan in YAML", kind="plan"),
    Look("cmek-inventory", "an inventory", "that goes to --cmek-inventory"),
    Look("cmek-organizations", "an organizations file", "that goes to --cmek-live"),
    Look("cmek-waivers", "waivers", "they go to --cmek-waivers"),
    Look("cmek-controls", "control ids", "they go to --cmek-controls"),
    Look("organizations", "a plan in YAML without its head", "that is cmek-plan: 1", "plan"),
)
"""Keys of a mapping that say what it is."""

_OURS = frozenset({"cmek-inventory", "organizations"})
"""Those of what could be a plan in YAML if its head were one."""


def mistaken(wanted: Wanted) -> tuple[str, str]:
    """Return what was found, and what is expected, where the other kind was given."""
    if wanted.kind == "plan":
        return "a state, which plans nothing", _expected(wanted, kind="state")
    return "a plan, which is no state", _expected(wanted, kind="plan")


def raw_state(wanted: Wanted) -> tuple[str, str]:
    """Return the same for the file in which Terraform keeps a state."""
    return "a state as Terraform keeps it", _expected(wanted, kind="state")


def by_bytes(file: str, raw: bytes, wanted: Wanted) -> Problem | None:
    """Return what is wrong with a file by how it begins; None if it may be text."""
    content = raw.removeprefix(BOM_UTF8)
    if not content or content.isspace():
        return _problem(file, 0, _EMPTY, wanted)
    text = raw[:_BEGINNING].decode("latin-1")
    for look in _BYTES:
        if re.match(look.sign, text):
            return _problem(file, 0, look, wanted)
    return None


def by_ending(file: str, raw: bytes | None, ending: str, wanted: Wanted) -> Problem:
    """Return what is wrong with a file of another ending, by what it holds if that is known."""
    expected = f".yaml, .yml or .json, such as this writes: {wanted.command}"
    other = Problem(file, 0, "", f"the ending {describe(ending)}", expected)
    if raw is None:
        return other
    recognized = by_bytes(file, raw, wanted) or _by_text(file, raw, wanted)
    return recognized or _by_keys(file, 0, _loaded(raw), wanted) or other


def by_text(file: str, raw: bytes, problem: Problem, wanted: Wanted) -> Problem:
    """Return what is wrong with a text that cannot be read, as ``problem`` says."""
    if found := _by_text(file, raw, wanted):
        return found
    if not file.lower().endswith(".json"):
        return problem  # nothing hints at Terraform in it
    return problem._replace(expected=f"{problem.expected.partition(':')[0]}: {wanted.printed}")


def by_data(file: str, raw: bytes, document: Document, wanted: Wanted) -> Problem:
    """Return what is wrong with a file that can be read and is not what is wanted."""
    data, line = document.data, line_of(document.lines, ())
    if isinstance(data, dict):
        if recognized := _by_keys(file, line, data, wanted):
            return recognized
        found = "neither cmek-plan nor format_version"
    else:
        if recognized := _by_text(file, raw, wanted):
            return recognized
        found = "a list" if isinstance(data, list) else "no mapping"
    is_plan = wanted.kind == "plan"
    expected = f"a plan in YAML, which begins with cmek-plan: 1, or {wanted.printed}"
    return Problem(file, line, "", found, expected if is_plan else wanted.printed)


# --- mappings -------------------------------------------------------------------------------------


def _by_keys(file: str, line: int, data: object, wanted: Wanted) -> Problem | None:
    for look in _KEYS:
        if isinstance(data, dict) and look.sign in data:
            return _problem(file, line, look, wanted)
    return None


def _loaded(raw: bytes) -> object:
    """Return the JSON of a file of another ending; None if it is none, or a plan or a state."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    is_whole = isinstance(data, dict) and data.keys() & {"cmek-plan", "format_version"}
    return None if is_whole else data


# --- text -----------------------------------------------------------------------------------------


def _by_text(file: str, raw: bytes, wanted: Wanted) -> Problem | None:
    coloured = raw.removeprefix(BOM_UTF8).decode("utf-8", errors="replace")
    text = _COLOURS.sub("", coloured)
    if wrapped := re.search(_WRAPPER.sign, text, re.MULTILINE):
        return _problem(file, _line(text, wrapped.start()), _WRAPPER, wanted)
    if mixed := _mixture(text):
        place, look = mixed
        return _problem(file, _line(text, place), look, wanted)
    for look in _TEXTS:
        if re.search(look.sign, text, re.MULTILINE):
            return _problem(file, 0, look, wanted)
    return _problem(file, 0, _COLOURED, wanted) if text != coloured else None


def _mixture(text: str) -> tuple[int, Look] | None:
    """Return where text holds something else than one whole JSON document of Terraform, and what.

    None if there is no such document, or if it is damaged in some other way.
    """
    begin, start = _JSON_BEGINS.search(text), _next_word(text, 0)
    if begin and begin.start() > start:
        return start, _BEFORE
    if not (begin or _JSON_OBJECT.match(text, start)):
        return None
    end = _end(text, start)
    if end is None:
        return len(text.rstrip()), _CUT
    rest = _next_word(text, end)
    if rest == len(text):
        return None
    return rest, _SECOND if text[rest] == "{" else _AFTER


def _end(text: str, start: int) -> int | None:
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


def _problem(file: str, line: int, look: Look, wanted: Wanted) -> Problem:
    field = "cmek-plan" if look.sign in _OURS and wanted.kind == "plan" else ""
    return Problem(file, line, field, look.found, _expected(wanted, look.hint, look.kind))


def _expected(wanted: Wanted, hint: str = "", kind: str = "") -> str:
    """Say what to run, with a hint; of another kind, where that belongs is the better one."""
    if kind and kind != wanted.kind:
        hint = f"a {kind} goes to --cmek-{kind}"
    return (
        "; ".join(filter(None, [wanted.printed, hint]))
        .replace("{show}", wanted.show)
        .replace("{kind}", wanted.kind)
    )
