"""Text of unknown origin made fit to be read: nothing in it hides, turns around or floods."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from inventory.text.deceptive_text import cut_at, deceptive_positions

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 300
"""How many characters of a text are shown before the reader is sent to the data file."""

_MOST_RUNS, _MOST_CODES = 20, 8

_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff"
_FROM_RIGHT = re.compile(f"[{_RIGHT}]+(?:[ \u200c\u200d-]+[{_RIGHT}]+)*")
"""Words that are written from right to left, and would turn around what stands beside them."""


def visible(
    text: str, longest: int = LONGEST, whole: str = "findings.ndjson", *, prose: bool = False
) -> Markup:
    """Render ``text`` with every character that cannot be seen named by its code point.

    Beyond ``longest`` characters it is cut, and says that ``whole`` holds all of it. In ``prose``
    line breaks stay line breaks.
    """
    if len(text) <= longest and not deceptive_positions(text):
        return _set_apart(text)
    kept = text.strip("\n") if prose else text
    shown, read = _with_codes(kept[: cut_at(kept, longest)], keep="\n" if prose else "")
    if read == len(kept):
        return shown
    cut = Markup("{}<span class=cut>… ({:,} characters; whole in {})</span>")
    return cut.format(shown, len(kept), whole)


def name(text: str, longest: int = LONGEST, whole: str = "findings.ndjson") -> Markup:
    """Render ``text`` as ``visible`` does, set apart from the direction of what surrounds it.

    Plain ASCII has one direction only and needs no element of its own, which counts in long pages.
    """
    if len(text) <= longest and text.isascii() and text.isprintable():
        return escape(text)
    is_plain = len(text) <= longest and not deceptive_positions(text)
    shown = escape(text) if is_plain else visible(text, longest, whole)
    return Markup("<bdi>") + shown + Markup("</bdi>")


def prose(text: str, longest: int = 2_000, whole: str = "audit.json") -> Markup:
    """Render ``text`` that people wrote at length, with its line breaks."""
    return visible(text, longest, whole, prose=True)


def plain(text: str, longest: int = LONGEST) -> str:
    """Render ``text`` as ``visible`` does, for where there is no markup: on one line."""
    if len(text) <= longest and not deceptive_positions(text):
        return text
    runs = list(_runs(text[: cut_at(text, longest)]))
    shown = "".join(f"({_codes(run)})" if is_odd else run for is_odd, run in runs)
    is_whole = sum(len(run) for _, run in runs) == len(text)
    return shown if is_whole else f"{shown}… ({len(text):,} characters)"


def _set_apart(text: str) -> Markup:
    """Escape ``text``, and let words from right to left turn nothing around that is beside them."""
    if text.isascii():
        return escape(text)
    return Markup(_FROM_RIGHT.sub(r"<bdi>\g<0></bdi>", str(escape(text))))  # noqa: S704 (escaped)


def _with_codes(text: str, keep: str) -> tuple[Markup, int]:
    """Return ``text`` with its odd characters named, and how many characters were read for it."""
    parts: list[str] = []
    read = 0
    for is_odd, run in _runs(text, keep):
        named = f"<span class=code-point>{_codes(run)}</span>"
        parts.append(named if is_odd else str(_set_apart(run)))
        read += len(run)
    return Markup("".join(parts)), read  # noqa: S704 (every part is escaped above)


def _runs(text: str, keep: str = "") -> Iterator[tuple[bool, str]]:
    """Yield what is odd in ``text`` and what is not, in turns.

    It ends where oddities become so many that a page of them could not be opened.
    """
    odd = {place for place in deceptive_positions(text) if text[place] not in keep}
    runs = 0
    for is_odd, places in groupby(range(len(text)), odd.__contains__):
        runs += is_odd
        if runs > _MOST_RUNS:
            return
        yield is_odd, "".join(text[place] for place in places)


def _codes(run: str) -> str:
    """Render characters by their code points, the first few of them in full."""
    named = " ".join(f"U+{ord(each):04X}" for each in run[:_MOST_CODES])
    return f"{named} and {len(run) - _MOST_CODES:,} more" if len(run) > _MOST_CODES else named
