"""What of a text deceives whoever reads it, and where a text may be cut without changing a letter.

Letters of every script, and emoji, are what people call things by. Deceptive is what steers a
terminal, turns text around, hides, or piles up over its neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from functools import lru_cache

from inventory.text.visible_text import UNSEEN

_JOINING = (
    (0x0600, 0x08FF),  # Arabic, Syriac, N'Ko and their kin
    (0x0900, 0x0DFF),  # the scripts of India and Sri Lanka
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x18AF),  # Khmer and Mongolian
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFE),
)
"""Scripts that write joiners, which are not drawn, between their letters."""

_OTHER_EMOJI = "\u203c\u2049\u2139\u2194\u25fb\u25fc\u25fd\u25fe\u3030\u303d"
"""Emoji that are no symbols by their category."""

_FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"
_FLAGS = re.compile(f"[{_FLAG_LETTERS}]+")
_SKIN = range(0x1F3FB, 0x1F400)
_SIGNS = {" ": "P", "\u200c": "N", "\u200d": "Z", "\ufe0e": "V", "\ufe0f": "V", "\u20e3": "K"}
_DIGITS = dict.fromkeys("0123456789#*", "D")
_STARTS = sorted(first for first, _ in UNSEEN)
_ENDS = dict(UNSEEN)
_FINE = re.compile(
    "E[VT]?(?:ZE[VT]?){0,9}"  # emoji, joined ones too: families, flags with a picture
    "|DV?K"  # keys of a keypad
    "|JM{0,3}[ZN](?=J)"  # a joiner between two letters of a script that has some
    "|[LJ](?:M{1,3}(?!M))?"  # a letter with its accents or vowels
    "|[LJDETP]"
)
"""What does not deceive, in the letters that ``_class_of`` gives to characters."""

_MOST_BACK = 16
"""How many characters one that is drawn may be made of, so that a cut looks no further back."""


@lru_cache(maxsize=4_096)
def _class_of(character: str) -> str:
    """Return what a character is, as a letter.

    L a letter or number, J one of a script with joiners, M a mark on it, D a digit of a keypad and
    K its frame, E an emoji, T its tone of skin, V what chooses its form, Z and N the joiners, P all
    else that is seen, X what never is.
    """
    if known := _SIGNS.get(character) or _DIGITS.get(character):
        return known
    code, category = ord(character), unicodedata.category(character)
    if category[0] in "CZ" or category == "Me" or _is_unseen(code):
        return "X"
    if code in _SKIN:
        return "T"
    if category == "So" or character in _OTHER_EMOJI:
        return "E"
    if category[0] == "L" and any(first <= code <= last for first, last in _JOINING):
        return "J"
    return {"L": "L", "N": "L", "M": "M"}.get(category[0], "P")


def _is_unseen(code: int) -> bool:
    place = bisect(_STARTS, code)
    return place > 0 and code <= _ENDS[_STARTS[place - 1]]


def deceptive_positions(text: str) -> set[int]:
    """Return the places of the characters of ``text`` that deceive its reader."""
    if text.isascii() and text.isprintable():
        return set()
    classes = "".join(map(_class_of, text))
    fine = (place for found in _FINE.finditer(classes) for place in range(*found.span()))
    return set(range(len(text))).difference(fine)


def cut_at(text: str, longest: int) -> int:
    """Return where to cut ``text`` so that at most ``longest`` characters are left.

    What is drawn as one stays whole: a letter with its marks, joined emoji, a flag.
    """
    if len(text) <= longest:
        return len(text)
    places = range(longest, max(0, longest - _MOST_BACK), -1)
    return next((place for place in places if _is_between(text, place)), longest)


def _is_between(text: str, place: int) -> bool:
    """Say whether what is drawn ends before ``place``."""
    before, after = _class_of(text[place - 1]), _class_of(text[place])
    if after in "MVTKZN" or before in "ZN":
        return False
    flags = [found for found in _FLAGS.finditer(text) if found.start() < place < found.end()]
    return all((place - found.start()) % 2 == 0 for found in flags)
