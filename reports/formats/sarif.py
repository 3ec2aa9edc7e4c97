"""The open findings for code scanning, ``audit.sarif``: SARIF 2.1.0."""

from __future__ import annotations

import json
import re
import zlib
from collections import deque
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from checks.engine.card import rank
from inventory.text.canonical_json import compact_json
from reports.model import project_address
from reports.presentation.banners import banners, cloud_hosts_of, hosts_of
from reports.presentation.locations import LocationFinder, first_evidence
from reports.presentation.markdown_text import prose
from reports.presentation.messages import TITLE, SubjectNames, statement
from reports.presentation.sanitize import plain
from reports.presentation.selection import count_open, most_urgent
from reports.presentation.source_notes import first_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, RuleEntry
    from reports.presentation.locations import FileLocation

    Json = dict[str, object]

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_TOOL = "cmek-audit"
_LEVELS = {"critical": "error", "high": "error", "advisory": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "advisory": "0.5"}
_SEMANTIC = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2}")
"""Versions that mean the same to Semantic Versioning; a development version of Python does not."""

_UNKNOWN_RULE = -1
_LONGEST = 1_000


class SarifLimits(NamedTuple):
    """The limits of GitHub, which refuses a larger file as a whole.

    Attributes:
        results: results in a file.
        bytes: of the file, compressed.
    """

    results: int = 25_000
    bytes: int = 10_000_000


def render(
    head: Head,
    lines: Iterable[bytes],
    limits: SarifLimits | None = None,
    root: Path | None = None,
) -> str:
    """Render the open findings of an audit from its head and the lines of its findings, read once.

    ``root`` is the repository's folder; None is the working directory. What passed or is waived
    is left out: code scanning would show it as open.
    """
    return "".join(render_parts(head, lines, limits, root))


