"""Plain messages for texts that are not valid YAML or JSON.

A message never repeats more than a single character of the text: it may be a secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from inventory.text.display import describe
from inventory.text.odd_characters import odd_character

if TYPE_CHECKING:
    import json

    import yaml


class SyntaxMistake(NamedTuple):
    """A mistake in a text.

    Attributes:
        found: what the text has.
        expected: what it should have.
    """

    found: str
    expected: str


_INDENTED_BY_TAB = re.compile(r"[ ]*\t")
_TAB = SyntaxMistake("a tab in the indentation", "YAML, which is indented by spaces alone")
_COLUMNS = "YAML: the fields of one entry begin in one column, and its list items in one column"
_ONE_FIELD = "YAML: one field a line, and quotes around text that holds a colon and a space"
_CLOSED = "YAML: each quote and each bracket is closed"
_STARRED = "YAML: quotes around text that begins with *"
_YAML_MISTAKES = (
    ("another document", SyntaxMistake("a second document, after ---", "one document in the file")),
    (
        "mapping values are not allowed",
        SyntaxMistake("a colon where no field can begin", _ONE_FIELD),
    ),
    (
        "cannot start any token",
        SyntaxMistake("a value that begins with {}", "YAML: it is in quotes"),
    ),
    ("undefined alias", SyntaxMistake("an undefined alias", _STARRED)),
    ("unexpected end of stream", SyntaxMistake("a quote that is not closed", _CLOSED)),
    ("did not find expected ','", SyntaxMistake("a bracket that is not closed", _CLOSED)),
    ("could not find expected ':'", SyntaxMistake("a line without a colon", _ONE_FIELD)),
    ("did not find expected key", SyntaxMistake("a line with different indentation", _COLUMNS)),
    ("did not find expected '-'", SyntaxMistake("a line with different indentation", _COLUMNS)),
    (
        "unknown escape character",
        SyntaxMistake(
            "a backslash in double quotes", "YAML: single quotes around text with backslashes"
        ),
    ),
)
"""A part of PyYAML's message, and what it means."""


def yaml_mistake(text: str, error: yaml.MarkedYAMLError) -> SyntaxMistake:
    """Return what is wrong with ``text``, for which PyYAML raised ``error``."""
    message = str(error.problem).removeprefix("but ").removeprefix("found ")
    line, column = _place(error)
    lines = text.splitlines()[max(0, line - 1) : line + 1]
    # The line before is kept as well: PyYAML often points behind the real mistake.
    here = lines[-1] if lines else ""
    if _INDENTED_BY_TAB.match(here):
        return _TAB
    found, expected = next(
        (mistake for part, mistake in _YAML_MISTAKES if part in message), (message, "YAML")
    )
    found = found.replace("{}", describe(here[column : column + 1]))
    odd, instead = odd_character("\n".join(lines))
    if odd:
        return SyntaxMistake(f"{found}, near {odd}", f"{expected}; write {instead}")
    return SyntaxMistake(found, expected)


def _place(error: yaml.MarkedYAMLError) -> tuple[int, int]:
    """Return the line and the column, counted from 0."""
    mark = error.problem_mark
    return (mark.line, mark.column) if mark else (0, 0)


# --- JSON -----------------------------------------------------------------------------------------

_YAML_BEGINS = re.compile(r"(?:---\s|[\w-]+:(?:\s|\Z)|- |#)")
_COMMENT = re.compile(r"//|/\*|#")
_WORD = re.compile(r"[A-Za-z_]")
_NO_JSON = SyntaxMistake("YAML or other text", "JSON, or the ending .yaml for YAML")
_COMMENTED = SyntaxMistake("a comment", "JSON, which has no comments")
_TRAILING = SyntaxMistake("a comma after the last entry", "JSON: no comma before a closing bracket")
_SINGLE = SyntaxMistake("a single quote", "JSON: double quotes around text")
_UNQUOTED = SyntaxMistake(
    "a word without quotes", "JSON: double quotes around text and names of fields"
)
_JSON_MISTAKES = (
    ("Expecting ',' delimiter", SyntaxMistake("no comma", "JSON: a comma between two entries")),
    (
        "Expecting ':' delimiter",
        SyntaxMistake("no colon", "JSON: a colon after the name of a field"),
    ),
    ("Extra data", SyntaxMistake("more text after the end", "JSON: one document in the file")),
    (
        "Invalid control character",
        SyntaxMistake(
            "a line break or a tab in a text", r"JSON: \n or \t, or a quote at the text's end"
        ),
    ),
    ("Invalid \\", SyntaxMistake("a backslash", r"JSON: \\ where a backslash is meant")),
    ("Unterminated string", SyntaxMistake("a text that is not closed", "JSON: a quote at its end")),
)
"""A part of Python's message, and what it means."""


def json_mistake(error: json.JSONDecodeError) -> SyntaxMistake:
    """Return what is wrong with a text, for which Python's json raised ``error``."""
    before, rest = error.doc[: error.pos].rstrip(), error.doc[error.pos :]
    if not before and _YAML_BEGINS.match(rest):
        return _NO_JSON
    if _COMMENT.match(rest):
        return _COMMENTED
    if before.endswith(",") and rest[:1] in {"}", "]"}:
        return _TRAILING
    if not rest.strip():
        return SyntaxMistake("truncated JSON", "JSON: each bracket is closed")
    known = next((mistake for part, mistake in _JSON_MISTAKES if part in error.msg), None)
    return known or _at_value(rest, error.msg.lower())


def _at_value(rest: str, message: str) -> SyntaxMistake:
    """Return what is wrong where a value, or the name of a field, should begin."""
    odd, instead = odd_character(rest[:1])
    if odd:
        return SyntaxMistake(odd, f"JSON: {instead}")
    if rest[0] == "'":
        return _SINGLE
    return _UNQUOTED if _WORD.match(rest) else SyntaxMistake(message, "JSON")
