"""What changed since a baseline: which findings are new, which are known, which are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from checks.engine.card import SEVERITIES, rank
from checks.engine.context import utc
from checks.engine.finding import OPEN
from checks.engine.identity import PLANNED
from inventory.model.gaps import CloudReason
from reports.comparison.baseline import key_of
from reports.comparison.carried_over import CarriedOver
from reports.comparison.key_changes import Seen, compare_keys
from reports.model.changes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from checks.engine.card import Severity
    from checks.engine.finding import Finding
    from inventory.model.organization import Organization
    from reports.comparison.baseline import Baseline, Key
    from reports.model.changes import (
        ChangedFinding,
        ChangeReason,
        ChangesSummary,
        Class,
        ComparedFindings,
        NamedOrganization,
        OpenClass,
        OrganizationsGone,
    )

NEWS: tuple[OpenClass, ...] = ("new", "reopened", "worsened", "unclear")
"""The classes that stop a gate on what is new."""

NOT_LOOKED = frozenset(
    {
        *("clouds-left-out", "one-view-only"),
        *("access-not-shown", "recovery-not-shown", "use-not-shown"),
        *(reason for reasons in get_args(CloudReason) for reason in get_args(reasons)),
    }
)
"""The reasons for which a rule does not apply because nobody looked, so that nothing is fixed."""

MOST_LISTED = 1_000
"""How many findings of each class are listed, the worst severities first; all are counted."""

Subject = tuple[str, str]
"""Rule and subject's path."""

MOST_CLOSED = 100_000
"""How many ids of closed findings are carried along, the newest first."""


def summarize_changes(changes: ComparedFindings) -> str:
    """Say how many findings there are of each class, ``2 new, 1 gone (not judged again: 1)``."""
    counts = {klass: changes["counts"][klass] for klass in CLASSES if changes["counts"][klass]}
    counted = ", ".join(f"{count:,} {klass}" for klass, count in counts.items())
    unjudged = changes["not_judged_again"]
    return f"{counted or 'none'}{f' (not judged again: {unjudged:,})' if unjudged else ''}"


