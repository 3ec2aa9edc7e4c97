"""The findings section of a page: the findings it shows, in groups, and what their rows need."""

from __future__ import annotations

from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import OPEN
from reports.page.findings.evidence_labels import CitedPopulation, EvidenceLabels
from reports.page.findings.filter_options import filter_fields
from reports.page.findings.finding_view import OrganizationNames, view_finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checks.engine.card import Severity
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, RuleEntry, StatusCounts, WaiverEntry
    from reports.page.findings.evidence_index import EvidenceIndex
    from reports.page.findings.filter_options import FilterField
    from reports.page.findings.finding_view import FindingView
    from reports.presentation.selection import PageLimits, Selection

_severity = attrgetter("severity")


class FindingsSection(NamedTuple):
    """All that the findings section shows.

    Attributes:
        open: by severity, the most urgent first.
        open_shown, open_total: how many open findings are shown, and how many there are.
        waived: those that a waiver covers.
        folded: by status and rule.
        shown: every finding that is shown, by its id.
        total: how many findings there are.
        counts: how many there are of each status.
        severities: how many open ones there are of each severity.
        is_brief: whether the words of the rules are shown only once, at the criteria.
        is_aged: whether a baseline shows since when findings are open.
        fields: the filter.
        rules: the rules, by their ids.
        controls: by rule, the controls it gives evidence for, by framework.
        waivers: by id, each with its number on the page; 0 if the page does not list it.
        report: the first digits of the report's id.
    """

    open: dict[str, list[FindingView]]
    open_shown: int
    open_total: int
    waived: list[FindingView]
    folded: dict[tuple[str, str], list[FindingView]]
    shown: dict[str, FindingView]
    total: int
    counts: StatusCounts
    severities: dict[Severity, int]
    is_brief: bool
    is_aged: bool
    fields: list[FilterField]
    rules: dict[str, RuleEntry]
    controls: Mapping[str, Mapping[str, list[str]]]
    waivers: dict[str, tuple[int, WaiverEntry]]
    report: str


def findings_section(
    head: Head,
    chosen: Selection,
    *,
    cited: CitedPopulation,
    index: EvidenceIndex,
    limits: PageLimits,
    waiver_numbers: Mapping[str, int],
) -> FindingsSection:
    """Lay out the ``chosen`` findings; what they have ``cited`` was read from the population.

    They are taken out of their lists, as all of them and their views take much memory together. A
    waiver that the page shows has a number by its id.

    Of the head it needs the report's id, the counts, the criteria, the waivers, the sources and the
    organizations, so a part of an audit is laid out by a head that is restricted to it.
    """
    organizations = OrganizationNames(head["population"]["organizations"])
    evidence = EvidenceLabels(head["population"]["sources"], cited, index)
    rules = head["criteria"]["rules"]

    fields = filter_fields(
        [*shown_findings(chosen)], rules, organizations.name, limits.organizations
    )
    is_aged = any("since" in finding for finding in chosen.open)

    def view(findings: list[FindingRecord]) -> list[FindingView]:
        findings.reverse()
        return [view_finding(findings.pop(), organizations, evidence) for _ in range(len(findings))]

    opened, waived = view(chosen.open), view(chosen.waived)
    folded = {key: view(findings) for key, findings in chosen.folded.items()}
    return FindingsSection(
        open={severity: list(group) for severity, group in groupby(opened, _severity)},
        open_shown=len(opened),
        open_total=sum(head["counts"][status] for status in OPEN),
        waived=waived,
        folded=folded,
        shown={shown.id: shown for shown in chain(opened, waived, *folded.values())},
        total=sum(head["counts"].values()),
        counts=head["counts"],
        severities=head["open"],
        is_brief=len(opened) > limits.full,
        is_aged=is_aged,
        fields=fields,
        rules={rule["id"]: rule for rule in rules},
        controls={rule["id"]: _controls(rule) for rule in rules},
        waivers={
            waiver["id"]: (waiver_numbers.get(waiver["id"], 0), waiver)
            for waiver in head["waivers"]
        },
        report=head["report"][:12],
    )


def shown_findings(chosen: Selection) -> Iterable[FindingRecord]:
    """Return every finding that the page shows, the most urgent first."""
    return chain(chosen.open, chosen.waived, *chosen.folded.values())


def _controls(rule: RuleEntry) -> dict[str, list[str]]:
    """Return the controls that a rule gives evidence for, by framework."""
    controls: dict[str, list[str]] = {}
    for control in rule["controls"]:
        controls.setdefault(control["framework"], []).append(control["id"])
    return controls
