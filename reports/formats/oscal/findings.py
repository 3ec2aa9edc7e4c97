"""One OSCAL finding for each control and organization: satisfied, or not, and why.

A control is satisfied only if everything that gives evidence to it complies, and some of it passes
directly. All else is not satisfied: a failure, with or without a waiver; what could not be judged;
and what nothing was judged for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import ACROSS, COMPLYING, STATUSES
from checks.engine.identity import things_of
from reports.formats.oscal.document import why_no_evidence
from reports.formats.oscal.identifiers import identify, pack
from reports.formats.oscal.json_parts import (
    array,
    filled,
    member,
    object_of,
    properties,
    references,
)
from reports.formats.oscal.parties import by_tool
from reports.formats.oscal.risks import risk_uuid
from reports.formats.oscal.texts import line, value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checks.engine.finding import Status
    from reports.formats.oscal.controls import Target, Targets
    from reports.formats.oscal.json_parts import Json
    from reports.formats.oscal.subjects import Organizations
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head

_LEFT_OUT = "clouds-left-out"
_UNKNOWN: tuple[Status, ...] = ("inconclusive", "error")


class _Conclusion(NamedTuple):
    """What the evidence says about a control, in OSCAL's words and in a sentence."""

    state: str
    reason: str
    remarks: str


class ControlEvidence:
    """The findings that give evidence about one control in one organization.

    Attributes:
        counts: how many there are of each status.
        direct: the same of those that give direct evidence.
        is_incomplete: whether facts were left out that some of them need.
        observations, risks: their UUIDs, packed one after the other.
    """

    __slots__ = ("counts", "direct", "is_incomplete", "observations", "risks")

    def __init__(self) -> None:
        """Start with none."""
        self.counts, self.direct = Counter[str](), Counter[str]()
        self.is_incomplete = False
        self.observations, self.risks = bytearray(), bytearray()

    def add(self, finding: FindingRecord, observation: bytes, *, is_direct: bool) -> None:
        """Add ``finding``, whose packed UUID is that of its ``observation``."""
        status = finding["status"]
        self.counts[status] += 1
        if is_direct:
            self.direct[status] += 1
        self.is_incomplete |= finding.get("reason") == _LEFT_OUT
        self.observations += observation
        if status not in {"pass", "not-applicable"}:
            self.risks += pack(risk_uuid(finding["id"]))

    @property
    def is_conclusive(self) -> bool:
        """Return whether some evidence is direct, or anything does not comply."""
        return bool(self.direct or self.risks)


class ControlFindings:
    """Gathers the evidence about each control in each organization."""

    def __init__(self, head: Head, targets: Targets, organizations: Organizations) -> None:
        """Start with none."""
        self._targets, self._organizations = targets, organizations
        self._report, self._no_evidence = head["report"], why_no_evidence(head)
        self._evidence = defaultdict[tuple[str, str], ControlEvidence](ControlEvidence)

    def add(self, finding: FindingRecord, observation: str) -> None:
        """Add the evidence of ``finding`` to each control that its rule is about."""
        packed = pack(observation)
        for control, is_direct in self._targets.rules.get(finding["rule"], ()):
            for organization in self._concerned(finding):
                evidence = self._evidence[organization, control]
                evidence.add(finding, packed, is_direct=is_direct)

    def _concerned(self, finding: FindingRecord) -> Iterator[str]:
        """Yield the organization of a finding; of one across them also those that it names.

        An organization that shares a key must not look better than the key that it shares.
        """
        owner = finding["subject"]["organization"]
        yield owner
        if not owner and finding["status"] not in COMPLYING:
            things = things_of(finding.get("cause", ""))
            yield from (thing for thing in things if thing in self._organizations)

    def parts(self) -> Iterator[Iterable[str]]:
        """Yield each OSCAL finding in parts; its lists may be as long as the audit's."""
        for (organization, control), evidence in self._evidence.items():
            if evidence.is_conclusive:
                yield self._finding(organization, self._targets.controls[control], evidence)

    def _finding(
        self, organization: str, target: Target, evidence: ControlEvidence
    ) -> Iterator[str]:
        related = array(
            "related-observations", references("observation-uuid", evidence.observations)
        )
        risks = array("related-risks", references("risk-uuid", evidence.risks))
        fields = self._fields(organization, target, evidence)
        members = (member(name, field) for name, field in fields.items())
        return object_of(*members, related, risks)

    def _fields(self, organization: str, target: Target, evidence: ControlEvidence) -> Json:
        name = self._organizations.name(organization) if organization else ACROSS
        counts: Json = {
            status: evidence.counts[status] for status in STATUSES if evidence.counts[status]
        }
        found = ", ".join(f"{count} {status}" for status, count in counts.items())
        return filled(
            {
                "uuid": identify("finding", self._report, organization, target.control),
                "title": line(f"{target.name}, {name}"),
                "description": line(f"Findings that give evidence: {found}."),
                "props": properties({"organization": value(organization), **counts}),
                "origins": by_tool(),
                "target": self._target(target, evidence),
                "remarks": line(target.not_shown) if target.not_shown else "",
            }
        )

    def _target(self, target: Target, evidence: ControlEvidence) -> Json:
        state, reason, remarks = _conclude(evidence, self._no_evidence)
        return {
            "type": target.kind,
            "target-id": target.id,
            "title": line(target.name),
            "status": {"state": state, "reason": reason, "remarks": line(remarks)},
        }


def _conclude(evidence: ControlEvidence, no_evidence: str) -> _Conclusion:
    """Say what the evidence is worth; what looks worse always comes first."""
    counts = evidence.counts
    if counts["fail"]:
        return _failing("A finding that gives evidence fails.")
    if counts["waived"]:
        return _failing("A failure is waived: it is accepted, and not fixed.")
    if why := _why_unknown(evidence) or no_evidence:
        return _Conclusion("not-satisfied", "other", why)
    return _Conclusion("satisfied", "pass", "All that gives evidence complies.")


def _failing(remarks: str) -> _Conclusion:
    return _Conclusion("not-satisfied", "fail", remarks)


def _why_unknown(evidence: ControlEvidence) -> str:
    """Say why nothing is known of a control of which nothing fails; empty if it complies."""
    if any(evidence.counts[status] for status in _UNKNOWN):
        return "Something could not be judged."
    if evidence.is_incomplete:
        return "Facts of the clouds were left out."
    return "" if evidence.direct["pass"] else "No rule that gives direct evidence passes."
