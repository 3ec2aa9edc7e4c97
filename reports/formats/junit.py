"""The findings as JUnit XML that the strictest schema accepts, whatever the grouping of the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import escape

from reports.comparison.changes import summarize_changes
from reports.presentation.banners import banners, ended_outside
from reports.presentation.evidence_text import rests_on
from reports.presentation.locations import first_evidence
from reports.presentation.messages import SubjectNames, counts_of, step
from reports.presentation.sanitize import plain
from reports.presentation.selection import count_open, open_lines, recorded_gate, stops
from reports.presentation.source_notes import first_notes
from reports.record.layout import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, RuleEntry

_TOOL = "cmek-audit"
_BEGIN = '<?xml version="1.0" encoding="utf-8"?>\n'
_LONGEST = 1_000
_LONGEST_OF_AUDIT = 5_000
_ATTACHMENT, _NO_ATTACHMENT = "[[ATTACHMENT|", "[ [ATTACHMENT|"
"""What makes GitLab and Jenkins link a file; a name must not."""

_SUBJECT = ("type", "provider", "region", "database", "key")
_DETAILS = ("cause", "reason", "rests_on", "waiver", "change", "since")


class _Outcome(NamedTuple):
    """How a test case ended.

    Attributes:
        element: ``failure``, ``error`` or ``skipped``.
        type: the status of the finding, or the verdict.
        message: the fact.
        more: what else there is to read.
    """

    element: str
    type: str
    message: str
    more: tuple[str, ...] = ()


def render(head: Head, lines: Iterable[bytes]) -> str:
    """Render a test case for each finding, from the head of an audit and the lines of findings."""
    return "".join(render_parts(head, lines))


def render_parts(head: Head, lines: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of ``render`` part by part; ``lines`` are read from their beginning twice.

    The first test case is the verdict: it passes if the exit code is 0, whatever the findings are.
    """
    suite = " ".join(f'{name}="{value}"' for name, value in _attributes(head, lines).items())
    yield f'{_BEGIN}<testsuites name="{_TOOL}">\n<testsuite {suite}>\n<properties>\n'
    for name, value in suite_properties(head):
        yield f'<property name="{name}" value="{_text(value, _LONGEST_OF_AUDIT)}"/>\n'
    yield "</properties>\n"
    verdict = _of_verdict(head)
    yield _case(_TOOL, "verdict", verdict, [] if verdict else [head["verdict"]["text"]])
    for rule in _without_findings(head):
        outcome = _Outcome("skipped", "not-applicable", rule["no_subject"])
        yield _case(rule["id"], "no subject", outcome, [])
    cases = _Cases(head)
    for line in lines:
        yield cases.case(json.loads(line))
    yield "</testsuite>\n</testsuites>\n"


def suite_properties(head: Head) -> list[tuple[str, str]]:
    """Return the properties of the whole suite, with texts that are not escaped yet."""
    return [
        ("verdict", head["verdict"]["text"]),
        ("report", head["report"]),
        ("findings", counts_of(head)),
        *([("proven-by", text)] if (text := rests_on(head)) else []),
        *(("banner", text) for text in banners(head)),
        *(("note", str(note)) for note in first_notes(head)[0]),
        *([("changes", summarize_changes(head["changes"]))] if head["changes"] else []),
    ]


# --- the suite ------------------------------------------------------------------------------------


def _attributes(head: Head, lines: Iterable[bytes]) -> dict[str, object]:
    """Return the attributes of the suite, which come before its test cases and count them."""
    gate = recorded_gate(head)
    stopping = [
        status
        for status, severity, line in open_lines(lines, count_open(head))
        if stops(gate, status, severity, line)
    ]
    verdict, without = _of_verdict(head), sum(1 for _ in _without_findings(head))
    failures = stopping.count("fail")
    skipped = sum(head["counts"].values()) - head["counts"]["pass"] - len(stopping) + without
    return {
        "name": _TOOL,
        "tests": head["findings"]["count"] + without + 1,
        "failures": failures + (verdict is not None and verdict.element == "failure"),
        "errors": len(stopping) - failures + (verdict is not None and verdict.element == "error"),
        "skipped": skipped,
        "timestamp": _text(head["settings"]["as_of"]),
        "id": _text(head["report"]),
    }


