"""Findings are handed out in runs, each line to those who want its run."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.identity import escape
from reports.page.reading.runs import ACROSS, Run, Wanted, hand_out
from reports.record import stored_lines
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Callable

STATUSES = st.sampled_from(["pass", "fail", "not-applicable"])
RULES = st.sampled_from(["CMEK-01", "CMEK-05"])
ORGANIZATIONS = st.sampled_from(["", "a", "a-b", "a/b", 'a","path":"b', "ä"])
FINDINGS = st.tuples(STATUSES, RULES, ORGANIZATIONS)


def a_line(number: int, status: str, rule: str, organization: str) -> bytes:
    """Return the line of a finding as an audit writes it."""
    path = f"{escape(organization) or ACROSS}/database/{number}"
    subject = {"kind": "database", "path": path, "organization": organization}
    line = {"status": status, "rule": rule, "id": f"{number:020x}", "severity": "high"}
    message = f'"rule":"{rule}","id":"","organization":"a"'
    named = line | {"subject": subject, "message": message}
    return json.dumps(named, separators=(",", ":")).encode() + b"\n"


def run_of(status: str, rule: str, organization: str) -> Run:
    return Run(status, rule, escape(organization) or ACROSS)


@examples(200)
@given(findings=st.lists(FINDINGS, max_size=30), together=st.integers(1, 5))
def test_every_line_is_given_to_who_wants_its_run(
    findings: list[tuple[str, str, str]], together: int
) -> None:
    """Lines come in their order, each of them with its own run, and their number is complete."""
    lines = [a_line(number, *finding) for number, finding in enumerate(findings)]
    taken: list[tuple[Run, bytes]] = []
    numbers: list[tuple[Run, int]] = []

    def choose(run: Run) -> Wanted:
        def take(line: bytes) -> None:
            taken.append((run, line))

        def count(number: int) -> None:
            numbers.append((run, number))

        return Wanted([take] if run.status != "pass" else (), count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_lines, "_MOST_TOGETHER", together)
        hand_out(lines, choose)
    runs = [run_of(*finding) for finding in findings]
    expected = zip(runs, lines, strict=True)
    assert taken == [pair for pair in expected if pair[0].status != "pass"]
    counted = [run for run, number in numbers for _ in range(number)]
    assert counted == runs


def test_who_has_enough_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is very long is offered again, so that nobody has to take all of it."""
    monkeypatch.setattr(stored_lines, "_MOST_TOGETHER", 10)
    taken: list[bytes] = []

    def choose(_: Run) -> Wanted:
        takers: list[Callable[[bytes], None]] = [taken.append] if len(taken) < 5 else []
        return Wanted(takers)

    lines = [a_line(number, "pass", "CMEK-05", "a") for number in range(35)]
    hand_out(lines, choose)
    assert taken == lines[:10]


def test_runs_are_asked_for_once() -> None:
    """As long as lines go on in the same way, nobody is asked again."""
    findings = [("pass", "CMEK-05", "a")] * 4 + [("fail", "CMEK-05", "a")] * 2
    asked: list[Run] = []

    def choose(run: Run) -> Wanted:
        asked.append(run)
        return Wanted()

    hand_out([a_line(number, *finding) for number, finding in enumerate(findings)], choose)
    assert asked == [run_of(*finding) for finding, _ in groupby(findings)]


def test_a_line_that_is_no_finding_is_an_error() -> None:
    """A line without the fields of a finding ends the reading, as any other that is malformed."""
    with pytest.raises(ValueError, match="subsection not found"):
        hand_out([b"{}\n"], lambda _: Wanted())
