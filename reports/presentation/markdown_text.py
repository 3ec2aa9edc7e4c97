"""Untrusted text made safe for Markdown: it formats, links and mentions nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports.presentation.sanitize import LONGEST, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LETTERS, _NUMBER = r"[^\W\d_]+(?:[-’'][^\W\d_]+)*", r"[0-9]+(?:[.,][0-9]+)*"
_WORD = re.compile(rf"[(“\"']*(?:{_LETTERS}|{_NUMBER})[)”’\"'.,;:!?…]*")
_SAFE_ALONE = {"/", "\N{EN DASH}", "\N{EM DASH}", "…"}
_UNSAFE_IN_CODE = str.maketrans({"`": "(U+0060)", "|": "(U+007C)"})


def code(text: str) -> str:
    """Render ``text`` as code: it mentions nobody, links nothing and formats nothing."""
    shown = plain(text).translate(_UNSAFE_IN_CODE)
    return f"`{shown}`" if shown.strip() else "(empty)"


def prose(text: str, longest: int = LONGEST) -> str:
    """Render a sentence: its plain words as they are, and everything else in it as code.

    Text beyond ``longest`` characters is cut.
    """
    parts: list[str] = []
    unsafe: list[str] = []
    for word in plain(text, longest).split(" "):
        if _WORD.fullmatch(word) or word in _SAFE_ALONE:
            parts += [*_as_code(unsafe), word]
            unsafe = []
        elif word:
            unsafe.append(word)
    return " ".join([*parts, *_as_code(unsafe)])


def table(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table; names and cells are Markdown already."""
    for row in (columns, ["---"] * len(columns), *rows):
        yield f"| {' | '.join(row)} |"


def _as_code(words: Sequence[str]) -> Iterator[str]:
    if words:
        text = " ".join(words)
        # Punctuation at the end stays outside, so that a copied id is the id alone.
        bare = text.rstrip(".,;:!?") or text
        yield f"{code(bare)}{text[len(bare) :]}"
