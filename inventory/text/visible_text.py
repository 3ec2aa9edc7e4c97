"""Text as a reader sees it: what is invisible, and whether two names look like one person's."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLANK = (
    (0x115F, 0x1160),  # fillers of Hangul
    (0x2800, 0x2800),  # the pattern of Braille without a dot
    (0x3164, 0x3164),
    (0xFFA0, 0xFFA0),
    (0x13441, 0x13442),  # blanks of hieroglyphs
    (0x16FE4, 0x16FE4),  # a filler of Khitan
    (0x1D159, 0x1D159),  # a musical note that is not drawn
)
"""Characters that show as a space or as nothing, depending on the font."""

_HIDDEN = (
    (0x00, 0x08),
    (0x0E, 0x1F),
    (0x7F, 0x84),
    (0x86, 0x9F),
    (0xAD, 0xAD),
    (0x034F, 0x034F),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x2D7F, 0x2D7F),  # a joiner of Tifinagh
    (0xE000, 0xF8FF),  # private use: no standard defines its look
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFFC),
    (0x1107F, 0x1107F),  # a joiner of Brahmi
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
    (0xF0000, 0x10FFFF),  # private use
)
"""Characters that are not drawn: controls (Cc), formats (Cf), Default_Ignorable_Code_Point."""

UNSEEN = _BLANK + _HIDDEN
"""All invisible characters, as ranges of code points."""

_LAST_OF_FOUR_DIGITS = 0xFFFF
_PARTNERS = {"(": ")", "[": "]", "{": "}", "<": ">", "\u00ab": "\u00bb", "\u2039": "\u203a"}
"""The closing brackets that are not the next character after the opening one."""

_LOW_QUOTES = "\u201a\u201e\u2e42"
"""Quotation marks that Unicode lists among the opening brackets."""

_LONG, _SHORT, _PYTHON = "\\x{{{:X}}}", "\\u{:04x}", "\\U{:08x}"
"""Escapes of a character by number, in three pattern languages."""


def _ranges(style: str, ranges: Iterable[tuple[int, int]]) -> str:
    """Write ``ranges`` of characters for the class of a regular expression."""
    ends = [[style.format(end) for end in dict.fromkeys(span)] for span in ranges]
    return "".join(map("-".join, ends))


_narrow = [span for span in UNSEEN if span[1] <= _LAST_OF_FOUR_DIGITS]
VISIBLE = rf"[^\s{_ranges(_LONG, UNSEEN)}]"
"""Matches a visible character; in the pattern language of pydantic."""

VISIBLE_NARROW = rf"[^\s{_ranges(_SHORT, _narrow)}]"
"""The same in what all pattern languages share: only characters up to U+FFFF are excluded."""

_HALF = re.compile(r"[\ud800-\udfff]")
_HIDDEN_ONES = re.compile(rf"[\ud800-\udfff{_ranges(_PYTHON, _HIDDEN)}]+")
_BLANK_ONES = re.compile(f"[{_ranges(_PYTHON, _BLANK)}]+")


def visible(text: str, blank: str = " ") -> str:
    """Return ``text`` as a reader sees it: without invisible characters, with single spaces.

    ``blank`` replaces characters that show as a space in one font and as nothing in another.
    """
    return " ".join(_BLANK_ONES.sub(blank, _HIDDEN_ONES.sub("", text)).split())


def same_person(one: str, two: str) -> bool:
    """Say whether two names look like those of one person, with or without remarks in brackets.

    Letters of different alphabets that look alike are different letters here.
    """
    return not _names(one).isdisjoint(_names(two))


def _names(name: str) -> set[str]:
    """Return the spellings by which a name is compared; none is empty."""
    plain = [_folded(visible(_folded(name), blank)) for blank in (" ", "")]
    spellings = {spelling for text in plain for spelling in _spellings(text)}
    return spellings - {""} or {_folded(name)}


def _folded(text: str) -> str:
    """Return ``text`` in Unicode's compatibility form (NFKD), without case.

    Folding the case can give characters that decompose, and decomposing can give upper case. So
    both are done twice, as in the compatibility caseless match of the Unicode Standard (D146).
    """
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKD", text)


def _spellings(name: str) -> Iterator[str]:
    """Yield the name without its remarks, and with them but without their brackets.

    If the name consists of remarks only, the first remark is the name.
    """
    bare = [" " if _is_bracket(character) else character for character in name]
    start = next((at for at, character in enumerate(bare) if character != " "), len(name))
    yield visible("".join(bare))
    yield _without_remarks(name) or _without_remarks(name[start:])


def _without_remarks(name: str) -> str:
    """Return the name without text in brackets; an unclosed bracket extends to the end."""
    kept = ""
    awaited: list[str] = []
    for character in name:
        is_inside = bool(awaited)
        if _opens(character):
            awaited.append(_PARTNERS.get(character) or chr(ord(character) + 1))
        elif is_inside and character == awaited[-1]:
            awaited.pop()
        kept += " " if is_inside or _is_bracket(character) else character
    return visible(kept)


def has_surrogate(text: str) -> bool:
    """Say whether ``text`` holds an unpaired surrogate; JSON can escape one, UTF-8 has none."""
    return _HALF.search(text) is not None


def _opens(character: str) -> bool:
    is_listed = unicodedata.category(character) == "Ps" and character not in _LOW_QUOTES
    return is_listed or character in _PARTNERS


def _is_bracket(character: str) -> bool:
    is_closing = unicodedata.category(character) == "Pe" or character in _PARTNERS.values()
    return is_closing or _opens(character)
