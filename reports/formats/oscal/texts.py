"""Texts, tokens, times and addresses as OSCAL's data types demand them.

No text is empty, and none has a blank at either end. Titles and descriptions are Markdown, so that
what is in names is shown as code. A time has a zone.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from reports.presentation.markdown_text import code
from reports.presentation.sanitize import plain

EMPTY = "(empty)"
"""What is shown for a text in which there is nothing to see."""

_LONGEST = 1_000
_LONGEST_VALUE = 2_000
_MOST_LINES = 50
_LIST_NUMBER = re.compile(r"^([0-9]+)(?=[.)])")
_TIME = re.compile(r"(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
_SAFE = (
    "[(“\"']*"
    "(?:[0-9]+(?:[.,][0-9]+)*|[^\\W_]+(?:['’-][^\\W_]+)*)"  # a number, or words with hyphens
    "[)”\"'.,;:!?…]*"
)
_UNSAFE = re.compile(rf"(?<!\S)(?!(?:{_SAFE}|[/\N{{EN DASH}}\N{{EM DASH}}…])(?!\S))\S+")
"""A word that Markdown, or whatever shows it, might take for more than a word."""

_PARENTHESES = re.compile(r"\(([^()]*)\)")
_NO_TOKEN = re.compile(r"[^a-z0-9._-]")


def value(text: str) -> str:
    """Render ``text`` as the value of a property, on one line; empty if nothing can be seen."""
    return plain(text, _LONGEST_VALUE).strip()


def line(text: str, longest: int = _LONGEST) -> str:
    """Render ``text`` as one line of Markdown, in which every word that is not plain is code."""
    return _line(text, longest) or EMPTY


def _line(text: str, longest: int) -> str:
    # One pattern for the whole text: an audit has several texts for each of its findings.
    return _UNSAFE.sub(_as_code, plain(text, longest).strip(" "))


def _as_code(match: re.Match[str]) -> str:
    word = match[0]
    # Punctuation at the end stays outside, so that a copied id is the id alone.
    bare = word.rstrip(".,;:!?") or word
    return f"{code(bare)}{word[len(bare) :]}"


def block(text: str, longest: int = _LONGEST) -> str:
    """Render ``text`` as Markdown in which each of its lines is a paragraph."""
    shown = [_line(part, longest) for part in text.split("\n")]
    lines = [_LIST_NUMBER.sub(r"\1\\", part) for part in shown if part]
    more = [f"{len(lines) - _MOST_LINES} more lines are left out."] * (len(lines) > _MOST_LINES)
    return "\n\n".join([*lines[:_MOST_LINES], *more]) or EMPTY


def control_token(identity: str) -> str:
    """Return the id of a control as OSCAL's catalogs write it: ``sc-28.1`` for ``SC-28(1)``."""
    dotted = _PARENTHESES.sub(r".\1", identity.lower().strip())
    token = _NO_TOKEN.sub("-", dotted)
    return token if token[:1].isalpha() else f"_{token}"


def time(text: str | None) -> str:
    """Return a time with its zone; empty if OSCAL has no such time, or there is none."""
    return text if text and _TIME.fullmatch(text) else ""


def first_second(day: str | None) -> str:
    """Return the time at which a ``day`` begins (UTC); empty as for ``time``."""
    return time(f"{day}T00:00:00Z")


def last_second(day: str | None) -> str:
    """Return the time at which a ``day`` ends (UTC); empty as for ``time``."""
    return time(f"{day}T23:59:59Z")


def address(path: str) -> str:
    """Return ``path`` as a reference; empty for the empty path, which names no file."""
    quoted = quote(path.lstrip("/"), errors="replace")
    return f"file:///{quoted}" if path.startswith("/") else quoted
