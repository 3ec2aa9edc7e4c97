"""The open findings for GitLab's code quality, ``gl-code-quality-report.json``."""

from __future__ import annotations

import json
from collections import Counter, deque
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from inventory.text.canonical_json import compact_json
from reports.presentation.banners import banners
from reports.presentation.locations import FileLocation, LocationFinder
from reports.presentation.messages import SubjectNames, statement
from reports.presentation.sanitize import plain
from reports.presentation.selection import Urgent, count_open, open_lines, urgency
from reports.presentation.source_notes import first_notes
from reports.record.layout import FINDINGS, HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head

_SEVERITIES = {
    "critical": "blocker",
    "high": "critical",
    "medium": "major",
    "low": "minor",
    "advisory": "info",
}
_WORST = "blocker"
_FIRST = -1
_OF_BANNERS = "major"
_TOOL = "cmek-audit"
_LONGEST = 1_000
_LAST = 1_000
"""How many bytes are kept free for the last issue, which counts what is left out."""


class CodeQualityLimits(NamedTuple):
    """How much a report holds; the most urgent findings come first.

    GitLab validates each issue against a schema, one after the other, and keeps at most ten
    mebibytes of them for a merge request.

    Attributes:
        findings: findings in a report.
        bytes: of the report.
    """

    findings: int = 5_000
    bytes: int = 10_000_000


def render(
    head: Head,
    lines: Iterable[bytes],
    limits: CodeQualityLimits | None = None,
    root: Path | None = None,
) -> str:
    """Render the open findings of an audit from its head and the lines of its findings, read once.

    ``root`` is the repository's folder; None is the working directory. What passed or is waived
    is left out: every issue is shown as a problem.
    """
    return "".join(render_parts(head, lines, limits, root))


def render_parts(
    head: Head,
    lines: Iterable[bytes],
    limits: CodeQualityLimits | None = None,
    root: Path | None = None,
) -> Iterator[str]:
    """Yield the text of ``render`` part by part: an array with one issue a line."""
    before = "["
    for issue in _issues(head, lines, limits or CodeQualityLimits(), root):
        yield f"{before}\n{issue}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _issues(
    head: Head, lines: Iterable[bytes], limits: CodeQualityLimits, root: Path | None
) -> Iterator[str]:
    """Yield each issue as JSON: first banners and notes, and last what is left out, if any is."""
    issues, left = _Issues(head, root), limits.bytes - _LAST
    for issue in (*_banners(head, issues), *_notes(head, issues)):
        left -= len(issue) + 2
        yield issue
    total, worst = count_open(head), _WORST
    urgent = _most_urgent(lines, limits.findings, total)
    while urgent:
        finding = json.loads(urgent.popleft())
        issue = issues.of_finding(finding)
        left -= len(issue) + 2
        if left < 0:
            break
        total, worst = total - 1, _severity(finding)
        yield issue
    if total:
        more = f"{total:,} more open findings are listed in {FINDINGS}"
        yield issues.of_audit("left out", worst, f"{more}. None of them is more severe than these.")


def _banners(head: Head, issues: _Issues) -> Iterator[str]:
    for text in banners(head):
        yield issues.of_audit(text.partition(":")[0], _OF_BANNERS, text)


def _notes(head: Head, issues: _Issues) -> Iterator[str]:
    for note in first_notes(head)[0]:
        yield issues.of_audit(f"note: {note}", "info", f"Note on {note}")


def _most_urgent(lines: Iterable[bytes], limit: int, total: int) -> deque[bytes]:
    """Return the lines of the most urgent of the open findings, with broken checks first."""
    urgent = Urgent(limit)
    for status, severity, line in open_lines(lines, total):
        rank = urgency(status, severity)
        urgent.add((_FIRST, rank[0]) if status == "error" else rank, line)
    return deque(urgent.lines())


def _severity(finding: FindingRecord) -> str:
    """Return the severity of an issue: the highest one for a check that broke."""
    return _WORST if finding["status"] == "error" else _SEVERITIES[finding["severity"]]


class _Issues:
    """Makes issues of one audit."""

    def __init__(self, head: Head, root: Path | None) -> None:
        self._names, self._locations = SubjectNames(head), LocationFinder(head, root)
        self._elsewhere = self._locations.first_inside() or FileLocation("file", HEAD, 1)
        self._shown: Counter[str] = Counter()

    def of_finding(self, finding: FindingRecord) -> str:
        """Render a finding at its line, or at the first source if the repository has no such."""
        location, text = self._locations.of(finding), statement(finding, self._names)
        if location.kind == "elsewhere":
            # GitLab links each path to the repository.
            outside = f"{location.path}:{location.line}, outside the repository"
            location, text = self._elsewhere, f"{text} Found in {outside}."
        return self._issue(finding["rule"], finding["id"], _severity(finding), text, location)

    def of_audit(self, key: str, severity: str, text: str) -> str:
        """Render an issue about the audit itself, which is the same one wherever ``key`` is."""
        fingerprint = sha256(f"{_TOOL}: {key}".encode(errors="replace")).hexdigest()
        return self._issue(_TOOL, fingerprint, severity, text, self._elsewhere)

    def _issue(
        self, check: str, fingerprint: str, severity: str, text: str, location: FileLocation
    ) -> str:
        # Of issues with one fingerprint, GitLab keeps the last one only.
        self._shown[fingerprint] += 1
        repeated = self._shown[fingerprint]
        issue = {
            "description": plain(text, _LONGEST),
            "check_name": plain(check),
            "fingerprint": f"{fingerprint}:{repeated}" if repeated > 1 else fingerprint,
            "severity": severity,
            "location": {
                "path": plain(location.path, _LONGEST),
                "lines": {"begin": location.line},
            },
        }
        return compact_json(issue)
