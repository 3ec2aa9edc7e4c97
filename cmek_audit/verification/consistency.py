"""Contradictions between the record and the parts of a report that nothing can make again.

pytest writes ``junit.xml`` and ``results.html``, and the block ``run`` of the record says who ran
the audit, and when. None of them can be proven, but each can contradict the record.
"""

from __future__ import annotations

import errno
import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

import pytest

from checks.engine.outcome import Noncompliant, Unjudged, report_outcome, require_judged
from cmek_audit.clouds_option import clouds_to_ask
from cmek_audit.run.pytest_results import ROWS_LEFT_OUT, properties, statements
from inventory.model.base import Count, Moment
from reports.record.layout import without_run
from reports.record.reader import RecordPart
from reports.record.stored_lines import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from pathlib import Path

    from checks.engine.outcome import FindingGroup
    from reports.model.head import Head, Verdict

_MOST_BYTES = 256 * 1_024 * 1_024
_OUTCOMES = {"Passed": "passed", "Skipped": "skipped", "Failed": "failure", "Error": "error"}
"""What pytest-html calls each outcome of a test, and how JUnit does."""

_OPEN = ("failure", "error")
_NAMES = ("rule", "severity", "status")


class Check(NamedTuple):
    """What a report of pytest shows of one check; the findings give the same."""

    rule: str
    severity: str
    status: str
    outcome: str


Checks = Counter[Check]
Contradicts = Callable[[bytes, "Head", Checks | None], Iterator[str]]


def checks_of(groups: Iterable[FindingGroup]) -> Checks:
    """Count what pytest's reports must show of ``groups``."""
    return Counter(
        Check(group.card.id, group.severity, group.status, _outcome(group)) for group in groups
    )


def _outcome(group: FindingGroup) -> str:
    """Return the outcome of the pytest item of ``group``, as JUnit names it."""
    try:
        report_outcome(require_judged(group))
    except Unjudged:
        return "error"
    except Noncompliant:
        return "failure"
    except pytest.skip.Exception:
        return "skipped"
    return "passed"


def contradictions(contradicts: Contradicts, file: Path, head: Head, checks: Checks | None) -> str:
    """Return where ``file`` contradicts the record; empty if it agrees.

    ``checks`` are those that the findings give; None if they could not be judged again. Raises
    OSError if the file cannot be read, and whatever a head raises that no audit wrote.
    """
    # pytest writes its reports before it is known how the run ends, so they cannot show that.
    known_then = without_run(head)
    with open_regular(file) as opened:
        raw = opened.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise OSError(errno.EFBIG, f"more than {_MOST_BYTES:,} bytes", str(file))
    return "; ".join(contradicts(raw, known_then, checks))


# --- junit.xml ------------------------------------------------------------------------------------


class _JUnit:
    """Reads the properties, numbers and checks of JUnit's suite, but no text of failures.

    Attributes:
        stated: the properties of the suite.
        totals: the suite's own numbers, by attribute.
        counted: how many tests there are of each outcome.
        checks: the tests that are checks.
    """

    def __init__(self, raw: bytes) -> None:
        self.stated: list[tuple[str, str]] = []
        self.totals: dict[str, str] = {}
        self.counted: Counter[str] = Counter()
        self.checks: Checks = Counter()
        self._path: list[str] = []
        self._properties: dict[str, str] = {}
        self._outcomes: list[str] = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse
        parser.Parse(raw, True)

    def _refuse(self, *_: object) -> None:
        message = "a document type"
        raise ValueError(message)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        match self._path:
            case ["testsuites", "testsuite"]:
                self.totals |= attributes
            case ["testsuites", "testsuite", "properties", "property"]:
                self.stated.append((attributes["name"], attributes["value"]))
            case ["testsuites", "testsuite", "testcase"]:
                self._properties, self._outcomes = {}, []
            case ["testsuites", "testsuite", "testcase", "properties", "property"]:
                self._properties.setdefault(attributes["name"], attributes["value"])
            case ["testsuites", "testsuite", "testcase", "failure" | "error" | "skipped"]:
                self._outcomes.append(tag)

    def _end(self, _: str) -> None:
        if self._path == ["testsuites", "testsuite", "testcase"]:
            self.counted.update(self._outcomes)
            if "rule" in self._properties:
                rule, severity, status = (self._properties.get(name, "") for name in _NAMES)
                outcome = " and ".join(self._outcomes) or "passed"
                self.checks[Check(rule, severity, status, outcome)] += 1
        self._path.pop()


