"""Text of unknown origin made fit for Markdown: it sets, links and mentions nothing."""

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
    """Render ``text`` as code: nobody is mentioned by it, and nothing is linked or set by it."""
    shown = plain(text).translate(_UNSAFE_IN_CODE)
    return f"`{shown}`" if shown.strip() else "(empty)"


def prose(text: str, longest: int = LONGEST) -> str:
    """Render a sentence: its plain words as they are, and whatever else stands in it as code.

    What is beyond ``longest`` characters is cut.
    """
    told: list[str] = []
    strange: list[str] = []
    for word in plain(text, longest).split(" "):
        if _WORD.fullmatch(word) or word in _SAFE_ALONE:
            told += [*_spell(strange), word]
            strange = []
        elif word:
            strange.append(word)
    return " ".join([*told, *_spell(strange)])


def table(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table; names and cells are Markdown already."""
    for row in (columns, ["---"] * len(columns), *rows):
        yield f"| {' | '.join(row)} |"


def _spell(words: Sequence[str]) -> Iterator[str]:
    if words:
        text = " ".join(words)
        bare = text.rstrip(".,;:!?") or text
        yield f"{code(bare)}{text[len(bare) :]}"
