"""Findings in runs: lines in a row of one status, one rule and one organization.

There are few runs and many lines, so whoever reads findings is asked once a run whether it wants
its lines, and a line that nobody wants costs hardly more than reading it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Take = Callable[[bytes], None]

_LONGEST = 1_000
"""After how many lines it is asked again: by then somebody may have enough."""

# The subject comes before any free text: the first such field is its own.
_ORGANIZATION = re.compile(rb'"organization":"(?:[^"\\]|\\.)*"')


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


def hand_out(lines: Iterable[bytes], choose: Callable[[Run], Sequence[Take]]) -> None:
    """Give each line of the findings to all whom ``choose`` returns for its run, in its order."""
    takers: Sequence[Take] = ()
    begin, organization, left = b"", b"", 0
    for line in lines:
        if left and line.startswith(begin) and organization in line:
            left -= 1
        else:
            begin, organization, left = *_marks(line), _LONGEST
            takers = choose(_run(line))
        for take in takers:
            take(line)


def _marks(line: bytes) -> tuple[bytes, bytes]:
    """Return how all lines of a run begin, and what each of them holds."""
    found = _ORGANIZATION.search(line)
    return line[: line.index(b',"id":')], found[0] if found else line


def _run(line: bytes) -> Run:
    # {"status":"…","rule":"…","id":"…","severity":"…","subject":{"kind":"…","path":"…": no text of
    # these holds a quotation mark, so the path is the 26th part.
    parts = line.split(b'"', 26)
    status, rule, path = (parts[place].decode("ascii") for place in (3, 7, 25))
    return Run(status, rule, path.partition("/")[0])
