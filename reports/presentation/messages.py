"""What the formats for pipelines say of a finding, in words that are still to be escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.finding import STATUSES
from inventory.text.display import pluralize
from reports.presentation import labels

if TYPE_CHECKING:
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head

TITLE = "Customer keys in Astra"
_GROUPED = {
    "subject": "one subject",
    "organization": "one organization",
    "rule": "all organizations",
}


def counts_of(head: Head) -> str:
    """Count the findings by status: ``9 findings, of which 1 fail, 8 pass``."""
    return pluralize(head["findings"]["count"], "finding") + _by_status(head)


def number_of(head: Head) -> str:
    """Count the findings by status where what is counted is said already."""
    return f"{head['findings']['count']:,}{_by_status(head)}"


def _by_status(head: Head) -> str:
    told = [f"{head['counts'][status]:,} {status}" for status in STATUSES if head["counts"][status]]
    return f", of which {', '.join(told)}" if told else ""


def checks_of(grouping: str) -> str:
    """Say what pytest counts, as that is not what an audit counts."""
    return f"one check answers for the findings of one rule about {_GROUPED[grouping]}"


class Names:
    """The names of an audit's organizations."""

    def __init__(self, head: Head) -> None:
        """Take them from the population."""
        self._names = {
            organization["id"]: organization["name"]
            for organization in head["population"]["organizations"]
        }

    def subject(self, finding: FindingRecord) -> str:
        """Name the subject for people: its organization, then what tells it apart there."""
        subject = finding["subject"]
        organization = subject["organization"]
        parts = [self._names.get(organization, organization) or "across organizations"]
        if subject["kind"] in {"database", "database-region"}:
            parts.append(finding.get("name") or subject.get("database", ""))
        kind, provider = subject.get("type", ""), subject.get("provider", "")
        kinds = [labels.TYPE.get(kind, kind), labels.PROVIDER.get(provider, provider)]
        parts.append(" on ".join(filter(None, kinds)))
        parts += [subject.get("region", ""), subject.get("key", "")]
        return " / ".join(filter(None, parts))


def outcome(finding: FindingRecord) -> str:
    """Say in a few words what became of the rule."""
    return {"fail": "fails", "inconclusive": "could not be judged", "error": "broke"}[
        finding["status"]
    ]


def step(finding: FindingRecord) -> str:
    """Say what to do about a finding; empty if nothing is known to help."""
    action = finding.get("action", "").rstrip(".")
    return f"To do: {action}." if action else ""


def sentence(finding: FindingRecord, names: Names) -> str:
    """Say what was found of which subject, and what to do about it."""
    return f"{names.subject(finding)}: {finding['message']} {step(finding)}".rstrip()


def gate_of(head: Head) -> str:
    """Say what stops a pipeline, by the settings of an audit."""
    settings = head["settings"]
    stops = [f"failures of severity {settings['fail_on']} or worse"]
    if not settings["allow_inconclusive"]:
        stops.append("whatever is inconclusive")
    only = ", if it is new since the baseline" if settings["fail_on_new"] else ""
    return f"{' and '.join(stops)}{only}"