def against_junit(raw: bytes, head: Head, checks: Checks | None) -> Iterator[str]:
    """Yield where ``junit.xml`` contradicts the record."""
    expected = properties(head)
    try:
        junit = _JUnit(raw)
    except (expat.ExpatError, ValueError, LookupError):
        yield "it is no report of pytest"
        return
    for name in ("verdict", "report", "findings", "proven-by", "banner", "note", "changes"):
        if _values(name, junit.stated) != _values(name, expected):
            yield f"its {name} is not that of the record"
    totals = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for name, outcome in totals.items():
        if junit.totals.get(name) != str(junit.counted[outcome]):
            yield f"it does not hold as many {name} as it counts"
    if checks is not None and junit.checks != checks:
        yield "its checks are not those that the findings give"


def _values(name: str, stated: Iterable[tuple[str, str]]) -> list[str]:
    return [value for property_name, value in stated if property_name == name]


# --- results.html ---------------------------------------------------------------------------------

_SUMMARY = '<div class="additional-summary prefix">'
_DATA = 'data-jsonblob="'
_CELL = re.compile(r'<td class="col-(result|rule|severity|status)">([^<]*)</td>')


def against_results(raw: bytes, head: Head, checks: Checks | None) -> Iterator[str]:
    """Yield where ``results.html`` contradicts the record."""
    expected = statements(head)
    text = raw.decode("utf-8", "replace")
    before, *after = text.split(_SUMMARY)
    if len(after) != 1 or before.rfind("<!--") > before.rfind("-->"):
        yield "it is no report of pytest-html on an audit"
        return
    lines = [line.strip() for line in after[0].partition("</div>")[0].splitlines()]
    stated = [line for line in lines if line]
    if stated[: len(expected)] != expected:
        yield "its verdict, banners, notes or counts are not those of the record"
    try:
        rows = _rows(text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        yield "its table cannot be read"
        return
    if checks is not None and not _is_complete(rows, checks, whole=ROWS_LEFT_OUT not in stated):
        yield "its rows are not those that the findings give"


def _rows(text: str) -> Checks:
    """Return what the rows of the table show of the checks; those of other tests show no rule."""
    _, data = text.split(_DATA)
    tests = json.loads(html.unescape(data.partition('"')[0]))["tests"]
    rows = chain.from_iterable(tests.values())
    shown = [dict(_CELL.findall("".join(row["resultsTableRow"]))) for row in rows]
    return Counter(
        Check(row["rule"], row["severity"], row["status"], _OUTCOMES.get(row["result"], ""))
        for row in shown
        if row["rule"]
    )


def _is_complete(rows: Checks, checks: Checks, *, whole: bool) -> bool:
    """Return whether ``rows`` are all ``checks``; at least the open ones if the table was cut."""
    open_ = Counter({check: count for check, count in checks.items() if check.outcome in _OPEN})
    return rows <= checks and (checks if whole else open_) <= rows


# --- the block run --------------------------------------------------------------------------------


class Run(RecordPart):
    """What the record says of its run, as far as it can be contradicted.

    Attributes:
        started: when the audit began (UTC).
        ended: when its findings were written (UTC).
        exit_code: that of the process.
        formats: which reports were asked for; None if the record does not say.
        packages: the versions of the packages that made it.
        commit: the commit of the suite; empty if that was not known.
    """

    started: Moment
    ended: Moment
    exit_code: Count
    formats: tuple[str, ...] | None = None
    packages: dict[str, str]
    commit: str


def against_run(run: Run, verdict: Verdict) -> Iterator[str]:
    """Yield what in the block ``run`` cannot be."""
    if run.ended < run.started:
        yield "it ended before it started"
    if verdict["exit_code"] and not run.exit_code:
        yield "its exit code is 0, and the verdict is one that stops"


def against_mode(mode: str, recorded: Iterable[tuple[datetime, datetime]], run: Run) -> str:
    """Return what contradicts ``mode``; empty if nothing does.

    ``recorded`` holds when each evidence bundle was begun and ended. A live audit records one, and
    no other audit does: a bundle that was recorded while the audit ran is the difference.
    """
    is_live = any(run.started <= start and end <= run.ended for start, end in recorded)
    if is_live is (mode == "live"):
        return ""
    if is_live:
        return "it says that no server was asked, and a bundle was recorded while the audit ran"
    return "it says that Astra itself was read, and no bundle was recorded while the audit ran"


def against_kms(kms: str, mode: str, asked: AbstractSet[str]) -> str:
    """Return what contradicts that the audit asked the clouds that ``kms`` names; empty if nothing.

    ``asked`` are the clouds that bundles which were recorded meanwhile asked. A live audit may also
    ask those that its organizations file names.
    """
    if kms == "recorded" and mode == "live":
        return ""
    named = set(clouds_to_ask(kms.split(",")))
    if named == asked:
        return ""
    found = " and ".join(sorted(asked)) or "no cloud"
    return f"it says that it asked {kms}, and what was recorded while it ran asked {found}"
