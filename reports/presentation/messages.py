"""What terminal, summary and formats for pipelines say of a finding; not escaped yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.finding import STATUSES, Subject, subject_name
from inventory.text.display import pluralize

if TYPE_CHECKING:
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head
    from reports.model.population_summary import SourceEntry

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
    """Count the findings by status, without the noun."""
    return f"{head['findings']['count']:,}{_by_status(head)}"


def _by_status(head: Head) -> str:
    counts = [
        f"{head['counts'][status]:,} {status}" for status in STATUSES if head["counts"][status]
    ]
    return f", of which {', '.join(counts)}" if counts else ""


def describe_items(grouping: str) -> str:
    """Explain what pytest counts: that is not what an audit counts."""
    return f"one test item covers the findings of one rule about {_GROUPED[grouping]}"


class SubjectNames:
    """The names of subjects, with those of an audit's organizations."""

    def __init__(self, head: Head) -> None:
        """Take them from the population."""
        self._names = {
            organization["id"]: organization["name"]
            for organization in head["population"]["organizations"]
        }

    def subject(self, finding: FindingRecord) -> str:
        """Name the subject for people: its organization, then what identifies it there."""
        subject = Subject(**finding["subject"])
        organization = self.organization(subject.organization)
        return subject_name(organization, subject, finding.get("name", ""))

    def organization(self, identity: str) -> str:
        """Name an organization, by its id if its name is not known."""
        return self._names.get(identity, identity)


def outcome(finding: FindingRecord) -> str:
    """Return the outcome of the check in a word or two."""
    return {"fail": "failed", "inconclusive": "inconclusive", "error": "check broke"}[
        finding["status"]
    ]


def step(finding: FindingRecord) -> str:
    """Return what to do about a finding; empty if no step is known."""
    action = finding.get("action", "").rstrip(".")
    return f"To do: {action}." if action else ""


def sentence(finding: FindingRecord, names: SubjectNames) -> str:
    """Return the subject, what was found about it, and what to do."""
    return f"{names.subject(finding)}: {finding['message']} {step(finding)}".rstrip()


def statement(finding: FindingRecord, names: SubjectNames) -> str:
    """Return the sentence of an open finding, after its outcome unless it failed."""
    begin = "" if finding["status"] == "fail" else f"{outcome(finding).capitalize()}: "
    return f"{begin}{sentence(finding, names)}"


def gate_of(head: Head) -> str:
    """Return what stops a pipeline, by the settings of an audit."""
    settings = head["settings"]
    higher = "" if settings["fail_on"] == "critical" else " or higher"
    stops = [f"failures of severity {settings['fail_on']}{higher}"]
    if not settings["allow_inconclusive"]:
        stops.append("inconclusive findings")
    only = ", if they are new since the baseline" if settings["fail_on_new"] else ""
    return f"{' and '.join(stops)}{only}"


def count_records(source: SourceEntry) -> int:
    """Count the records that ``source`` represents: those of a chain without its first, or one.

    The first bundle of a chain is a source of its own; a summary represents all that it covers.
    """
    if "chain" not in source:
        return 1
    return source["chain"]["records"] - (source["format"] == "bundle")
