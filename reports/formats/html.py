"""The auditor's page, ``audit.html``: all of an audit in one file that asks for no other.

Of a fleet it is an index, with a page for each organization beside it.
"""

from __future__ import annotations

import shlex
from base64 import b64encode
from functools import cache
from hashlib import sha256
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from checks.engine.card import SEVERITIES
from checks.engine.finding import OPEN, STATUSES
from inventory.text.display import pluralize
from reports.key_instructions.instructions import lay_out_commands
from reports.page.answer import answer
from reports.page.attestation_groups import group_attestations
from reports.page.coverage_list import lay_out_coverage
from reports.page.evidence_index import EvidenceIndex
from reports.page.finding_view import (
    NumberedOrganizations,
    shown_evidence,
    view_finding,
)
from reports.page.fix_first import lay_out_actions
from reports.page.frameworks import STATE, TALLY, view_frameworks
from reports.page.not_evaluated import group_by_reason
from reports.page.organization_actions import actions_of
from reports.page.organization_evidence import requests_by_organization
from reports.page.organization_files import links_of, links_of_organization, page_name
from reports.page.organization_head import HeadIndex
from reports.page.organization_stream import part
from reports.page.reconciliation import reconcile_counts
from reports.page.timeline.layout import lay_out_timeline
from reports.page.timeline.reader import TimelineReader
from reports.page.times import age, clock_difference, short_time
from reports.page.trend import trend_of
from reports.page.waiver_list import list_waivers
from reports.presentation import labels
from reports.presentation.action_groups import effect
from reports.presentation.banners import banners
from reports.presentation.sample import Conclusions, Draw
from reports.presentation.sample_table import (
    command_to_list,
    command_to_reproduce,
    describe_method,
    describe_sample,
)
from reports.presentation.sanitize import name, prose, visible
from reports.presentation.selection import PageLimits, select_findings
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import days_left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head
    from reports.model.population_summary import OrganizationEntry
    from reports.page.finding_view import FindingView
    from reports.page.organization_files import PageLinks
    from reports.presentation.selection import Selection

TEMPLATES = Path(__file__).parent / "templates"
STYLES = (
    "base",
    "header",
    "contents",
    "status",
    "tables",
    "trend",
    "coverage",
    "timeline",
    "fix_first",
    "key_plan",
    "findings",
    "frameworks",
    "exceptions",
    "criteria",
    "evidence",
    "narrow",
    "print",
)
"""The style sheets in ``templates/styles``; a later one may override an earlier one."""

SCRIPTS = ("findings",)
"""The scripts in ``templates/scripts``, in the order in which they run."""

FEW = 12
"""How many organizations or sources the page shows at once; a longer list is folded."""

MANY = 20
"""How many regions or keys of one database the sample names."""

_severity = attrgetter("severity")


def render(
    head: Head,
    lines: Iterable[bytes],
    limits: PageLimits | None = None,
    *,
    population: Iterable[bytes] = (),
) -> str:
    """Render the page of an audit from its head, and the lines of its findings, read once.

    The lines of its ``population`` are read from their beginning as often as needed. The same audit
    gives the same text, but for the section ``run``. Of a fleet, this is the index of the pages
    that ``render_pages`` renders.
    """
    limits = limits or PageLimits()
    links = links_of(head, limits.fleet)
    limits = limits.of_index() if links.is_index else limits
    return _render(head, lines, population, limits=limits, links=links)


def render_pages(
    head: Head,
    lines: Iterable[bytes],
    limits: PageLimits | None = None,
    *,
    population: Iterable[bytes] = (),
) -> Iterator[tuple[str, str]]:
    """Yield file name and text of the page of each organization; none unless it is a fleet.

    Lines of findings and population are read from their beginning as often as needed.
    """
    limits = limits or PageLimits()
    names = links_of(head, limits.fleet).names
    if not names:
        return
    index = HeadIndex(head)
    for own in part(lines, population, names):
        title = names[own.organization]
        reduced = index.head_of(own.organization, own.findings, actions_of(own, title))
        links = links_of_organization(head, title)
        text = _render(reduced, own.findings, own.population, limits=limits, links=links)
        yield page_name(own.organization, title), text


