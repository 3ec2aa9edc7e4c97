"""Finds deceptive characters in a text, and positions at which a text can be cut.

Names may use the letters of every script, and emoji. Deceptive is what controls a terminal,
reverses text, is invisible, or stacks up over its neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from functools import lru_cache

from inventory.text.visible_text import UNSEEN

_JOINING = (
    (0x0600, 0x08FF),  # Arabic, Syriac, N'Ko and related scripts
    (0x0900, 0x0DFF),  # the scripts of India and Sri Lanka
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x18AF),  # Khmer and Mongolian
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFE),
)
"""Scripts that use invisible joiners between their letters."""

_OTHER_EMOJI = "\u203c\u2049\u2139\u2194\u25fb\u25fc\u25fd\u25fe\u3030\u303d"
"""Emoji that Unicode does not categorize as symbols."""

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
"""Harmless sequences, in the letters that ``_class_of`` gives to characters."""

_MOST_BACK = 16
"""The longest sequence of characters that is drawn as one; a cut looks no further back."""


@lru_cache(maxsize=4_096)
def _class_of(character: str) -> str:
    """Return the class of a character, as a letter.

    L: a letter or number; J: a letter of a script with joiners; M: a mark on a letter; D: a digit
    of a keypad, K: its frame; E: an emoji, T: its skin tone; V: a variation selector; Z and N: the
    joiners; P: any other visible character; X: an invisible or control character.
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
    index = bisect(_STARTS, code)
    return index > 0 and code <= _ENDS[_STARTS[index - 1]]


def deceptive_positions(text: str) -> set[int]:
    """Return the positions of the deceptive characters of ``text``."""
    if text.isascii() and text.isprintable():
        return set()
    # One class letter for each character, so that a pattern over classes has the text's positions.
    classes = "".join(map(_class_of, text))
    harmless = (at for match in _FINE.finditer(classes) for at in range(*match.span()))
    return set(range(len(text))).difference(harmless)


def cut_at(text: str, longest: int) -> int:
    """Return where to cut ``text`` so that at most ``longest`` characters remain.

    Characters that are drawn as one stay together: a letter with its marks, joined emoji, a flag.
    """
    if len(text) <= longest:
        return len(text)
    positions = range(longest, max(0, longest - _MOST_BACK), -1)
    return next((at for at in positions if _is_boundary(text, at)), longest)


def _is_boundary(text: str, at: int) -> bool:
    """Say whether a new drawn character begins at ``at``."""
    before, after = _class_of(text[at - 1]), _class_of(text[at])
    if after in "MVTKZN" or before in "ZN":
        return False
    # A flag is a pair of letters, so within a run of them a cut is possible after every second one.
    flags = [match for match in _FLAGS.finditer(text) if match.start() < at < match.end()]
    return all((at - match.start()) % 2 == 0 for match in flags)