def _of_verdict(head: Head) -> _Outcome | None:
    """Return how the test case of the verdict ended; None if it passed.

    An audit without any failure has another exit code than 0 if nothing was judged, or if only a
    part of the checks ran.
    """
    verdict = head["verdict"]
    is_outside = ended_outside(head)
    if not verdict["exit_code"] and not is_outside:
        return None
    is_failure = verdict["outcome"] == "not compliant" and not is_outside
    more = tuple(banners(head))
    return _Outcome("failure" if is_failure else "error", verdict["outcome"], verdict["text"], more)


def _without_findings(head: Head) -> Iterator[RuleEntry]:
    return (rule for rule in head["criteria"]["rules"] if not any(rule["counts"].values()))


# --- test cases -----------------------------------------------------------------------------------


class _Cases:
    """Makes the test cases of the findings of one audit."""

    def __init__(self, head: Head) -> None:
        self._names, self._gate = SubjectNames(head), recorded_gate(head)
        self._titles = {rule["id"]: rule["title"] for rule in head["criteria"]["rules"]}

    def case(self, finding: FindingRecord) -> str:
        """Render a finding; only what passes has no outcome."""
        # Each part is cut by itself: a long name must not hide what was found.
        subject, message = plain(self._names.subject(finding)), plain(finding["message"], _LONGEST)
        fact = f"{subject}: {message} [{finding['status']}]"
        outcome = None if finding["status"] == "pass" else self._outcome(finding, fact)
        printed = [] if outcome else [fact]
        printed += [plain(line, _LONGEST) for line in _known(finding)]
        return _case(finding["rule"], _name(finding), outcome, printed)

    def _outcome(self, finding: FindingRecord, fact: str) -> _Outcome:
        status, severity = finding["status"], finding["severity"]
        element = "skipped"
        if self._gate.stops(status, severity, finding.get("change", "")):
            element = "failure" if status == "fail" else "error"
        rule = f"{finding['rule']} {self._titles.get(finding['rule'], '')}"
        more = tuple(filter(None, [step(finding), f"{rule.rstrip()} ({severity})"]))
        return _Outcome(element, status, fact, more)


def _name(finding: FindingRecord) -> str:
    """Return subject and cause, which no other finding of the rule has; its id if they are odd."""
    name = f"{finding['subject']['path']} {finding.get('cause', '')}".rstrip()
    return name if plain(name, _LONGEST) == name else f"{plain(name)} {finding['id']}"


def _known(finding: FindingRecord) -> Iterator[str]:
    """Yield a line for each further fact: XML that is strict has no properties of test cases."""
    subject: Mapping[str, object] = finding["subject"]
    fields: Mapping[str, object] = finding
    yield f"severity: {finding['severity']}"
    yield f"finding: {finding['id']}"
    yield f"organization: {finding['subject']['organization']}"
    yield from (f"{name}: {subject[name]}" for name in _SUBJECT if subject.get(name))
    yield from (f"{name}: {fields[name]}" for name in _DETAILS if fields.get(name))
    evidence, more = first_evidence(finding)
    yield from (f"evidence: {file}:{line}" for file, line, *_ in evidence)
    if more:
        yield f"evidence: {more:,} more in {FINDINGS}"


def _case(rule: str, name: str, outcome: _Outcome | None, output: Iterable[str]) -> str:
    """Render a test case: its outcome unless it passed, and what is known of it."""
    parts = [f'<testcase classname="{_text(rule)}" name="{_text(name)}">']
    if outcome:
        element, kind, message, more = outcome
        shown = _text(message, _LONGEST_OF_AUDIT)
        text = "\n".join([shown, *(_text(line, _LONGEST_OF_AUDIT) for line in more)])
        parts.append(f'<{element} type="{_text(kind)}" message="{shown}">{text}</{element}>')
    if printed := "\n".join(_text(line, _LONGEST_OF_AUDIT) for line in output):
        parts.append(f"<system-out>{printed}</system-out>")
    return "\n".join([*parts, "</testcase>\n"])


def _text(text: str, longest: int = _LONGEST) -> str:
    """Render ``text`` for XML, in which most control characters cannot be written at all."""
    shown = plain(text, longest).replace(_ATTACHMENT, _NO_ATTACHMENT)
    return str(escape(shown))
