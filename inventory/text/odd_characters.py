"""Characters that look like others, or like nothing, and that nobody means to type into a file."""

from __future__ import annotations

import re

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_QUOTES = "\u2018-\u201f\u2032\u2033\u00ab\u00bb\u2039\u203a\uff02\uff07"
_HIDDEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_ODD = re.compile(f"[{_SPACES}{_QUOTES}{_HIDDEN}]")
_INSTEAD = (
    (re.compile("\u00a0"), "a non-breaking space", "ordinary spaces"),
    (re.compile(f"[{_SPACES}]"), "a space that is no ordinary one", "ordinary spaces"),
    (re.compile(f"[{_QUOTES}]"), "a curly quote", "straight quotes"),
    (re.compile(f"[{_HIDDEN}]"), "an invisible character", "text without it"),
)


def odd_character(text: str) -> tuple[str, str]:
    """Return what the first odd character of ``text`` is, and what to write instead.

    Both are empty if there is none.
    """
    found = _ODD.search(text)
    if found is None:
        return "", ""
    named = f"(U+{ord(found[0]):04X})"
    return next((f"{what} {named}", to) for odd, what, to in _INSTEAD if odd.match(found[0]))
