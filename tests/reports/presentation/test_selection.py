"""Which findings a report shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.finding import OPEN, Finding
from reports.presentation.selection import (
    PageLimits,
    Urgent,
    most_urgent,
    open_lines,
    select_findings,
    share_out,
    urgency,
)
from reports.record.encoding import encode_finding
from tests.hypothesis_profile import examples
from tests.reports.recording import findings
from tests.reports.samples import VIOLATIONS, audit

if TYPE_CHECKING:
    from pathlib import Path


@examples(150)
@given(st.lists(findings(), max_size=12), st.integers(0, 6))
def test_the_most_urgent_are_kept(given: list[Finding], room: int) -> None:
    """Of all open findings the most urgent are kept, equals in their order."""
    lines = [f"{encode_finding(finding)}\n".encode("ascii") for finding in given]
    opened = [json.loads(line) for line in lines]
    opened = [finding for finding in opened if finding["status"] in OPEN]
    opened.sort(key=lambda finding: urgency(finding["status"], finding["severity"]))
    assert most_urgent(iter(lines), room) == opened[:room]
    assert len(list(open_lines(lines))) == len(opened)


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(0, 5))
def test_no_more_than_fits_is_held(ranks: list[int], room: int) -> None:
    """However many lines come, no more are held than there is room for; all are counted."""
    urgent = Urgent(room)
    for rank in ranks:
        urgent.add((rank, 0), b"%d" % rank)
        assert len(urgent.lines()) <= room
    assert urgent.total == len(ranks)
    assert urgent.lines() == [b"%d" % rank for rank in sorted(ranks)[:room]]


def test_only_what_is_shown_is_parsed(tmp_path: Path) -> None:
    """A line beyond its limit is recognized by its beginning and not parsed."""
    report = audit(tmp_path, VIOLATIONS)
    rules = report.head["criteria"]["rules"]
    broken = [line[:150] + b"...\n" for line in report.lines]
    chosen = select_findings(broken, rules, PageLimits(open=0, waived=0, folded=0))
    assert (chosen.open, chosen.waived) == ([], [])
    assert not any(chosen.folded.values())


@pytest.mark.parametrize(
    ("counts", "limit", "shared"),
    [
        pytest.param([2, 3], 10, [2, 3], id="all-fit"),
        pytest.param([100, 1, 100], 11, [5, 1, 5], id="small-first"),
        pytest.param([5, 5], 0, [0, 0], id="no-room"),
        pytest.param([], 5, [], id="none"),
    ],
)
def test_share(counts: list[int], limit: int, shared: list[int]) -> None:
    """A limit is shared so that small groups are whole and large ones get equal parts."""
    shares = share_out({("pass", str(place)): count for place, count in enumerate(counts)}, limit)
    assert [shares["pass", str(place)] for place in range(len(counts))] == shared
