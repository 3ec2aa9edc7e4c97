"""A gate on what is new, and a waiver, over any sequence of audits: nothing worse gets by."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from checks.engine.catalogue import load_rules
from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.finding import OPEN, STATUSES
from checks.engine.outcome import Gate
from checks.engine.waivers import Waiver, WaiverBook, target_of
from reports.comparison.baseline import AuditReference, build_baseline
from reports.comparison.changes import Changes
from reports.comparison.key_changes import Seen
from tests.builders import AS_OF, moment
from tests.checks.strategies import inventories
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from checks.engine.finding import Finding
    from inventory.model.organization import Organization
    from reports.comparison.baseline import Baseline

RULES = load_rules()
GATE = Gate("advisory", new_only=True)
TIMES = [moment(f"2026-11-{day:02}T03:00:00Z") for day in (21, 22, 23, 24)]
BADNESS = {"pass": 0, "not-applicable": 0, "waived": 0, "inconclusive": 1, "error": 1, "fail": 2}
NIGHTS = st.lists(inventories, min_size=2, max_size=3)


class Night(NamedTuple):
    """One audit: what was audited, what was found, and what it is to the next one."""

    organizations: Sequence[Organization]
    findings: list[Finding]
    baseline: Baseline


def _audit(
    organizations: Sequence[Organization], as_of: datetime, before: Baseline | None
) -> Night:
    """Audit as a run does, with the audit before as its baseline and no other history."""
    changes = Changes(before, as_of) if before else None
    known = before.organizations() if before else {}
    seen = Seen()
    for organization in organizations:
        gaps = (gap.fact for gap in organization.missing())
        seen.add_organization(organization.id, organization.name, gaps, organization.captured_at)
        if changes:
            changes.add_organization(organization)
    found = evaluate(organizations, RULES, Context(as_of, baseline=known))
    findings = list(map(changes.classify, found)) if changes else list(found)
    about = AuditReference("last/audit.json", "0" * 64, as_of, "0" * 64, "0" * 64, is_example=False)
    return Night(organizations, findings, build_baseline(about, seen, findings))


def _audits(nights: Iterable[Sequence[Organization]]) -> Iterator[Night]:
    """Audit one night after the other, each with the one before as its baseline."""
    before: Night | None = None
    for as_of, organizations in zip(TIMES, nights, strict=False):
        before = _audit(organizations, as_of, before.baseline if before else None)
        yield before


def _stopping(findings: Iterable[Finding]) -> list[Finding]:
    return [
        finding
        for finding in findings
        if GATE.stops(finding.status, finding.severity, finding.change)
    ]


def _causes(findings: Iterable[Finding]) -> set[tuple[str, str, str]]:
    """Return rule, subject and cause of all that is open."""
    return {
        (finding.rule, finding.subject.path, finding.cause)
        for finding in findings
        if finding.status in OPEN
    }


def _badness(findings: Iterable[Finding]) -> dict[tuple[str, str], int]:
    """Return how bad each subject is by each rule: 0 if it complies, 2 if it fails."""
    worst: dict[tuple[str, str], int] = {}
    for finding in findings:
        subject = finding.rule, finding.subject.path
        worst[subject] = max(worst.get(subject, 0), BADNESS[finding.status])
    return worst


def _databases(organization: Organization) -> set[str]:
    """Return the ids of the databases that are listed; a terminated one is accounted for."""
    return {
        database.id
        for database in organization.databases or ()
        if database.id and not database.is_planned
    }


@examples(60)
@given(NIGHTS)
def test_what_got_worse_never_passes_a_gate_on_what_is_new(
    nights: list[tuple[Organization, ...]],
) -> None:
    """Over any sequence of audits a subject that got worse stops, by a finding about itself."""
    for before, now in pairwise(_audits(nights)):
        worst, stopped = _badness(before.findings), _stopping(now.findings)
        subjects = {(finding.rule, finding.subject.path) for finding in stopped}
        worse = {
            subject
            for subject, badness in _badness(now.findings).items()
            if badness > worst.get(subject, 0)
        }
        assert worse - subjects == set()


@examples(60)
@given(NIGHTS)
def test_a_further_cause_never_passes_a_gate_on_what_is_new(
    nights: list[tuple[Organization, ...]],
) -> None:
    """A cause that the audit before did not have open stops, whatever else its subject has."""
    for before, now in pairwise(_audits(nights)):
        further = _causes(now.findings) - _causes(before.findings)
        assert further - _causes(_stopping(now.findings)) == set()


@examples(60)
@given(NIGHTS, st.integers(0, 2))
def test_what_is_seen_less_never_passes_a_gate_on_what_is_new(
    nights: list[tuple[Organization, ...]], left: int
) -> None:
    """An organization or a database that is not listed any more stops, without any history."""
    first = _audit(nights[0], TIMES[0], None)
    second = _audit(nights[1][:left], TIMES[1], first.baseline)
    stopped = {finding.subject.organization for finding in _stopping(second.findings)}
    present = {organization.id: organization for organization in second.organizations}
    for organization in first.organizations:
        judged = {
            finding.subject.database
            for finding in first.findings
            if finding.rule == "CMEK-05"
            and finding.existing
            and finding.subject.organization == organization.id
        }
        now = present.get(organization.id)
        if now is None or (now.databases is not None and judged - _databases(now)):
            assert organization.id in stopped


@examples(60)
@given(NIGHTS)
def test_an_audit_of_the_same_stops_for_nothing(nights: list[tuple[Organization, ...]]) -> None:
    """What was accepted with a baseline is known again as long as nothing changes."""
    first = _audit(nights[0], TIMES[0], None)
    again = _audit(nights[0], TIMES[0], first.baseline)
    assert _stopping(again.findings) == []


@examples(60)
@given(NIGHTS, st.data())
def test_a_waiver_never_covers_two_causes(
    nights: list[tuple[Organization, ...]], data: st.DataObject
) -> None:
    """Of all that any audit finds, a waiver covers one rule, subject and cause, and a fail only."""
    found = _audit(nights[0], TIMES[0], None).findings
    failing = [each for each in found if each.status == "fail"]
    if not failing:
        return
    waiver = _waiver(data.draw(st.sampled_from(failing)))
    for organizations in nights:
        book = WaiverBook([waiver], AS_OF)
        before = _audit(organizations, TIMES[0], None).findings
        after = [book.apply(each) for each in before]
        changed = [one for one, two in zip(before, after, strict=True) if one != two]
        assert len(changed) <= 1
        assert {each.status for each in changed} <= {"fail"}
        assert {(finding.rule, finding.subject.path, finding.cause) for finding in changed} <= {
            target_of(waiver)
        }


def _waiver(finding: Finding) -> Waiver:
    return Waiver(
        id="W-1",
        rule=finding.rule,
        subject=finding.subject.path,
        cause=finding.cause,
        reason="a pilot",
        requested_by="acme-dev",
        approved_by="acme-security",
        requested_on=date(2026, 11, 1),
        approved_on=date(2026, 11, 2),
        expires_on=date(2026, 12, 1),
        compensating_control="none",
        ticket="ACME-1",
    )


def test_every_status_is_as_bad_as_it_is() -> None:
    """The order of badness of these tests knows every status, and what is open is worse."""
    assert set(BADNESS) == set(STATUSES)
    assert {each for each, badness in BADNESS.items() if badness} == set(OPEN)
