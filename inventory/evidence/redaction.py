"""Removes secrets from the body of an answer before it is recorded."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

from inventory.files.documents import MOST_NESTED, refuse_constant
from inventory.text.canonical_json import compact_json
from inventory.text.secrets import HIDDEN, Scrubber

SENSITIVE = frozenset(
    {
        *("user", "username", "password", "secret", "token", "credentials"),
        *("accesstoken", "refreshtoken", "sessiontoken", "idtoken", "granttoken", "assertion"),
        *("secretaccesskey", "clientsecret", "privatekey", "plaintext", "ciphertextblob"),
    }
)
"""Fields whose values are never recorded, beside all named ``secureBundle…Url``.

In lower case; in an answer a name may be in any case, and its words divided by ``_`` or ``-``.
"""

KEY_MATERIAL = frozenset({"k", "d", "p", "q", "dp", "dq", "qi", "n"})
"""Fields of a key in JSON (JWK) that are never recorded: its private parts, and the long ``n``.

They are too short to be known by their names alone: an object that has them is a key if it also
says of what type, in its field ``kty``.
"""

_ANY_CASE = "|".join("[_-]?".join(name) for name in sorted(SENSITIVE))

# A sensitive field in text that is no JSON. A string ends at its quote, an object or list only
# with the text, as brackets cannot be counted in broken JSON.
_VALUE = r'("(?:[^"\\]|\\.)*+"?|[\[{].*|[^\s,}\]]++)'
_FIELD = re.compile(
    rf'"({_ANY_CASE}|securebundle[a-z]*url)"\s*:\s*{_VALUE}', re.IGNORECASE | re.DOTALL
)
_KEY_FIELD = re.compile(rf'"({"|".join(sorted(KEY_MATERIAL))})"\s*:\s*{_VALUE}', re.DOTALL)
_KEY_TYPE = '"kty"'

_UNCLEAR = ("\\", "\n", "\r", "\t", "\x7f")
"""With any of these, a body is rendered again: it is escaped, in several lines, or unreadable."""

_LONGEST_TEXT = 20_000


class _DuplicateKeyError(ValueError):
    """An object names a key twice."""


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _DuplicateKeyError
    return fields


class _RedactingDecoder:
    """Decodes JSON, and hides the values of sensitive fields on the way."""

    def __init__(self) -> None:
        self.redactions: Counter[str] = Counter()
        self._harmless: set[str] = set()
        self._decode = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=refuse_constant,
            parse_float=_finite,
        ).decode

    def read(self, text: str) -> Any:  # noqa: ANN401 (whatever the body holds)
        value = self._decode(text)
        if _is_too_deep(value):
            raise RecursionError
        return value

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = _unique_fields(pairs)
        # Answers repeat the same few names thousands of times: each is examined once.
        if not fields.keys() <= self._harmless:
            for name in fields.keys() - self._harmless:
                self._redact_field(fields, name)
        if "kty" in fields:
            for name in fields.keys() & KEY_MATERIAL:
                self._hide(fields, name)
        return fields

    def _redact_field(self, fields: dict[str, Any], name: str) -> None:
        if _is_sensitive(name):
            self._hide(fields, name)
        else:
            self._harmless.add(name)

    def _hide(self, fields: dict[str, Any], name: str) -> None:
        if fields[name]:
            fields[name] = HIDDEN
            self.redactions[name] += 1


@lru_cache(1_024)  # answers have the same names again and again
def _is_sensitive(name: str) -> bool:
    low = name.lower().replace("_", "").replace("-", "")
    return low in SENSITIVE or (low.startswith("securebundle") and low.endswith("url"))


def _finite(digits: str) -> float:
    number = float(digits)  # 1e999 is valid JSON, but would be written as Infinity, which is not
    return number if math.isfinite(number) else refuse_constant(digits)


def _is_too_deep(value: object) -> bool:
    """Say whether ``value`` is nested so deeply that reading it again might fail."""
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_NESTED):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
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
    """Return ``body`` without secrets, as JSON, or as text if it is no JSON.

    Sensitive fields are hidden by name; after that, the scrubber hides the token wherever it is.
    """
    try:
        text = body.decode("utf-8")
        reader = _RedactingDecoder()
        value = reader.read(text)
        kept = _keep_text(text, reader.redactions)
        if kept is not None and scrubber.is_clean(kept):
            return Redacted(value, None, dict(sorted(reader.redactions.items())), kept)
        return _scrub(value, reader.redactions, scrubber)
    except (ValueError, RecursionError):
        text, redactions = _redact_text(body.decode("utf-8", errors="backslashreplace"), scrubber)
        return Redacted(None, text, redactions, compact_json(text))


def _keep_text(text: str, redactions: Counter[str]) -> str | None:
    """Return the JSON ``text`` as it came, but for the fields that were redacted; None in doubt.

    That takes a fraction of the time in which its value is rendered. Without a backslash, quotes
    are only at the ends of strings. So a field with a string as value is found by its quotes, and
    if as many are found as were redacted, they are those: every field of such a name is redacted,
    unless it is empty.
    """
    if not text.isascii() or any(mark in text for mark in _UNCLEAR):
        return None
    if not redactions:
        return text
    if redactions.keys() & KEY_MATERIAL:  # redacted in some objects, and not in others
        return None
    count = 0
    for name in redactions:
        text, found = _hide_strings(text, f'"{name}":"')
        count += found
    return text if count == redactions.total() else None


def _hide_strings(text: str, start: str) -> tuple[str, int]:
    """Return ``text`` without the strings that begin at each ``start``, and how many there were."""
    first, *others = text.split(start)
    values = [other.partition('"') for other in others]
    hidden = [f"{HIDDEN}{quote}{rest}" if value else quote + rest for value, quote, rest in values]
    return start.join([first, *hidden]), sum(bool(value) for value, _, _ in values)


def _redact_text(text: str, scrubber: Scrubber) -> tuple[str, dict[str, int]]:
    """Return text without secrets; parts of it may be JSON that was cut off."""
    redactions: Counter[str] = Counter()

    def hide(field: re.Match[str]) -> str:
        redactions[field[1]] += 1
        return f'"{field[1]}": "{HIDDEN}"'

    redacted = _FIELD.sub(hide, text)
    if _KEY_TYPE in text:
        redacted = _KEY_FIELD.sub(hide, redacted)
    redacted = scrubber.scrub(redacted)
    # Cut last: half of a token at the end would not be recognized.
    return redacted[:_LONGEST_TEXT], dict(sorted(redactions.items()))


def _scrub(
    value: Any,  # noqa: ANN401 (whatever the body holds)
    redactions: Counter[str],
    scrubber: Scrubber,
) -> Redacted:
    counts, body = dict(sorted(redactions.items())), compact_json(value)
    if scrubber.is_clean(body):
        return Redacted(value, None, counts, body)
    clean = _scrub_value(value, scrubber)
    return Redacted(clean, None, counts | {"(secrets in texts)": 1}, compact_json(clean))


def _scrub_value(value: Any, scrubber: Scrubber) -> Any:  # noqa: ANN401 (as above)
    if isinstance(value, str):
        return scrubber.scrub(value)
    if isinstance(value, list):
        return [_scrub_value(item, scrubber) for item in value]
    if isinstance(value, dict):
        return {scrubber.scrub(name): _scrub_value(item, scrubber) for name, item in value.items()}
    return value


def parse_body(body: str) -> Any:  # noqa: ANN401 (as above)
    """Return the value of a recorded body; raise ValueError or RecursionError if it has none."""
    value = json.loads(
        body,
        object_pairs_hook=_unique_fields,
        parse_constant=refuse_constant,
        parse_float=_finite,
    )
    if _is_too_deep(value):
        raise RecursionError
    return value