class Changes:
    """Compares the findings of an audit, as they come, with those of its baseline."""

    def __init__(self, baseline: Baseline, as_of: datetime, seen: Seen | None = None) -> None:
        """Start to compare an audit of the time ``as_of`` with ``baseline``.

        ``seen`` holds the organizations of the later audit, if they are known beforehand.
        """
        self._old = baseline
        self._before = utc(baseline.about.as_of)
        self._as_of = utc(as_of)
        self._seen = seen or Seen()
        self._carried_over = CarriedOver(baseline.organizations())
        self._open: set[Key] = set()
        self._waived: dict[Key, Finding] = {}
        self._before_of: dict[Subject, list[Finding]] = {}
        for finding in baseline.kept.values():
            self._before_of.setdefault(_subject_of(finding), []).append(finding)
        self._now_of: dict[Subject, list[Finding]] = {}
        self._closed_before = frozenset(baseline.closed)
        self._reopened: set[str] = set()
        self._classes = {klass: _ClassList() for klass in CLASSES}

    def add_organization(self, organization: Organization) -> None:
        """Take note of an organization of which findings will come."""
        unread = (gap.fact for gap in organization.missing())
        self._seen.add_organization(organization.id, organization.name, unread)
        self._carried_over.add_organization(organization)

    def classify(self, finding: Finding) -> Finding:
        """Compare ``finding``; if it is open, return it with its change and its age."""
        self._seen.add(finding)
        self._carried_over.add(finding)
        old = self._old.kept.get(key_of(finding))
        if finding.status not in OPEN:
            if old is not None:
                self._waived[key_of(finding)] = finding
            self._remember(finding)
            return finding
        change = self._change(finding, old)
        aged = self._aged(finding, old)._replace(change=change)
        self._remember(aged)
        if old is not None:
            self._open.add(key_of(finding))
        is_hidden = change == "worsened" and self._is_less_read(finding)
        self._classes[change].add(aged, old, aged, "more-unread" if is_hidden else "")
        return aged

    def _remember(self, finding: Finding) -> None:
        """Keep what is found now of a subject that did not comply in the baseline."""
        subject = _subject_of(finding)
        if subject in self._before_of:
            self._now_of.setdefault(subject, []).append(finding)

    def _aged(self, finding: Finding, old: Finding | None) -> Finding:
        if old is None or old.status not in OPEN:
            return finding._replace(since=self._as_of, audits=1)
        return finding._replace(since=self._since(old), audits=(old.audits or 1) + 1)

    def _change(self, finding: Finding, old: Finding | None) -> OpenClass:
        if old is None:
            return "reopened" if self._was_open(finding) else self._change_of_subject(finding)
        if old.status == "waived":
            return "reopened"
        if finding.status != old.status:
            return "worsened" if finding.status == "fail" else "unclear"
        is_worse = rank(finding.severity) < rank(old.severity) or self._is_less_read(finding)
        return "worsened" if is_worse else "unchanged"

    def _change_of_subject(self, finding: Finding) -> OpenClass:
        """Classify a cause that the baseline does not know, by the other causes it knows."""
        before = [
            old for old in self._before_of.get(_subject_of(finding), ()) if old.status in OPEN
        ]
        statuses = {old.status for old in before}
        is_deployed = any(old.cause == f"{PLANNED}{finding.cause}" for old in before)
        if is_deployed or (finding.status == "fail" and statuses == {"inconclusive"}):
            return "worsened"
        return "unclear" if finding.status == "inconclusive" and "fail" in statuses else "new"

    def _was_open(self, finding: Finding) -> bool:
        if not self._closed_before or finding.id not in self._closed_before:
            return False
        self._reopened.add(finding.id)
        return True

    def _is_less_read(self, finding: Finding) -> bool:
        """Say whether an organization that could not be judged hides more than it did before."""
        subject = finding.subject
        if finding.status != "inconclusive" or subject.kind != "organization":
            return False
        unread = self._seen.unread.get(subject.organization, frozenset())
        return not unread <= self._old.seen.unread.get(subject.organization, frozenset())

    # --- in parts ---------------------------------------------------------------------------------

    def merge(self, other: Changes) -> None:
        """Add what ``other`` found of the same audit: other organizations, after these."""
        self._seen.merge(other._seen)
        self._carried_over.merge(other._carried_over)
        self._open |= other._open
        self._waived |= other._waived
        for subject, found in other._now_of.items():
            self._now_of.setdefault(subject, []).extend(found)
        self._reopened |= other._reopened
        for klass, listed in other._classes.items():
            self._classes[klass].merge(listed)

    def __getstate__(self) -> dict[str, object]:
        """Pickle what was found, and not the baseline: whoever merges has that already."""
        of_baseline = {"_old", "_before_of", "_closed_before"}
        return {name: value for name, value in vars(self).items() if name not in of_baseline}

    # --- when all findings were taken -------------------------------------------------------------

    def summary(self, rules: str, left_out: str) -> ChangesSummary:
        """Return what changed, as the record states it; after the last finding.

        ``rules`` is the hash of the rules, ``left_out`` what was not run of the whole, in words.
        """
        unjudged = sum(self._classify_closed(old, left_out) for old in self._closed_since())
        closed, forgotten = self._closed()
        about = self._old.about
        return {
            "baseline": {
                "path": about.path,
                "report": about.report,
                "as_of": self._before,
                "sha256": about.sha256,
                "same_rules": about.rules == rules,
            },
            "counts": {klass: listed.count for klass, listed in self._classes.items()},
            "not_judged_again": unjudged,
            "lists": {klass: listed.entries() for klass, listed in self._classes.items()},
            "keys": None if left_out else compare_keys(self._old.seen, self._seen),
            "organizations_gone": self._organizations_gone(),
            "known": self._carried_over.entries(),
            "closed": closed,
            "closed_left_out": self._old.closed_left_out + forgotten,
        }

    def _organizations_gone(self) -> OrganizationsGone:
        """Return the organizations that only the baseline holds, whatever was found of them."""
        before = self._old.seen.names
        gone = sorted(before.keys() - self._seen.names.keys())
        named: list[NamedOrganization] = [
            {"organization": identity, "name": before[identity]} for identity in gone[:MOST_LISTED]
        ]
        return {"count": len(gone), "list": named}

    def _closed_since(self) -> Iterator[Finding]:
        """Yield what was open in the baseline and is not now."""
        for key, old in self._old.kept.items():
            if old.status in OPEN and key not in self._open:
                yield old

    def _classify_closed(self, old: Finding, left_out: str) -> bool:
        """Classify a finding that is open no more; say whether it was not judged again."""
        found = self._now_of.get(_subject_of(old), [])
        is_broken = (old.rule, old.subject.organization) in self._seen.broken
        now = self._waived.get(key_of(old)) or next(filter(_complies, found), None)
        aged = (now or old)._replace(cause=old.cause, since=self._since(old))
        aged = aged._replace(audits=old.audits or 1)
        if now is not None and now.reason in NOT_LOOKED:
            self._classes["gone"].add(aged, old, now, "facts-left-out")
            return True
        if now is None and (is_broken or not found):
            why = self._why(old, left_out)
            self._classes["gone"].add(aged, old, None, why)
            return why != "subject-absent"
        closed = _closed_by(now, found)
        self._classes[closed].add(aged, old, now, "other-cause" if closed == "superseded" else "")
        return False

    def _since(self, old: Finding) -> str:
        return old.since or self._before

    def _why(self, old: Finding, left_out: str) -> ChangeReason:
        organization, seen = old.subject.organization, self._seen
        owners = {organization} if organization else self._old.seen.names.keys()
        if left_out:
            return "partial-run"
        if owners - seen.names.keys():
            return "organization-absent"
        if (old.rule, organization) in seen.broken:
            return "check-broke"
        return (
            "organization-unread"
            if any(seen.unread[owner] for owner in owners)
            else "subject-absent"
        )

    def _closed(self) -> tuple[list[str], int]:
        """Return the ids of what was ever open and is not now, and how many were too many."""
        kept = self._old.kept
        still = self._reopened | {kept[key].id for key in self._open}
        fresh = [old.id for key, old in kept.items() if key not in self._open]
        every = dict.fromkeys([*sorted(fresh), *self._old.closed])
        closed = [identity for identity in every if identity not in still]
        return closed[:MOST_CLOSED], max(0, len(closed) - MOST_CLOSED)