def _render(
    head: Head,
    lines: Iterable[bytes],
    population: Iterable[bytes],
    *,
    limits: PageLimits,
    links: PageLinks,
) -> str:
    draw = Draw(head["report"], limits.sample)
    for line in population:
        draw.add(line)
    conclusions = Conclusions(draw.drawn())
    reader = TimelineReader(population, limits.lanes)
    watched = reader.watch(conclusions.watch(lines))
    chosen = select_findings(watched, head["criteria"]["rules"], limits)
    sample = describe_sample(head, draw, conclusions, limits.sample)
    style, script = _style(head), _joined("scripts", SCRIPTS, "js")
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            head=head,
            limits=limits,
            labels=labels,
            links=links,
            style=Markup(style),  # noqa: S704 (our own file)
            script=Markup(script),  # noqa: S704 (our own file)
            style_hash=_source_hash(style),
            script_hash=_source_hash(script),
            banners=banners(head),
            notes=first_notes(head),
            answer=answer(head, links.only),
            coverage=lay_out_coverage(
                head["coverage"],
                most_cells=limits.cells,
                most_whole=limits.whole_organizations,
                is_partial=bool(head["settings"]["left_out"]),
            ),
            fix_first=lay_out_actions(
                head["actions"], _organizations(head), head["actions_total"], limits.actions
            ),
            timeline=lay_out_timeline(reader.finish(), head["settings"]["as_of"], limits.lanes),
            commands=lay_out_commands(head["key_plan"], limits.commands),
            reconciled=reconcile_counts(_organizations(head), limits.rows),
            facts_from=_facts_from(head),
            trend=trend_of(head),
            sample=sample,
            sample_method=describe_method(sample),
            sample_commands=f"{command_to_reproduce(sample)}\n{command_to_list(sample)}",
            **_findings(head, chosen, {row.file for row in sample.rows}, limits),
            **_frameworks(head),
            **_exceptions(head, limits),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "name": name,
        "prose": prose,
        "visible": visible,
        "due": days_left,
        "effect": effect,
        "count": lambda number: f"{number:,}",
        "plural": pluralize,
        "time": short_time,
        "age": age,
        "clock": clock_difference,
        "shell": shlex.join,
        "quote": shlex.quote,
    }
    environment.globals |= {
        "STATUSES": STATUSES,
        "SEVERITIES": SEVERITIES,
        "FEW": FEW,
        "MANY": MANY,
    }
    return environment


def _facts_from(head: Head) -> str:
    if head["settings"]["mode"] == "live":
        return "Astra, read by this audit and recorded as evidence"
    if head["evidence"]:
        return "evidence recorded from Astra before this audit"
    return "recorded files"


def _organizations(head: Head) -> list[OrganizationEntry]:
    return head["population"]["organizations"]


def _style(head: Head) -> str:
    """Return the style sheet; each printed page carries the report's id and the banners."""
    warning = " · ".join(banner.partition(":")[0] for banner in banners(head))
    corners = {"top-center": warning, "bottom-left": f"Report {head['report'][:12]}"}
    boxes = "".join(f'@{place}{{content:"{text}"}}' for place, text in corners.items())
    return f"{_joined('styles', STYLES, 'css')}@page{{{boxes}}}\n"


@cache
def _joined(folder: str, names: tuple[str, ...], suffix: str) -> str:
    """Return the text of several files of the templates, in the order of their ``names``."""
    files = (TEMPLATES / folder / f"{name}.{suffix}" for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _source_hash(text: str) -> str:
    """Return the hash by which a Content-Security-Policy allows an inline text."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"


def _findings(
    head: Head, chosen: Selection, sampled: set[str], limits: PageLimits
) -> dict[str, Any]:
    """Return the findings for the templates, and the evidence to which they and a sample lead."""
    organizations = NumberedOrganizations(_organizations(head))
    index = EvidenceIndex(head["evidence"], _cited(chosen) | sampled, limits.exchanges)

    def view(findings: Iterable[FindingRecord]) -> list[FindingView]:
        return [view_finding(finding, organizations, index) for finding in findings]

    opened, waived = view(chosen.open), view(chosen.waived)
    folded = {key: view(findings) for key, findings in chosen.folded.items()}
    steps = _steps(head, organizations)
    return {
        "index": index,
        "asked_about": requests_by_organization(
            _organizations(head), head["population"]["sources"], index.shown, limits.readings
        ),
        "unevaluated": group_by_reason(
            head["not_evaluated"], organizations.name, steps, limits.rows
        ),
        "step_for": steps,
        "open": {severity: list(group) for severity, group in groupby(opened, _severity)},
        "open_shown": len(opened),
        "open_total": sum(head["counts"][status] for status in OPEN),
        "is_brief": len(opened) > limits.full,
        "waived": waived,
        "folded": folded,
        "shown": {shown.id: shown for shown in chain(opened, waived, *folded.values())},
        "organizations": [organizations.name(identity) for identity in organizations.numbers],
        "organization_name": organizations.name,
        "rules": {rule["id"]: rule for rule in head["criteria"]["rules"]},
    }


def _frameworks(head: Head) -> dict[str, Any]:
    return {
        "frameworks": view_frameworks(head),
        "framework_states": STATE,
        "tally_words": TALLY,
    }


def _exceptions(head: Head, limits: PageLimits) -> dict[str, Any]:
    waivers, as_of = list_waivers(head["waivers"], limits.waivers), head["settings"]["as_of"]
    return {
        "waivers": waivers,
        "waiver_numbers": waivers.numbers,
        "attestations": group_attestations(head["attestations"], as_of, limits.attestations),
        "attested": head["attested"],
    }


def _cited(chosen: Selection) -> set[str]:
    """Return the files with the evidence of the findings that are open or waived."""
    findings = (*chosen.open, *chosen.waived)
    return {file for finding in findings for file, *_ in shown_evidence(finding)}


def _steps(head: Head, organizations: NumberedOrganizations) -> Callable[[str, str], str]:
    """Return a function that renders what to do about a reason code in an organization."""
    gaps = {organization["id"]: organization["gaps"] for organization in _organizations(head)}
    return lambda code, organization: labels.step(
        code, organizations.name(organization), gaps.get(organization, ())
    )
