"""A finding as the auditor's page shows it: every text escaped, every place linked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from inventory.text.display import pluralize
from reports.page.times import short_time
from reports.presentation import labels
from reports.presentation.sanitize import name, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inventory.model.base import SourceLocation
    from reports.model.finding_record import FindingRecord
    from reports.model.population_summary import OrganizationEntry
    from reports.page.evidence_index import EvidenceIndex

LONGEST_PATH = 2_048
"""The longest subject that a waiver can name, in characters."""

_MOST_EVIDENCE = 10


class FindingView(NamedTuple):
    """A finding as the page shows it; texts are escaped already.

    Attributes:
        id: the finding's id.
        status: its status.
        severity: its severity.
        rule: the rule's id.
        organization: the organization's number on this page, for the filter.
        kind: what the subject is.
        title: the subject for people.
        message: the condition.
        affected: how many databases it concerns.
        action: what to do about it; may be empty.
        reason: a reason code; may be empty.
        path: the subject's identity, as a waiver names it.
        cause: why the subject does not comply, as a waiver names it; may be empty.
        evidence: where the facts are recorded.
        waiver: the id of the waiver that covers it; may be empty.
        change: what changed since the baseline; may be empty.
        seen: since when it is open; may be empty.
    """

    id: str
    status: str
    severity: str
    rule: str
    organization: int
    kind: str
    title: Markup
    message: Markup
    affected: str
    action: Markup
    reason: str
    path: Markup
    cause: Markup
    evidence: Markup
    waiver: str
    change: str
    seen: str


class NumberedOrganizations:
    """The organizations of a page: their names, and the numbers by which the filter knows them.

    Attributes:
        numbers: the number of each organization that a finding on the page names.
    """

    def __init__(self, organizations: Sequence[OrganizationEntry]) -> None:
        """Take the names from the population."""
        self._names = {organization["id"]: organization["name"] for organization in organizations}
        self.numbers: dict[str, int] = {}

    def name(self, organization: str) -> str:
        """Return the name of an organization, or its id if the population does not have it."""
        return self._names.get(organization, organization) or "across organizations"

    def number(self, organization: str) -> int:
        """Return the number of an organization, the next one if it has none yet."""
        return self.numbers.setdefault(organization, len(self.numbers))


def view_finding(
    finding: FindingRecord, organizations: NumberedOrganizations, index: EvidenceIndex
) -> FindingView:
    """Return how the page shows ``finding``; places in the ``index`` become links."""
    subject = finding["subject"]
    return FindingView(
        id=finding["id"],
        status=finding["status"],
        severity=finding["severity"],
        rule=finding["rule"],
        organization=organizations.number(subject["organization"]),
        kind=labels.KIND[subject["kind"]],
        title=_title(finding, organizations),
        message=visible(finding["message"]),
        affected=affected(finding),
        action=visible(finding.get("action", "")),
        reason=finding.get("reason", ""),
        path=visible(subject["path"], LONGEST_PATH),
        cause=visible(finding.get("cause", ""), LONGEST_PATH),
        evidence=evidence(finding, index),
        waiver=finding.get("waiver", ""),
        change=finding.get("change", ""),
        seen=_seen(finding),
    )


def _title(finding: FindingRecord, organizations: NumberedOrganizations) -> Markup:
    """Name the subject for people: its organization, then what identifies it there."""
    subject = finding["subject"]
    parts = [name(organizations.name(subject["organization"]))]
    if subject["kind"] in {"database", "database-region"}:
        parts.append(name(finding.get("name") or subject["database"]))
    if "type" in subject:
        kind = f"{labels.TYPE[subject['type']]} on {labels.PROVIDER[subject['provider']]}"
        parts.append(Markup("{}").format(kind))
    parts += [name(subject[part]) for part in ("region", "key") if part in subject]
    return Markup(" / ").join(parts)


def _seen(finding: FindingRecord) -> str:
    """Return since when a finding is open; empty without a baseline."""
    if "since" not in finding:
        return ""
    audits = pluralize(finding["audits"], "audit")
    return f"{short_time(finding['since'])}, open in {audits} in a row"


def affected(finding: FindingRecord) -> str:
    """Return how much a finding concerns, in databases where it counts them."""
    total, existing = finding.get("databases", 0), finding.get("existing", 0)
    if not total:
        kind = finding["subject"]["kind"]
        if kind == "organization":
            return "the organization as a whole"
        return "no database" if kind.startswith("database") else "no database is recorded there"
    counted = pluralize(total, "database")
    if existing == total:
        return f"{counted}, existing" if total == 1 else f"{counted}, all of them existing"
    return f"{counted}, planned" if not existing else f"{counted}, {existing:,} of them existing"


# --- evidence -------------------------------------------------------------------------------------


def shown_evidence(finding: FindingRecord) -> Sequence[SourceLocation]:
    """Return those places of the evidence of ``finding`` that the page lists."""
    return finding["evidence"][:_MOST_EVIDENCE]


def evidence(finding: FindingRecord, index: EvidenceIndex) -> Markup:
    """List where the facts are recorded; a recorded answer is a link to its row in the index."""
    shown = [_location(index, *location) for location in shown_evidence(finding)]
    more = len(finding["evidence"]) - len(shown)
    if more:
        shown.append(Markup("{:,} more in findings.ndjson").format(more))
    return Markup(" ").join(shown) or Markup("none: no file contains it")


def _location(index: EvidenceIndex, file: str, line: int, address: str = "") -> Markup:
    anchor, shown = index.anchor(file), Markup("<code>{}:{}</code>").format(visible(file), line)
    if address:
        shown += Markup(" (<code>{}</code>)").format(visible(address))
    return Markup('<a href="#{}">{}</a>').format(anchor, shown) if anchor else shown
