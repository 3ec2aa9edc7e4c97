"""Findings in runs: lines in a row of one status, one rule and one organization.

There are few runs and many lines, so whoever reads findings is asked once a run whether it wants
its lines, and a line that nobody wants costs hardly more than reading it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reports.record.stored_lines import groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Take = Callable[[bytes], None]

_PATH = b'"path":"'
_SEGMENT = re.compile(rb'[^"/]*.?', re.DOTALL)
"""The first part of a path, with the slash or the quotation mark that ends it."""

ACROSS = "."
"""The path of a run about several organizations."""


class Run(NamedTuple):
    """What the lines of a run share.

    Attributes:
        status: their status.
        rule: the id of their rule.
        path: the organization they are about, as their subjects write it; a dot if it is several.
    """

    status: str
    rule: str
    path: str


class Wanted(NamedTuple):
    """What somebody wants of a run.

    Attributes:
        takers: who takes each line, in this order.
        tally: what takes the number of lines.
    """

    takers: Sequence[Take] = ()
    tally: Callable[[int], None] = lambda _: None


def hand_out(lines: Iterable[bytes], choose: Callable[[Run], Wanted]) -> None:
    """Give the findings to whom ``choose`` returns for a run.

    It is asked once for each run, and again where one goes on for long, as somebody may have enough
    by then.
    """
    begin, middle, place, wanted = b"", b"", 0, Wanted()
    for group in groups_of(lines):
        number = 0
        for line in group:
            if not (number and line.startswith(begin) and line.startswith(middle, place)):
                wanted.tally(number)
                number = 0
                begin, middle, place = _marks(line)
                wanted = choose(_run(line))
            number += 1
            for take in wanted.takers:
                take(line)
        wanted.tally(number)


def _marks(line: bytes) -> tuple[bytes, bytes, int]:
    """Return how all lines of a run begin, and what they have behind their ids, from which place.

    An id has twenty digits, so all that is before the free text is at the same place in each line:
    status and rule, and then the severity, the kind of subject, and the organization in its path.
    """
    identity = line.index(b',"id":"') + len(b',"id":"')
    place = line.index(b'"', identity)
    path = line.index(_PATH, place) + len(_PATH)
    segment = _SEGMENT.match(line, path)
    end = segment.end() if segment else path
    return line[:identity], line[place:end], place


def _run(line: bytes) -> Run:
    # {"status":"…","rule":"…","id":"…","severity":"…","subject":{"kind":"…","path":"…": no text of
    # these holds a quotation mark, so the path is the 26th part.
    parts = line.split(b'"', 26)
    status, rule, path = (parts[place].decode("ascii") for place in (3, 7, 25))
    return Run(status, rule, path.partition("/")[0])
