"""Turns pydantic's validation errors into problems: file, line, field, found and expected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from inventory.errors import Problem
from inventory.files.documents import FieldPath, field_name
from inventory.files.suggestions import KEY, did_you_mean, fields_at, nearest, values_at
from inventory.model.base import NEWER_VERSION
from inventory.text.display import describe
from inventory.text.odd_characters import odd_character
from inventory.text.visible_text import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

_CLOSE = 0.75
_PATTERNS = {r"^[!-~]+$": "visible ASCII characters without spaces", VISIBLE: "text, not blank"}
_EXPECTED = {
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a day that exists, such as 2026-11-20",
    "dict_type": "a mapping",
    "float_type": "a number",
    "int_type": "a whole number",
    "missing": "a value",
    "model_type": "a mapping",
    "string_type": "text",
    "too_short": "at least one",
    "tuple_type": "a list",
}
_MERGE_KEY = "<<"
_YES_OR_NO = {"true": "true", "yes": "true", "y": "true", "on": "true"} | dict.fromkeys(
    ("false", "no", "n", "off"), "false"
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")


def problems_of(
    error: ValidationError,
    file: str,
    lines: Mapping[FieldPath, int],
    base: FieldPath = (),
    model: type[BaseModel] | None = None,
) -> list[Problem]:
    """Turn every complaint of ``error`` into a located problem.

    ``base`` is the path, inside the file, of the validated part. With ``model``, people wrote the
    text, and the problems suggest what they may have meant. A file of a newer version has no other
    problem: whatever else is unknown may belong to that version.
    """
    details = error.errors(include_url=False, include_context=True)
    newer = [detail for detail in details if detail["type"] == NEWER_VERSION]
    # A list that is too short only because its entries were wrong is no further problem.
    holders = {detail["loc"][:size] for detail in details for size in range(len(detail["loc"]))}
    place = _ValidatedPart(file, lines, base, model)
    return [
        _problem(detail, place)
        for detail in newer or details
        if not (detail["type"] == "too_short" and detail["loc"] in holders)
    ]


class _ValidatedPart(NamedTuple):
    """The position of the validated part, and its model if people wrote it."""

    file: str
    lines: Mapping[FieldPath, int]
    base: FieldPath
    model: type[BaseModel] | None


def line_of(lines: Mapping[FieldPath, int], path: FieldPath) -> int:
    """Return the line of the innermost known part of ``path``."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def _problem(detail: ErrorDetails, place: _ValidatedPart) -> Problem:
    path = place.base + tuple(part for part in detail["loc"] if part != KEY)
    line, field = line_of(place.lines, path), field_name(path)
    odd, instead = odd_character(_text_of(detail))
    hint = f"; write {instead}" if odd else _hint(detail, place.model)
    found = _found(detail) + (f" with {odd}" if odd else "")
    return Problem(place.file, line, field, found, _expected(detail) + hint)


def _text_of(detail: ErrorDetails) -> str:
    """Return the wrong text: a field's name, or a value; empty if the value is not text."""
    text = detail["loc"][-1] if detail["type"] == "extra_forbidden" else detail["input"]
    return text if isinstance(text, str) else ""


def _found(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "nothing"
    if detail["type"] == "extra_forbidden":
        return "a merge key" if detail["loc"][-1] == _MERGE_KEY else "an unknown field"
    flaw = detail.get("ctx", {}).get("flaw", "")
    return f"{describe(detail['input'])}{flaw}"


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] in _EXPECTED:
        return _EXPECTED[detail["type"]]
    if detail["type"] == "extra_forbidden":
        return "only the documented fields"
    text = detail["msg"].replace(", 'managed-clusters' or 'unknown'", " or 'managed-clusters'")
    if detail["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(detail["ctx"]["pattern"], text)
    return re.sub(r"^(?:Input|Value|\w+) should (?:be|have) ", "", text)


# --- suggestions ----------------------------------------------------------------------------------


def _hint(detail: ErrorDetails, model: type[BaseModel] | None) -> str:
    """Return a suggestion to append to what is expected; often empty."""
    hint = _HINTS.get(detail["type"])
    return hint(detail, model) if hint and model else ""


def _field_hint(detail: ErrorDetails, model: type[BaseModel]) -> str:
    *around, name = detail["loc"]
    if name == _MERGE_KEY:
        return ", each written out"
    return did_you_mean(str(name), fields_at(model, around), _CLOSE)


def _choice_hint(detail: ErrorDetails, model: type[BaseModel]) -> str:
    near = nearest(str(detail["input"]), values_at(model, detail["loc"]))
    return f"; did you mean {near!r}?" if near else ""


def _text_hint(detail: ErrorDetails, _: type[BaseModel]) -> str:
    return ", in quotes" if isinstance(detail["input"], int | float) else ""


def _number_hint(detail: ErrorDetails, _: type[BaseModel]) -> str:
    is_quoted = isinstance(detail["input"], str) and _NUMBER.fullmatch(detail["input"])
    return ", without quotes" if is_quoted else ", such as 10"


def _boolean_hint(detail: ErrorDetails, _: type[BaseModel]) -> str:
    meaning = _YES_OR_NO.get(str(detail["input"]).lower(), "")
    if meaning == detail["input"]:
        return ", without quotes"
    return f"; did you mean {meaning}?" if meaning else ""


_HINTS: dict[str, Callable[[ErrorDetails, type[BaseModel]], str]] = {
    "extra_forbidden": _field_hint,
    "literal_error": _choice_hint,
    "string_type": _text_hint,
    "int_type": _number_hint,
    "float_type": _number_hint,
    "bool_type": _boolean_hint,
}
