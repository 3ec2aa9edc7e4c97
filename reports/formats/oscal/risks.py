"""Each finding that is open or waived as a risk, with what to do and what its waiver says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.formats.oscal.controls import control_properties
from reports.formats.oscal.identifiers import NAMESPACE, identify
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.observations import description, observation_uuid, title
from reports.formats.oscal.parties import by_tool, origin
from reports.formats.oscal.texts import block, last_second, line, value
from reports.formats.oscal.waivers import EFFECTIVE, log_waiver, waiver_uuid
from reports.presentation.messages import SubjectNames

if TYPE_CHECKING:
    from reports.formats.oscal.json_parts import Json
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, WaiverEntry


def risk_uuid(finding: str) -> str:
    """Return the UUID of the risk of a ``finding``, by its id; it is the same in every audit."""
    return identify("risk", finding)


class Risks:
    """Makes the risk of each finding of one audit that does not comply."""

    def __init__(self, head: Head, *, shows_waivers: bool) -> None:
        """Refer to the observations of waivers only if the document ``shows_waivers``."""
        self._report, self._names = head["report"], SubjectNames(head)
        self._as_of = head["settings"]["as_of"]
        self._shows_waivers = shows_waivers
        rules = head["criteria"]["rules"]
        self._rationales = {rule["id"]: block(rule["rationale"]) for rule in rules}
        self._remediations = {rule["id"]: block(rule["remediation"]) for rule in rules}
        self._controls = control_properties(head)
        self._steps = {
            action["id"]: block("\n".join(action["steps"])) for action in head["actions"]
        }
        self._by_id = {waiver["id"]: waiver for waiver in head["waivers"]}
        self._by_target = {
            (waiver["rule"], waiver["subject"], waiver["cause"]): waiver
            for waiver in head["waivers"]
        }

    def of(self, finding: FindingRecord) -> Json:
        """Return the risk of ``finding``, which is open or waived."""
        waiver = self._waiver(finding)
        return filled(
            {
                "uuid": risk_uuid(finding["id"]),
                "title": line(title(finding, self._names)),
                "description": description(finding),
                "statement": self._rationales.get(finding["rule"]) or line(finding["rule"]),
                "props": self._properties(finding),
                "status": _status(finding, waiver),
                "origins": by_tool(),
                "characterizations": [_characterize(finding)],
                **(self._log(finding, waiver) if waiver else {}),
                "remediations": [self._remediation(finding)],
                "related-observations": self._observations(finding, waiver),
            }
        )

    def _waiver(self, finding: FindingRecord) -> WaiverEntry | None:
        """Return the waiver that covers a finding, or would if it counted; None if none does."""
        if finding["status"] == "waived":
            return self._by_id.get(finding.get("waiver", ""))
        target = finding["rule"], finding["subject"]["path"], finding.get("cause", "")
        return self._by_target.get(target) if finding["status"] == "fail" else None

    def _properties(self, finding: FindingRecord) -> list[Json]:
        subject = finding["subject"]
        facts: Json = {
            "finding": value(finding["id"]),
            "rule": finding["rule"],
            "status": finding["status"],
            "organization": value(subject["organization"]),
            "subject": value(subject["path"]),
            "cause": value(finding.get("cause", "")),
            "waiver": value(finding.get("waiver", "")),
            "since": value(finding.get("since", "")),
        }
        return [*properties(facts), *self._controls.get(finding["rule"], ())]

    def _remediation(self, finding: FindingRecord) -> Json:
        """Return the step that is recommended, else what the rule says."""
        rule, action = finding["rule"], finding.get("action_id", "")
        what = self._steps.get(action) or self._remediations.get(rule) or line(rule)
        return filled(
            {
                "uuid": identify("remediation", finding["id"]),
                "lifecycle": "recommendation",
                "title": line(finding.get("action") or f"Comply with {rule}"),
                "description": what,
                "props": properties({"action": value(action)}),
            }
        )

    def _log(self, finding: FindingRecord, waiver: WaiverEntry) -> Json:
        """Return what a waiver says; its last day and what protects instead only if it counts."""
        log: Json = {
            "risk-log": {"entries": log_waiver(finding["id"], waiver, self._as_of)},
        }
        if finding["status"] != "waived" or waiver["state"] not in EFFECTIVE:
            return log
        factor = {
            "uuid": identify("mitigating-factor", finding["id"]),
            "description": block(waiver["compensating_control"]),
        }
        return {
            "mitigating-factors": [factor],
            "deadline": last_second(waiver["expires_on"]),
            **log,
        }

    def _observations(self, finding: FindingRecord, waiver: WaiverEntry | None) -> list[Json]:
        related = [observation_uuid(self._report, finding["id"])]
        if waiver and self._shows_waivers:
            related.append(waiver_uuid(self._report, waiver["id"]))
        return [{"observation-uuid": uuid} for uuid in related]


def _status(finding: FindingRecord, waiver: WaiverEntry | None) -> str:
    """Return the status of a risk: only a waiver that counts makes it anything but open."""
    if finding["status"] == "waived":
        return "deviation-approved"
    return "deviation-requested" if waiver and waiver["state"] == "requested" else "open"


def _characterize(finding: FindingRecord) -> Json:
    facet = {"name": "severity", "system": NAMESPACE, "value": finding["severity"]}
    return {"origin": origin(), "facets": [facet]}
