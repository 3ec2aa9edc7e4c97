"""Which findings a report shows."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from checks.engine.finding import OPEN, Finding
from reports.presentation.selection import Urgent, most_urgent, open_lines, urgency
from reports.record.encoding import encode_finding
from tests.reports.recording import findings


@settings(deadline=None, max_examples=150)
@given(st.lists(findings(), max_size=12), st.integers(0, 6))
def test_the_most_urgent_are_kept(given: list[Finding], room: int) -> None:
    """Of all open findings the most urgent are kept, equals in their order."""
    lines = [f"{encode_finding(each)}\n".encode("ascii") for each in given]
    wanted = [json.loads(line) for line in lines]
    wanted = [each for each in wanted if each["status"] in OPEN]
    wanted.sort(key=lambda each: urgency(each["status"], each["severity"]))
    assert most_urgent(iter(lines), room) == wanted[:room]
    assert len(list(open_lines(lines))) == len(wanted)


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(0, 5))
def test_no_more_than_fits_is_held(ranks: list[int], room: int) -> None:
    """However many lines come, no more are held than there is room for; all are counted."""
    urgent = Urgent(room)
    for rank in ranks:
        urgent.add((rank, 0), b"%d" % rank)
        assert len(urgent.lines()) <= room
    assert urgent.total == len(ranks)
    assert urgent.lines() == [b"%d" % rank for rank in sorted(ranks)[:room]]
