"""The findings as events for security lakes, ``findings.ocsf.ndjson``: OCSF, one event a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import COMPLYING
from inventory.text.canonical_json import compact_json
from reports.model import project_address
from reports.presentation import labels
from reports.presentation.banners import banners
from reports.presentation.locations import first_evidence
from reports.presentation.messages import SubjectNames, sentence
from reports.presentation.sanitize import plain
from reports.presentation.selection import shown_frameworks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from checks.engine.card import Severity
    from checks.engine.finding import Status
    from reports.model.changes import ChangedFinding, Class
    from reports.model.finding_record import FindingRecord, SubjectRecord
    from reports.model.head import Head, RuleEntry, WaiverEntry

    Json = dict[str, object]


class Term(NamedTuple):
    """A value of an enumeration: its number, and its caption or, for 99, our own word."""

    id: int
    caption: str


VERSION = "1.5.0"
"""The version of the schema of the events."""

_CREATE, _UPDATE, _CLOSE = Term(1, "Create"), Term(2, "Update"), Term(3, "Close")
_NEW, _SUPPRESSED, _RESOLVED = Term(1, "New"), Term(3, "Suppressed"), Term(4, "Resolved")
_PASS, _FAIL = Term(1, "Pass"), Term(3, "Fail")
_INFORMATIONAL = Term(1, "Informational")
_NOT_APPLICABLE = Term(99, "Not applicable")
_SUPERSEDED = Term(99, "Superseded")
_OTHER_CAUSE = Term(99, "Open for another cause")

COMPLIANCE: Mapping[Status, Term] = {
    "error": Term(0, "Unknown"),
    "fail": _FAIL,
    # The schema calls it a warning if a check has no result, as information is missing.
    "inconclusive": Term(2, "Warning"),
    "waived": _FAIL,
    "pass": _PASS,
    "not-applicable": _NOT_APPLICABLE,
}
"""What a check found."""

STATUS: Mapping[Status, Term] = {
    "error": _NEW,
    "fail": _NEW,
    "inconclusive": _NEW,
    "waived": _SUPPRESSED,
    "pass": _RESOLVED,
    "not-applicable": _NOT_APPLICABLE,
}
"""What has to be done about a finding."""

SEVERITY: Mapping[Severity, Term] = {
    "critical": Term(5, "Critical"),
    "high": Term(4, "High"),
    "medium": Term(3, "Medium"),
    "low": Term(2, "Low"),
    "advisory": _INFORMATIONAL,
}

CLOSED: Mapping[Class, Term] = {"fixed": _RESOLVED, "superseded": _SUPERSEDED}
"""What closes a finding of the baseline. One that is only gone was not seen to be fixed."""

_PROVIDERS = {"aws": "AWS", "gcp": "GCP", "azure": "Azure"}
_NO_PROVIDER = "Astra"
"""The provider of what is in no other cloud, such as an organization: an event must name one."""

_BEGINS = {"inconclusive": "Inconclusive: ", "error": "Check broke: ", "waived": "Waived: "}
_UNMAPPED = (
    "status",
    "severity",
    "cause",
    "reason",
    "rests_on",
    "change",
    "audits",
    "databases",
    "existing",
)
_NOT_OF_WAIVER = frozenset({"rule", "subject", "cause", "file", "line"})
_LONGEST = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def render(head: Head, lines: Iterable[bytes]) -> str:
    """Render the events of an audit, from its head and the lines of its findings, read once."""
    return "".join(render_parts(head, lines))


def render_parts(head: Head, lines: Iterable[bytes]) -> Iterator[str]:
    """Yield an event for each finding, in their order, and for each that was closed since."""
    shared = _Shared(head)
    findings = (_finding(json.loads(line), shared) for line in lines)
    for event in chain(findings, _closed(head, shared)):
        yield f"{compact_json(event)}\n"


class _Shared:
    """What the events of an audit share, and the names they use.

    Attributes:
        report: the id of the report.
        now: the time as of which was judged, in milliseconds.
        names: the names of organizations and subjects.
        waivers: the waivers by their ids, rendered.
        were_open: the ids of findings that were open in the baseline and are waived now.
    """

    def __init__(self, head: Head) -> None:
        self.report = head["report"]
        self.now = _milliseconds(head["settings"]["as_of"])
        self.names = SubjectNames(head)
        self.waivers = {waiver["id"]: _waiver(waiver) for waiver in head["waivers"]}
        self.were_open = {entry["id"] for entry in _listed(head, "waived")}
        self._metadata = _metadata(head)
        rules, frameworks = head["criteria"]["rules"], shown_frameworks(head)
        self._compliance = {rule["id"]: _compliance(rule, frameworks) for rule in rules}
        self._infos = {rule["id"]: _info(rule) for rule in rules}
        version = head["tool"]["version"]
        self._references = {rule["id"]: _references(rule, version) for rule in rules}

    def begin(self, activity: Term) -> Json:
        """Return the begin of an event: of which kind it is, and of what time."""
        return {
            **_term("activity", activity, "activity_name"),
            "category_uid": 2,
            "category_name": "Findings",
            "class_uid": 2003,
            "class_name": "Compliance Finding",
            "type_uid": 200_300 + activity.id,
            "type_name": f"Compliance Finding: {activity.caption}",
            "time": self.now,
        }

    def metadata(self, identity: str) -> Json:
        """Return what produced the event on the finding with this id."""
        return {**self._metadata, "uid": f"{self.report}:{identity}"}

    def compliance(self, rule: str, found: Term) -> Json:
        """Return by what was judged, and what was found."""
        return {**self._compliance[rule], **_term("status", found)}

    def info(self, rule: str, identity: str, message: str, since: str) -> Json:
        """Return what identifies a finding, its words, and its times.

        When it was first seen is known only if there is a baseline.
        """
        first = {"first_seen_time": _milliseconds(since)} if since else {}
        return {
            "uid": identity,
            **self._infos[rule],
            "desc": plain(message, _LONGEST),
            "created_time": _milliseconds(since) if since else self.now,
            **first,
            "last_seen_time": self.now,
            "modified_time": self.now,
        }

    def remediation(self, rule: str, action: str) -> Json:
        """Return the step that resolves a finding, and where its rule is explained."""
        return {"desc": plain(action, _LONGEST), **self._references[rule]}

    def account(self, organization: str) -> Json:
        """Return the organization as an account; nothing across organizations."""
        if not organization:
            return {}
        name = plain(self.names.organization(organization))
        kind = {"type_id": 99, "type": "Astra organization"}
        return {"account": {"uid": plain(organization), "name": name, **kind}}


# --- findings -------------------------------------------------------------------------------------


def _finding(finding: FindingRecord, shared: _Shared) -> Json:
    status, rule, identity = finding["status"], finding["rule"], finding["id"]
    severity = _INFORMATIONAL if status in COMPLYING else SEVERITY[finding["severity"]]
    found = shared.compliance(rule, COMPLIANCE[status])
    if code := finding.get("reason") or finding.get("cause"):
        found["status_code"] = plain(code)
    event: Json = {
        **shared.begin(_activity(finding, shared)),
        **_term("severity", severity),
        **_term("status", STATUS[status]),
        "message": plain(_BEGINS.get(status, "") + sentence(finding, shared.names), _LONGEST),
        "metadata": shared.metadata(identity),
        "cloud": _cloud(finding["subject"], shared),
        "compliance": found,
        "finding_info": shared.info(rule, identity, finding["message"], finding.get("since", "")),
        "resources": [_resource(finding, shared)],
        "unmapped": _unmapped(finding, shared),
    }
    if action := finding.get("action"):
        event["remediation"] = shared.remediation(rule, action)
    return event


def _activity(finding: FindingRecord, shared: _Shared) -> Term:
    """Return whether readers of earlier events know the finding: it was open before."""
    # Its change is not enough: another cause of a known subject is worse, and has an id of its own.
    was_open = finding.get("audits", 0) > 1 or finding.get("change") == "reopened"
    return _UPDATE if was_open or finding["id"] in shared.were_open else _CREATE


def _cloud(subject: SubjectRecord, shared: _Shared) -> Json:
    region = subject.get("region")
    return {
        "provider": _PROVIDERS.get(subject.get("provider", ""), _NO_PROVIDER),
        **({"region": plain(region)} if region else {}),
        **shared.account(subject["organization"]),
    }


def _resource(finding: FindingRecord, shared: _Shared) -> Json:
    subject = finding["subject"]
    own = {
        "uid_alt": subject.get("database") or subject.get("key"),
        "region": subject.get("region"),
    }
    return {
        "uid": subject["path"],
        "name": plain(shared.names.subject(finding)),
        "type": labels.KIND[subject["kind"]],
        **{name: plain(value) for name, value in own.items() if value},
    }


def _unmapped(finding: FindingRecord, shared: _Shared) -> Json:
    """Return what the schema has no place for."""
    fields: Mapping[str, object] = finding
    evidence, more = first_evidence(finding)
    shown = {name: _value(fields[name]) for name in _UNMAPPED if name in fields}
    shown["evidence"] = [_location(*location) for location in evidence]
    if more:
        shown["evidence_total"] = len(evidence) + more
    if waiver := finding.get("waiver"):
        shown["waiver"] = shared.waivers.get(waiver, {"id": plain(waiver)})
    return shown


def _value(value: object) -> object:
    return plain(value) if isinstance(value, str) else value


def _location(file: str, line: int, address: str = "") -> str:
    return plain(f"{file}:{line} ({address})" if address else f"{file}:{line}")


# --- what was closed ------------------------------------------------------------------------------


def _closed(head: Head, shared: _Shared) -> Iterator[Json]:
    """Yield an event for each finding of the baseline that needs no more attention itself."""
    for name, status in CLOSED.items():
        entries = _listed(head, name)
        total = head["changes"]["counts"][name] if head["changes"] else 0
        for entry in entries:
            event = _closing(entry, name, shared) | _term("status", status)
            # The record lists a thousand of each class: readers must know of the others.
            more = {"closed_total": total} if total > len(entries) else {}
            event["unmapped"] = {"cause": plain(entry["cause"]), "change": name, **more}
            yield event


def _closing(entry: ChangedFinding, name: Class, shared: _Shared) -> Json:
    rule, message = entry["rule"], entry["message"]
    severity = _INFORMATIONAL if name == "fixed" else SEVERITY[entry["severity"]]
    return {
        **shared.begin(_CLOSE),
        **_term("severity", severity),
        "message": plain(f"{labels.CHANGE[name].meaning} {message}", _LONGEST),
        "metadata": shared.metadata(entry["id"]),
        "cloud": {"provider": _NO_PROVIDER, **shared.account(entry["organization"])},
        "compliance": shared.compliance(rule, _found(entry, name)),
        "finding_info": shared.info(rule, entry["id"], message, entry["since"]),
        "resources": [{"uid": entry["path"], "name": plain(entry["name"] or entry["path"])}],
    }


def _found(entry: ChangedFinding, name: Class) -> Term:
    """Return what the check finds now; it is a pass only if the record has one."""
    if name == "superseded":
        return _FAIL
    return COMPLIANCE[entry["status"]] if entry["status"] else _OTHER_CAUSE


def _listed(head: Head, name: Class) -> Sequence[ChangedFinding]:
    """Return the findings of one class of changes that the record lists."""
    return head["changes"]["lists"][name] if head["changes"] else ()


# --- what is rendered once ------------------------------------------------------------------------


def _metadata(head: Head) -> Json:
    tool, limits = head["tool"], banners(head)
    product = {"name": tool["name"], "vendor_name": tool["name"], "version": tool["version"]}
    if address := project_address.PROJECT_ADDRESS:
        product["url_string"] = address
    metadata: Json = {
        "version": VERSION,
        "profiles": ["cloud"],
        "product": product,
        "correlation_uid": head["report"],
    }
    if limits:
        # Each event is read on its own: what is no evidence is marked in each of them.
        metadata["labels"] = [plain(text, _LONGEST) for text in limits]
    return metadata


def _compliance(rule: RuleEntry, frameworks: frozenset[str]) -> Json:
    """Return by what a rule judges: the requirements to which it gives direct evidence."""
    # Readers take the status for that of each requirement: of others the rule shows too little.
    direct = [
        (control["framework"], control["id"])
        for control in rule["controls"]
        if control["strength"] == "direct" and control["framework"] in frameworks
    ]
    shown: Json = {"control": rule["id"], "desc": plain(rule["title"])}
    if direct:
        shown["standards"] = [plain(name) for name in dict.fromkeys(name for name, _ in direct)]
        shown["requirements"] = [plain(f"{name}: {identity}") for name, identity in direct]
    return shown


def _info(rule: RuleEntry) -> Json:
    analytic = {"uid": rule["id"], "name": rule["check"], "type_id": 1, "type": "Rule"}
    return {"title": plain(rule["title"]), "analytic": analytic}


def _references(rule: RuleEntry, version: str) -> Json:
    address = project_address.rule_address(rule["id"], version)
    return {"references": [address]} if address else {}


def _waiver(waiver: WaiverEntry) -> Json:
    shown = {name: value for name, value in waiver.items() if name not in _NOT_OF_WAIVER and value}
    return {name: plain(str(value), _LONGEST) for name, value in shown.items()}


def _term(field: str, term: Term, caption: str = "") -> Json:
    """Return the two fields that hold a value of an enumeration."""
    return {f"{field}_id": term.id, caption or field: term.caption}


@cache
def _milliseconds(time: str) -> int:
    """Return a time of the record in milliseconds since 1970."""
    return (datetime.fromisoformat(time) - _EPOCH) // _MILLISECOND
