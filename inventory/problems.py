"""What pydantic found wrong, in words: file, line, field, what was found, what was expected."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from inventory.documents import Path, field_name
from inventory.errors import Problem
from inventory.visible_text import VISIBLE
from inventory.wording import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_CLOSE = 0.75
_PATTERNS = {r"^[!-~]+$": "visible ASCII characters without spaces", VISIBLE: "text, not blank"}
_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "missing": "a value",
    "model_type": "a mapping",
    "string_type": "text",
    "too_short": "at least one",
    "tuple_type": "a list",
}


def problems_of(
    error: ValidationError, file: str, lines: Mapping[Path, int], base: Path = ()
) -> list[Problem]:
    """Turn every complaint of ``error`` into a located problem.

    ``base`` is the path, inside the file, of what was validated.
    """
    details = error.errors(include_url=False, include_context=True)
    return [
        _problem(detail, file, lines, base) for detail in details if not _follows(detail, details)
    ]


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of the innermost known part of ``path``."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Say whether the complaint only follows from another: a list "too short" by its bad items."""
    loc, size = detail["loc"], len(detail["loc"])
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > size and other["loc"][:size] == loc for other in details
    )


def _problem(detail: ErrorDetails, file: str, lines: Mapping[Path, int], base: Path) -> Problem:
    path = base + tuple(part for part in detail["loc"] if part != "[key]")
    line, field = line_of(lines, path), field_name(path)
    return Problem(file, line, field, _found(detail), _expected(detail))


def _found(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "nothing"
    if detail["type"] == "extra_forbidden":
        return "an unknown field"
    return describe(detail["input"])


def _expected(detail: ErrorDetails) -> str:
    if detail["type"] in _EXPECTED:
        return _EXPECTED[detail["type"]]
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), _known_fields(), 1, _CLOSE)
        return f"{near[0]!r} perhaps" if near else "only the documented fields"
    text = detail["msg"].replace(", 'managed-clusters' or 'unknown'", " or 'managed-clusters'")
    if detail["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(detail["ctx"]["pattern"], text)
    return re.sub(r"^(?:Input|Value|\w+) should (?:be|have) ", "", text)


@lru_cache(maxsize=1)
def _known_fields() -> tuple[str, ...]:
    from inventory import models  # noqa: PLC0415 (only when a mistake is to be explained)

    kinds: list[Any] = [kind for kind in vars(models).values() if isinstance(kind, type)]
    entries = [kind for kind in kinds if issubclass(kind, BaseModel)]
    fields = [field for entry in entries for field in entry.model_fields.items()]
    return tuple(sorted({field.alias or name for name, field in fields}))
