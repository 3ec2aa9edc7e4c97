"""The parts of the page, laid out from a record: what its templates show."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from reports.key_instructions.instructions import lay_out_commands
from reports.page.answer import answer
from reports.page.attestation_groups import group_attestations
from reports.page.coverage_list import lay_out_coverage
from reports.page.findings.evidence_index import EvidenceIndex
from reports.page.findings.evidence_labels import shown_evidence
from reports.page.findings.finding_view import OrganizationNames
from reports.page.findings.findings_section import findings_section
from reports.page.fix_first import lay_out_actions
from reports.page.frameworks import STATE, TALLY, TALLY_STATUSES, view_frameworks
from reports.page.keys.layout import counted
from reports.page.not_evaluated import group_by_reason
from reports.page.organization_evidence import requests_by_organization
from reports.page.reading.page_lines import read_lines
from reports.page.reconciliation import reconcile_counts
from reports.page.trend import trend_of
from reports.page.waiver_list import list_waivers
from reports.presentation import labels
from reports.presentation.banners import banners
from reports.presentation.sample_table import (
    command_to_list,
    command_to_reproduce,
    describe_method,
)
from reports.presentation.source_notes import first_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reports.model.head import Head
    from reports.model.population_summary import OrganizationEntry
    from reports.page.organizations.links import PageLinks
    from reports.page.reading.page_lines import PageLines
    from reports.presentation.sample_table import Sample
    from reports.presentation.selection import PageLimits, Selection

    Parts = dict[str, Any]


def parts_of(
    head: Head,
    lines: Iterable[bytes],
    population: Iterable[bytes],
    *,
    limits: PageLimits,
    links: PageLinks,
) -> Parts:
    """Return what the templates show of the record with this ``head``, by name.

    The ``lines`` of findings and those of the ``population`` are read as often as needed.
    """
    read = read_lines(head, lines, population, limits=limits, is_index=links.is_index)
    waivers = list_waivers(head["waivers"], limits.waivers)
    findings = _findings(head, read, limits, waivers.numbers)
    return {
        "head": head,
        "limits": limits,
        "links": links,
        "labels": labels,
        "banners": banners(head),
        "notes": first_notes(head),
        "answer": answer(head, links.only),
        "trend": trend_of(head),
        "timeline": read.timeline,
        "key_list": read.key_list,
        "counted": counted,
        "facts_from": _facts_from(head),
        "commands": lay_out_commands(head["key_plan"], limits.commands),
        **_coverage(head, limits),
        "waivers": waivers,
        **findings,
        "address": partial(links.finding, here=findings["shown"]),
        **({} if "frameworks" in links.hidden else _frameworks(head)),
        "attestations": group_attestations(
            head["attestations"], head["settings"]["as_of"], limits.attestations
        ),
        # What rests on attestations is counted for the whole audit only.
        "attested": None if links.only else head["attested"],
        **_sample(read.sample),
    }


def _organizations(head: Head) -> list[OrganizationEntry]:
    return head["population"]["organizations"]


def _facts_from(head: Head) -> str:
    if head["settings"]["mode"] == "live":
        return "Astra, read by this audit and recorded as evidence"
    if head["evidence"]:
        return "evidence recorded from Astra before this audit"
    return "recorded files"


def _coverage(head: Head, limits: PageLimits) -> Parts:
    return {
        "coverage": lay_out_coverage(
            head["coverage"],
            most_cells=limits.cells,
            most_whole=limits.whole_organizations,
            is_partial=bool(head["settings"]["left_out"]),
        ),
        "fix_first": lay_out_actions(
            head["actions"], _organizations(head), head["actions_total"], limits.actions
        ),
        "reconciled": reconcile_counts(_organizations(head), limits.rows),
    }


def _findings(head: Head, read: PageLines, limits: PageLimits, waivers: Mapping[str, int]) -> Parts:
    """Return the findings, and the evidence to which they and the sample lead.

    The ``waivers`` that the page shows have a number by their id.
    """
    names = OrganizationNames(_organizations(head))
    cited = {
        name
        for place in (*_cited(read.chosen), *(row.place for row in read.sample.rows))
        for name in (place, place.rpartition(":")[0])
    }
    index = EvidenceIndex(head["evidence"], cited, limits.exchanges)
    section = findings_section(
        head, read.chosen, cited=read.cited, index=index, limits=limits, waiver_numbers=waivers
    )
    steps = _steps(head, names)
    return {
        "index": index,
        "findings": section,
        "shown": section.shown,
        "open_total": section.open_total,
        "organization_name": names.name,
        "asked_about": requests_by_organization(
            _organizations(head), head["population"]["sources"], index.shown, limits.readings
        ),
        "unevaluated": group_by_reason(head["not_evaluated"], names.name, steps, limits.rows),
    }


def _cited(chosen: Selection) -> set[str]:
    """Return the places with the evidence of the findings that are open or waived."""
    findings = (*chosen.open, *chosen.waived)
    return {f"{file}:{line}" for finding in findings for file, line, *_ in shown_evidence(finding)}


def _steps(head: Head, names: OrganizationNames) -> Callable[[str, str], str]:
    """Return a function that renders what to do about a reason code in an organization."""
    gaps = {organization["id"]: organization["gaps"] for organization in _organizations(head)}
    return lambda code, organization: labels.step(
        code, names.name(organization), gaps.get(organization, ())
    )


def _frameworks(head: Head) -> Parts:
    return {
        "frameworks": view_frameworks(head),
        "framework_states": STATE,
        "tally_words": TALLY,
        "tally_status": TALLY_STATUSES,
    }


def _sample(sample: Sample) -> Parts:
    return {
        "sample": sample,
        "sample_method": describe_method(sample),
        "sample_commands": f"{command_to_reproduce(sample)}\n{command_to_list(sample)}",
    }
