"""Each finding of an audit as an observation: what was found, about what, on which evidence."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from checks.engine.context import utc
from inventory.text.display import pluralize
from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.parties import by_tool
from reports.formats.oscal.subjects import reference
from reports.formats.oscal.texts import line, time, value
from reports.presentation.labels import STATUS
from reports.presentation.messages import SubjectNames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.finding import Status
    from inventory.model.base import SourceLocation
    from reports.formats.oscal.back_matter import CitedFiles
    from reports.formats.oscal.json_parts import Json
    from reports.formats.oscal.subjects import Organizations
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head

_TYPES: dict[Status, str] = {"pass": "control-objective", "not-applicable": "control-objective"}
"""The type of an observation by the status; all others are findings that somebody must act on."""

_BY_PEOPLE = {"attested", "portal"}
"""The kinds of evidence that somebody stated."""

_UNKNOWN = {
    "inconclusive": "Could not be judged: ",
    "error": "The check broke: ",
    "not-applicable": "Does not apply: ",
    "waived": "Fails, and is waived: ",
}
"""How the description begins of what is neither a pass nor a failure."""

_MOST_EVIDENCE = 20
"""How many places an observation names; the others are counted."""


class Observations:
    """Makes the observation of each finding of one audit."""

    def __init__(self, head: Head, organizations: Organizations, files: CitedFiles) -> None:
        """Cite the ``files``; facts are as old as their organization's record."""
        self._names, self._organizations, self._files = SubjectNames(head), organizations, files
        self._report, self._as_of = head["report"], head["settings"]["as_of"]
        self._max_age = timedelta(seconds=head["settings"]["max_age_seconds"])
        self._times: dict[str, Json] = {}

    def of(self, finding: FindingRecord) -> Json:
        """Return the observation of ``finding``."""
        status, subject = finding["status"], finding["subject"]
        self._organizations.add(subject["organization"])
        return filled(
            {
                "uuid": observation_uuid(self._report, finding["id"]),
                "title": line(title(finding, self._names)),
                "description": description(finding),
                "props": properties(_facts(finding)),
                "methods": _methods(finding),
                "types": [_TYPES.get(status, "finding")],
                "origins": by_tool(),
                "subjects": [reference(subject)],
                "relevant-evidence": list(self._evidence(finding["evidence"])),
                "remarks": _more_evidence(len(finding["evidence"])),
                **self._collected(subject["organization"]),
            }
        )

    def _collected(self, organization: str) -> Json:
        """Return when the facts were collected, and until when they are new enough."""
        if organization not in self._times:
            captured = time(self._organizations.captured_at(organization))
            until = time(_later(captured, self._max_age)) if captured else ""
            self._times[organization] = filled(
                {"collected": captured or self._as_of, "expires": until}
            )
        return self._times[organization]

    def _evidence(self, places: Sequence[SourceLocation]) -> Iterator[Json]:
        """Yield an entry for each file in a row of places in it."""
        for path, group in groupby(places[:_MOST_EVIDENCE], itemgetter(0)):
            if href := self._files.cite(path):
                yield {"href": href, "description": ". ".join(map(_place, group))}


def observation_uuid(report: str, finding: str) -> str:
    """Return the UUID of the observation of a ``finding``, by its id, in one audit."""
    return identify("observation", report, finding)


def title(finding: FindingRecord, names: SubjectNames) -> str:
    """Return rule, status and subject in words, which are to be escaped."""
    word = STATUS[finding["status"]].word
    return f"{finding['rule']}, {word}: {names.subject(finding)}"


def description(finding: FindingRecord) -> str:
    """Return what was found, as Markdown."""
    return f"{_UNKNOWN.get(finding['status'], '')}{line(finding['message'])}"


def _facts(finding: FindingRecord) -> Json:
    planned = finding.get("databases", 0) - finding.get("existing", 0)
    return {
        "finding": value(finding["id"]),
        "rule": finding["rule"],
        "status": finding["status"],
        "severity": finding["severity"],
        "cause": value(finding.get("cause", "")),
        "reason": value(finding.get("reason", "")),
        "rests-on": finding.get("rests_on", ""),
        "waiver": value(finding.get("waiver", "")),
        "change": finding.get("change", ""),
        "since": value(finding.get("since", "")),
        "audits": finding.get("audits"),
        "databases": finding.get("databases"),
        "planned-databases": planned or None,
    }


def _methods(finding: FindingRecord) -> list[str]:
    """Return TEST, and INTERVIEW where the result depends on what people state."""
    return ["TEST", "INTERVIEW"] if finding.get("rests_on") in _BY_PEOPLE else ["TEST"]


def _place(place: SourceLocation) -> str:
    _, number, *addresses = place
    shown = "".join(f" {line(address)}" for address in addresses if address)
    return f"Line {number}{shown}"


def _more_evidence(total: int) -> str:
    left = total - _MOST_EVIDENCE
    return f"findings.ndjson names {pluralize(left, 'more place')}." if left > 0 else ""


def _later(captured: str, age: timedelta) -> str:
    try:
        return utc(datetime.fromisoformat(captured) + age)
    except OverflowError:
        return ""
