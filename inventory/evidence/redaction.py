"""The body of an answer without secrets."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NamedTuple

from inventory.files.documents import MOST_NESTED, refuse_constant
from inventory.text.canonical_json import compact_json
from inventory.text.secrets import HIDDEN, Scrubber

SENSITIVE = frozenset({"user", "username", "password", "secret", "token", "credentials"})
"""Fields that are never recorded, beside all named ``secureBundle…Url``."""

_FIELD = re.compile(
    rf'"({"|".join(sorted(SENSITIVE))}|securebundle[a-z]*url)"\s*:\s*'
    r'("(?:[^"\\]|\\.)*+"?|[\[{].*|[^\s,}\]]++)',
    re.IGNORECASE | re.DOTALL,
)

_NESTS = (dict, list)

_LONGEST_TEXT = 20_000


class _DuplicateKeyError(ValueError):
    """An object names a key twice."""


class _RedactingDecoder:
    """Reads JSON, and blanks sensitive fields on the way."""

    def __init__(self) -> None:
        self.redactions: Counter[str] = Counter()
        self._plain: set[str] = set()
        self._decode = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=refuse_constant,
            parse_float=_finite,
        ).decode

    def read(self, text: str) -> Any:  # noqa: ANN401 (whatever the body holds)
        value = self._decode(text)
        if _is_deep(value):
            raise RecursionError
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _DuplicateKeyError
        if not found.keys() <= self._plain:
            for name in found.keys() - self._plain:
                self._look_at(found, name)
        return found

    def _look_at(self, found: dict[str, Any], name: str) -> None:
        """Blank the field if it is sensitive; else remember that all of this name are plain."""
        if not _is_sensitive(name):
            self._plain.add(name)
        elif found[name]:
            found[name] = HIDDEN
            self.redactions[name] += 1


def _is_sensitive(name: str) -> bool:
    low = name.lower()
    return low in SENSITIVE or (low.startswith("securebundle") and low.endswith("url"))


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else refuse_constant(digits)


def _is_deep(value: object) -> bool:
    """Say whether ``value`` is nested so deep that reading it again might fail."""
    level: list[Any] = [value]
    for _ in range(MOST_NESTED):
        level = [
            inner
            for each in level
            if isinstance(each, _NESTS)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, _NESTS)
        ]
        if not level:
            return False
    return True


class Redacted(NamedTuple):
    """A body without secrets; the fields are those of an exchange."""

    value: Any
    text: str | None
    redactions: dict[str, int]
    body: str


def redact_body(body: bytes, scrubber: Scrubber) -> Redacted:
    """Return what may be recorded of ``body``; the text is None if it is JSON."""
    try:
        reader = _RedactingDecoder()
        value = reader.read(body.decode("utf-8"))
        return _scrubbed(value, reader.redactions, scrubber)
    except (ValueError, RecursionError):
        text, redactions = _shown(body.decode("utf-8", errors="backslashreplace"), scrubber)
        return Redacted(None, text, redactions, compact_json(text))


def _shown(text: str, scrubber: Scrubber) -> tuple[str, dict[str, int]]:
    """Return what can be shown of a text that is no JSON, though parts of it may look like it."""
    redactions: Counter[str] = Counter()

    def blank(field: re.Match[str]) -> str:
        redactions[field[1]] += 1
        return f'"{field[1]}": "{HIDDEN}"'

    shown = scrubber.scrub(_FIELD.sub(blank, text))
    return shown[:_LONGEST_TEXT], dict(sorted(redactions.items()))


def _scrubbed(
    value: Any,  # noqa: ANN401 (whatever the body holds)
    redactions: Counter[str],
    scrubber: Scrubber,
) -> Redacted:
    told, body = dict(sorted(redactions.items())), _written(value)
    if scrubber.is_clean(body):
        return Redacted(value, None, told, body)
    clean = _deep(value, scrubber)
    return Redacted(clean, None, told | {"(secrets in texts)": 1}, _written(clean))


def _deep(value: Any, scrubber: Scrubber) -> Any:  # noqa: ANN401 (as above)
    if isinstance(value, str):
        return scrubber.scrub(value)
    if isinstance(value, list):
        return [_deep(each, scrubber) for each in value]
    if isinstance(value, dict):
        return {scrubber.scrub(name): _deep(each, scrubber) for name, each in value.items()}
    return value


def _written(value: Any) -> str:  # noqa: ANN401 (as above)
    """Return a body as it is written: JSON in one line, of a list one entry a line."""
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(compact_json, value)) + "\n]"
    return compact_json(value)
