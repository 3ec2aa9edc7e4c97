"""Untrusted text made safe for Markdown: it formats, links and mentions nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports.presentation.sanitize import LONGEST, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LETTERS, _NUMBER = r"[^\W\d_]+(?:[-’'][^\W\d_]+)*", r"[0-9]+(?:[.,][0-9]+)*"
_OPENING, _CLOSING = "(“\"'", ")”’\"'.,;:!?…"
_WORD = re.compile(rf"[{_OPENING}]*(?:{_LETTERS}|{_NUMBER})[{_CLOSING}]*")
_SAFE_ALONE = {"/", "\N{EN DASH}", "\N{EM DASH}", "…"}
_UNSAFE_IN_CODE = str.maketrans({"`": "(U+0060)", "|": "(U+007C)"})


def code(text: str) -> str:
    """Render ``text`` as code: it mentions nobody, links nothing and formats nothing."""
    shown = plain(text).translate(_UNSAFE_IN_CODE)
    return f"`{shown}`" if shown.strip() else "(empty)"


def identifiers(names: Iterable[str], kinds: Iterable[str] = ()) -> re.Pattern[str] | None:
    """Return a pattern of ``names`` that are words of their own in a sentence; None without names.

    Names that follow each other after a slash are one match, and so are ``kinds`` after a name.
    """
    shown = {plain(name).strip(" ") for name in names}
    known = sorted(filter(_is_long_enough, shown), key=lambda name: (-len(name), name))
    if not known:
        return None
    any_name = "|".join(map(re.escape, known))
    any_part = "|".join([any_name, *map(re.escape, kinds)])
    whole = rf"(?:{any_name})(?: / (?:{any_part}))*"
    return re.compile(rf"(?<!\S)([{_OPENING}]*)({whole})([{_CLOSING}]*)(?!\S)")


def _is_long_enough(name: str) -> bool:
    """Return whether ``name`` is no single letter, such as a word of English is."""
    return len(name) > 1


def prose(text: str, longest: int = LONGEST, known: re.Pattern[str] | None = None) -> str:
    """Render a sentence: its plain words as they are, and everything else in it as code.

    So are the identifiers ``known``, plain as they may be. Text beyond ``longest`` characters is
    cut.
    """
    shown = plain(text, longest)
    if known is None:
        return _words(shown)
    parts: list[str] = []
    end = 0
    for match in known.finditer(shown):
        opening, name, closing = match.groups()
        parts += [_words(shown[end : match.start()].strip(" ")), f"{opening}{code(name)}{closing}"]
        end = match.end()
    return " ".join(filter(None, [*parts, _words(shown[end:].strip(" "))]))


def _words(text: str) -> str:
    parts: list[str] = []
    unsafe: list[str] = []
    for word in text.split(" "):
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
