"""Findings in runs: lines in a row of one status, one rule and one organization.

There are few runs and many lines, so whoever reads findings is asked once a run whether it wants
its lines, and a line that nobody wants costs hardly more than reading it: a group of lines that are
one run is known by a few of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from reports.record.stored_lines import all_begin, groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    for group in groups_of(lines):
        for run in _runs_in(group):
            wanted = choose(_run(run[0]))
            wanted.tally(len(run))
            if wanted.takers:
                for line in run:
                    for take in wanted.takers:
                        take(line)


def _runs_in(group: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Part lines in a row into runs: most often all are one, which is known without a loop."""
    begin, middle, place = _marks(group[0])
    if all_begin(group, begin) and _all_hold(group, middle, place):
        yield group
        return
    first = 0
    for number, line in enumerate(group):
        if not (line.startswith(begin) and line.startswith(middle, place)):
            yield group[first:number]
            first = number
            begin, middle, place = _marks(line)
    yield group[first:]


def _all_hold(lines: Sequence[bytes], part: bytes, place: int) -> bool:
    end = place + len(part)
    return [line[place:end] for line in lines].count(part) == len(lines)


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
