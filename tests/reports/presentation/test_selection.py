"""Which findings a report shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.finding import OPEN, Finding
from reports.presentation.selection import (
    PageLimits,
    Urgent,
    most_urgent,
    open_lines,
    share_out,
    shown_frameworks,
    urgency,
)
from reports.record.encoding import encode_finding
from tests.hypothesis_profile import examples
from tests.reports.recording import findings
from tests.reports.samples import VIOLATIONS, audit, select_findings

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
    assert [json.loads(line) for line in most_urgent(iter(lines), room)] == opened[:room]
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


@given(st.lists(st.tuples(st.sampled_from(["", "a"]), st.integers(0, 2)), max_size=12))
def test_what_goes_across_organizations_has_room_of_its_own(given: list[tuple[str, int]]) -> None:
    """Where findings across organizations are counted apart, no other takes their place."""
    severities = ("critical", "medium", "advisory")
    lines = [
        _line("fail", severities[rank], organization, number)
        for number, (organization, rank) in enumerate(given)
    ]
    chosen = select_findings(lines, [], PageLimits(open=2, across=3, folded=0)).open
    opened = sorted(
        map(json.loads, lines), key=lambda line: urgency(line["status"], line["severity"])
    )
    across, others = (
        [line for line in opened if line["subject"]["organization"] == organization]
        for organization in ("", "a")
    )
    kept = [*across[:3], *others[:2]]
    assert sorted(line["id"] for line in chosen) == sorted(line["id"] for line in kept)
    ranks = [urgency(line["status"], line["severity"]) for line in chosen]
    assert ranks == sorted(ranks)


def _line(status: str, severity: str, organization: str, number: int) -> bytes:
    subject = {"kind": "organization", "path": "p", "organization": organization, "n": 1}
    line = {"status": status, "rule": "R", "id": str(number), "severity": severity}
    named = line | {"subject": subject, "message": '"organization":"",'}
    return json.dumps(named, separators=(",", ":")).encode()


def test_waived_findings_across_organizations_have_room_of_their_own() -> None:
    """Waived findings are kept in their order, those across organizations beside the others."""
    owners = ["a", "a", "", "", ""]
    lines = [_line("waived", "low", owner, number) for number, owner in enumerate(owners)]
    limits = PageLimits(waived=1, across=2, folded=0)
    assert [line["id"] for line in select_findings(lines, [], limits).waived] == ["0", "2", "3"]
    limits = PageLimits(waived=3, folded=0)
    assert [line["id"] for line in select_findings(lines, [], limits).waived] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("chosen", "shown"), [([], {"SOC 2", "NIST"}), (["SOC 2"], {"SOC 2"})], ids=["all", "one"]
)
def test_all_frameworks_are_shown_unless_some_are_chosen(
    chosen: list[str], shown: set[str]
) -> None:
    """The reports show the frameworks that were asked for, and all of them if none were."""
    frameworks = [{"name": "SOC 2"}, {"name": "NIST"}]
    head: Any = {"settings": {"frameworks": chosen}, "criteria": {"frameworks": frameworks}}
    assert shown_frameworks(head) == shown
