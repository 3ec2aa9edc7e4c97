"""Text of unknown origin made fit to be read: nothing in it hides, turns around or floods."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 300
"""How many characters of a text are shown before the reader is sent to the data file."""

_MOST_RUNS, _MOST_CODES = 20, 8

_ODD = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]"
    "|[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}"
)
"""What counts as printable and cannot be seen, or piles up over its neighbours."""


def visible(
    text: str, longest: int = LONGEST, whole: str = "findings.ndjson", *, prose: bool = False
) -> Markup:
    """Render ``text`` with every character that cannot be seen named by its code point.

    Beyond ``longest`` characters it is cut, and says that ``whole`` holds all of it. In ``prose``
    line breaks stay line breaks.
    """
    if len(text) <= longest and text.isprintable() and not _ODD.search(text):
        return escape(text)
    kept = text.strip("\n") if prose else text
    shown, read = _with_codes(kept[:longest], keep="\n" if prose else "")
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
    return Markup("<bdi>") + visible(text, longest, whole) + Markup("</bdi>")


def prose(text: str, longest: int = 2_000, whole: str = "audit.json") -> Markup:
    """Render ``text`` that people wrote at length, with its line breaks."""
    return visible(text, longest, whole, prose=True)


def plain(text: str, longest: int = LONGEST) -> str:
    """Render ``text`` as ``visible`` does, for where there is no markup: on one line."""
    if len(text) <= longest and text.isprintable() and not _ODD.search(text):
        return text
    runs = list(_runs(text[:longest]))
    shown = "".join(f"({_codes(run)})" if is_odd else run for is_odd, run in runs)
    is_whole = sum(len(run) for _, run in runs) == len(text)
    return shown if is_whole else f"{shown}… ({len(text):,} characters)"


def _with_codes(text: str, keep: str) -> tuple[Markup, int]:
    """Return ``text`` with its odd characters named, and how many characters were read for it."""
    parts: list[str] = []
    read = 0
    for is_odd, run in _runs(text, keep):
        named = f"<span class=code-point>{_codes(run)}</span>"
        parts.append(named if is_odd else str(escape(run)))
        read += len(run)
    return Markup("".join(parts)), read  # noqa: S704 (every part is escaped above)


def _runs(text: str, keep: str = "") -> Iterator[tuple[bool, str]]:
    """Yield what is odd in ``text`` and what is not, in turns.

    It ends where oddities become so many that a page of them could not be opened.
    """
    odd = {place for match in _ODD.finditer(text) for place in range(*match.span())}
    odd |= {place for place, each in enumerate(text) if not (each in keep or each.isprintable())}
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
