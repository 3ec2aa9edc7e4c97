"""A finding as the auditor's page shows it: every text escaped, every place linked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup, escape

from inventory.text.display import pluralize
from reports.page.times import short_time
from reports.presentation import labels
from reports.presentation.sanitize import name, plain, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from checks.engine.finding import Change
    from reports.model.finding_record import FindingRecord
    from reports.model.population_summary import OrganizationEntry
    from reports.page.findings.evidence_labels import EvidenceItem, EvidenceLabels

LONGEST_PATH = 2_048
"""The longest subject that a waiver can name, in characters."""

_DATABASES = frozenset({"database", "database-region"})


class FindingAge(NamedTuple):
    """Since when a finding is open, as a baseline shows.

    Attributes:
        change: what changed since the baseline.
        since: the time of the first audit in a row in which it is open.
        audits: in how many audits in a row it is open.
    """

    change: Change
    since: str
    audits: int

    @property
    def words(self) -> str:
        """Return what is new about a finding of this audit, else the day since when it is open."""
        if self.audits == 1:
            return labels.CHANGE[self.change].word
        return self.since[:10]

    @property
    def sentence(self) -> str:
        """Return since when it is open, and in how many audits."""
        return f"{short_time(self.since)}, open in {pluralize(self.audits, 'audit')} in a row"


class SubjectValues(NamedTuple):
    """What a subject is about in values that the filter compares, and that a table can hold.

    They are text of one line without invisible characters, and not escaped.
    """

    organization: str
    type: str
    provider: str
    region: str
    database: str
    key: str


class FindingView(NamedTuple):
    """A finding as the page shows it; texts are escaped already, but those of ``values``.

    Attributes:
        id: the finding's id.
        status: its status.
        severity: its severity.
        rule: the rule's id.
        values: its subject for the filter.
        kind: what the subject is.
        organization: the organization's name; empty if the subject goes across organizations.
        subject: the subject for people, within its organization.
        message: the condition.
        affected: how many databases it concerns, and which, if that is known.
        action: what to do about it; may be empty.
        reason: a reason code; may be empty.
        path: the subject's identity, as a waiver names it.
        cause: why the subject does not comply, as a waiver names it; may be empty.
        evidence: where the facts are recorded, the first places.
        evidence_left: how many more places there are.
        waiver: the id of the waiver that covers it; may be empty.
        rests_on: the kind of evidence on which a pass rests; empty of any other finding.
        age: since when it is open; None without a baseline.
    """

    id: str
    status: str
    severity: str
    rule: str
    values: SubjectValues
    kind: str
    organization: Markup
    subject: Markup
    message: Markup
    affected: Markup
    action: Markup
    reason: str
    path: Markup
    cause: Markup
    evidence: Sequence[EvidenceItem]
    evidence_left: int
    waiver: str
    rests_on: str
    age: FindingAge | None

    @property
    def title(self) -> Markup:
        """Return the subject for people, with its organization."""
        return Markup(" / ").join(part for part in (self.organization, self.subject) if part)


class OrganizationNames:
    """The names of the organizations of a page."""

    def __init__(self, organizations: Sequence[OrganizationEntry]) -> None:
        """Take the names from the population."""
        self._names = {organization["id"]: organization["name"] for organization in organizations}

    def name(self, organization: str) -> str:
        """Return the name of an organization, or its id if the population does not have it."""
        return self._names.get(organization, organization) or "across organizations"


def view_finding(
    finding: FindingRecord, organizations: OrganizationNames, evidence: EvidenceLabels
) -> FindingView:
    """Return how the page shows ``finding``."""
    subject = finding["subject"]
    places = evidence.items(finding)
    return FindingView(
        id=finding["id"],
        status=finding["status"],
        severity=finding["severity"],
        rule=finding["rule"],
        values=_values(finding),
        kind=labels.KIND[subject["kind"]],
        organization=name(organizations.name(subject["organization"])),
        subject=_subject(finding),
        message=visible(finding["message"]),
        affected=affected(finding, _named(finding, evidence)),
        action=visible(finding.get("action", "")),
        reason=finding.get("reason", ""),
        path=visible(subject["path"], LONGEST_PATH),
        cause=visible(finding.get("cause", ""), LONGEST_PATH),
        evidence=places,
        evidence_left=len(finding["evidence"]) - len(places),
        waiver=finding.get("waiver", ""),
        rests_on=finding.get("rests_on", ""),
        age=_age(finding),
    )


def _values(finding: FindingRecord) -> SubjectValues:
    subject = finding["subject"]
    return SubjectValues(
        organization=plain(subject["organization"]),
        type=subject.get("type", ""),
        provider=subject.get("provider", ""),
        region=plain(subject.get("region", "")),
        database=plain(subject.get("database", "")),
        key=plain(subject.get("key", "")),
    )


def _subject(finding: FindingRecord) -> Markup:
    """Name the subject for people within its organization; what identifies it comes first."""
    subject = finding["subject"]
    parts = []
    if subject["kind"] in _DATABASES:
        parts.append(name(finding.get("name") or subject["database"]))
    if "region" in subject:
        parts.append(name(subject["region"]))
    if "type" in subject:
        kind = f"{labels.TYPE[subject['type']]} on {labels.PROVIDER[subject['provider']]}"
        parts.append(escape(kind))
    if "key" in subject:
        parts.append(name(subject["key"]))
    return Markup(" / ").join(parts)


def _age(finding: FindingRecord) -> FindingAge | None:
    if "since" not in finding:
        return None
    return FindingAge(finding["change"], finding["since"], finding["audits"])


# --- what a finding affects -----------------------------------------------------------------------


def _named(finding: FindingRecord, evidence: EvidenceLabels) -> Sequence[str]:
    """Name the databases that a finding concerns, if that is known."""
    subject = finding["subject"]
    if subject["kind"] in _DATABASES:
        return [finding.get("name") or subject["database"]]
    return evidence.population.databases_of(finding)


def affected(finding: FindingRecord, names: Sequence[str] = ()) -> Markup:
    """Return how much a finding concerns: databases where it counts them, with their ``names``."""
    counted = escape(_counted(finding))
    total = finding.get("databases", 0)
    if not names or not total:
        return counted
    listed = Markup("</b>, <b>").join(map(name, names))
    more = f" and {total - len(names):,} more" if total > len(names) else ""
    return counted + Markup(": <b>") + listed + Markup("</b>") + more


def _counted(finding: FindingRecord) -> str:
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