def _complies(finding: Finding) -> bool:
    return finding.status in {"pass", "not-applicable"}


def _closed_by(now: Finding | None, found: list[Finding]) -> Class:
    """Classify a cause that is not open any more, by what its subject is ``found`` to be.

    Where another cause came instead, the subject complies no better than before.
    """
    if now is not None and now.status == "waived":
        return "waived"
    return "superseded" if any(other.change in NEWS for other in found) else "fixed"


def _subject_of(finding: Finding) -> Subject:
    return finding.rule, finding.subject.path


class _ClassList:
    """The findings of one class: all counted, the worst of them listed."""

    def __init__(self) -> None:
        self.count = 0
        self._entries: dict[Severity, list[ChangedFinding]] = {
            severity: [] for severity in SEVERITIES
        }

    def add(
        self, finding: Finding, old: Finding | None, now: Finding | None, why: ChangeReason = ""
    ) -> None:
        self.count += 1
        entries = self._entries[finding.severity]
        if len(entries) < MOST_LISTED:
            entries.append(_entry(finding, old, now, why))

    def merge(self, other: _ClassList) -> None:
        self.count += other.count
        for severity, entries in other._entries.items():
            self._entries[severity] = [*self._entries[severity], *entries][:MOST_LISTED]

    def entries(self) -> list[ChangedFinding]:
        return [entry for entries in self._entries.values() for entry in entries][:MOST_LISTED]


def _entry(
    finding: Finding, old: Finding | None, now: Finding | None, why: ChangeReason
) -> ChangedFinding:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "cause": finding.cause,
        "status_before": old.status if old else None,
        "status": now.status if now else None,
        "severity": finding.severity,
        "severity_before": old.severity if old else None,
        "organization": finding.subject.organization,
        "path": finding.subject.path,
        "name": finding.name,
        "message": finding.message,
        "since": finding.since,
        "audits": finding.audits,
        "reason": why,
    }