def render_parts(
    head: Head,
    lines: Iterable[bytes],
    limits: SarifLimits | None = None,
    root: Path | None = None,
) -> Iterator[str]:
    """Yield the text of ``render`` part by part."""
    limits = limits or SarifLimits()
    total = count_open(head)
    results_of = _Results(head, root)
    lines_left = deque(most_urgent(lines, limits.results, total))
    results = []
    # There may be as many as make the file as large as it may be: what is rendered is dropped.
    while lines_left:
        results.append(compact_json(results_of.result(json.loads(lines_left.popleft()))))
    # GitHub refuses a file that is too large as a whole: drop the less urgent half until it fits.
    while results and _is_over(_log(head, results, total), limits.bytes):
        del results[len(results) // 2 :]
    yield from _log(head, results, total)


def _is_over(parts: Iterable[str], most: int) -> bool:
    """Say whether a text is longer than ``most``, and is so compressed."""
    compressor = zlib.compressobj()
    length = compressed = 0
    for part in parts:
        length += len(part)
        compressed += len(compressor.compress(part.encode("ascii")))
    return length > most and compressed + len(compressor.flush()) > most


def _log(head: Head, results: Sequence[str], total: int) -> Iterator[str]:
    """Yield the whole around ``results``, which are rendered already."""
    run = {
        "tool": {"driver": _driver(head)},
        "automationDetails": {"id": f"{_category(head)}/{head['report']}"},
        "invocations": [_invocation(head, total - len(results))],
        "originalUriBaseIds": {
            "%SRCROOT%": {"description": {"text": "The folder in which the audit was run."}}
        },
        "results": [],
        "properties": {
            "report": head["report"],
            "verdict": head["verdict"]["outcome"],
            "asOf": head["settings"]["as_of"],
            "rules": head["criteria"]["hash"],
            "open": total,
            "leftOut": total - len(results),
            **_rests_on(head),
        },
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    # Inside a text a quotation mark follows a backslash, so no text can look like this field.
    before, field, after = compact_json(log).partition('"results":[')
    yield from (before, field)
    for place, result in enumerate(results):
        yield f",{result}" if place else result
    yield from (after, "\n")


def _rests_on(head: Head) -> Json:
    """Return on which kinds of evidence the audit rests; an earlier version does not record it."""
    kinds = head.get("evidence_kinds")
    return {"restsOn": kinds} if kinds else {}


def _category(head: Head) -> str:
    """Return the category of the upload: a run that is no evidence must not close any alert."""
    settings = head["settings"]
    if settings["left_out"]:
        return f"{_TOOL}/partial"
    if hosts_of(head) or cloud_hosts_of(head):
        return f"{_TOOL}/not-astra"
    return f"{_TOOL}/example" if settings["example"] else _TOOL


def _invocation(head: Head, left_out: int) -> Json:
    texts = [("note", head["verdict"]["text"])]
    texts += [("warning", text) for text in banners(head)]
    texts += [("note", str(note)) for note in first_notes(head)[0]]
    if left_out:
        more = f"{left_out:,} more open findings are listed in findings.ndjson."
        texts.append(("warning", more))
    return {
        "executionSuccessful": not (head["settings"]["left_out"] or head["counts"]["error"]),
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": _text(text)}} for level, text in texts
        ],
    }


# --- rules ----------------------------------------------------------------------------------------


def _driver(head: Head) -> Json:
    version, address = head["tool"]["version"], project_address.PROJECT_ADDRESS
    return {
        "name": head["tool"]["name"],
        "version": version,
        **({"semanticVersion": version} if _SEMANTIC.fullmatch(version) else {}),
        "fullName": f"{TITLE}: {_TOOL}",
        **({"informationUri": address} if address else {}),
        "rules": [_rule(rule, version) for rule in head["criteria"]["rules"]],
    }


def _rule(rule: RuleEntry, version: str) -> Json:
    worst = min(rule["severity"], rule["severity_planned"] or rule["severity"], key=rank)
    address = project_address.rule_address(rule["id"], version)
    return {
        "id": rule["id"],
        "name": _name(rule["check"]),
        "shortDescription": {"text": _text(rule["title"])},
        "fullDescription": {"text": _text(rule["rationale"])},
        "help": {"text": _help(rule, _text), "markdown": _help(rule, prose)},
        **({"helpUri": address} if address else {}),
        "defaultConfiguration": {"level": _LEVELS.get(worst, "warning")},
        "properties": {
            "security-severity": _SCORES[worst],
            "tags": ["security", "encryption", rule["basis"]],
            "check": rule["check"],
            "controls": [
                f"{control['framework']}: {control['id']}" for control in rule["controls"]
            ],
        },
    }


def _name(check: str) -> str:
    """Return the name of a check as SARIF asks for it: ``check_paid_plan`` is ``PaidPlan``."""
    return "".join(word.capitalize() for word in check.removeprefix("check_").split("_"))


def _help(rule: RuleEntry, render: Callable[[str], str]) -> str:
    quotes = (
        f"{quote['sentence']} ({quote['page']}: {quote['heading']})" for quote in rule["quotes"]
    )
    return "\n\n".join(
        map(render, [rule["rationale"], f"What to do: {rule['remediation']}", *quotes])
    )


# --- results --------------------------------------------------------------------------------------


class _Results:
    """Makes results of the findings of one audit."""

    def __init__(self, head: Head, root: Path | None) -> None:
        self._names, self._locations = SubjectNames(head), LocationFinder(head, root)
        self._rules = {rule["id"]: at for at, rule in enumerate(head["criteria"]["rules"])}

    def result(self, finding: FindingRecord) -> Json:
        level = _LEVELS.get(finding["severity"], "warning")
        return {
            "ruleId": finding["rule"],
            "ruleIndex": self._rules.get(finding["rule"], _UNKNOWN_RULE),
            "level": "error" if finding["status"] == "error" else level,
            "message": {"text": _text(statement(finding, self._names))},
            "locations": [_location(self._locations.of(finding))],
            "partialFingerprints": {"primaryLocationLineHash": f"{finding['id']}:1"},
            "properties": _properties(finding),
        }


def _location(location: FileLocation) -> Json:
    rendered: Json = {
        "physicalLocation": {
            "artifactLocation": _artifact(location),
            "region": {"startLine": location.line},
        }
    }
    if location.address:
        resource = {"fullyQualifiedName": _text(location.address), "kind": "resource"}
        rendered["logicalLocations"] = [resource]
    return rendered


def _artifact(location: FileLocation) -> Json:
    if location.kind == "elsewhere":
        return {"uri": f"file:///{_quoted(location.path.lstrip('/'))}"}
    return {"uri": _quoted(location.path), "uriBaseId": "%SRCROOT%"}


def _quoted(path: str) -> str:
    return quote(path, errors="replace")


def _properties(finding: FindingRecord) -> Json:
    evidence, more = first_evidence(finding)
    fields: Mapping[str, object] = finding
    names = ("status", "severity", "cause", "reason", "change", "since")
    return {
        **{name: fields[name] for name in names if fields.get(name)},
        "finding": finding["id"],
        "subject": finding["subject"]["path"],
        "evidence": [f"{file}:{line}" for file, line, *_ in evidence],
        **({"evidenceTotal": len(evidence) + more} if more else {}),
    }


def _text(text: str) -> str:
    """Render ``text`` as a message: in SARIF braces are placeholders, and brackets can be links."""
    shown = plain(text, _LONGEST).replace("{", "{{").replace("}", "}}")
    return shown.replace("[", "\\[").replace("]", "\\]") if "](" in shown else shown
