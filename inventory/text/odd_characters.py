"""Characters that look like others, or are invisible, and get into files by mistake."""

from __future__ import annotations

import re

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_QUOTES = "\u2018-\u201f\u2032\u2033\u00ab\u00bb\u2039\u203a\uff02\uff07"
_HIDDEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_ODD = re.compile(f"[{_SPACES}{_QUOTES}{_HIDDEN}]")
_INSTEAD = (
    (re.compile("\u00a0"), "a non-breaking space", "ordinary spaces"),
    (re.compile(f"[{_SPACES}]"), "an unusual space", "ordinary spaces"),
    (re.compile(f"[{_QUOTES}]"), "a curly quote", "straight quotes"),
    (re.compile(f"[{_HIDDEN}]"), "an invisible character", "text without it"),
)


def odd_character(text: str) -> tuple[str, str]:
    """Return a description of the first odd character of ``text``, and what to write instead.

    Both are empty if there is none.
    """
    match = _ODD.search(text)
    if match is None:
        return "", ""
    code = f"(U+{ord(match[0]):04X})"
    return next((f"{what} {code}", to) for odd, what, to in _INSTEAD if odd.match(match[0]))
