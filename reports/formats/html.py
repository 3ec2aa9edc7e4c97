"""The auditor's page, ``audit.html``: all of an audit in one file that asks for no other."""

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
from reports.page.coverage_matrix import lay_out
from reports.page.evidence_index import EvidenceIndex
from reports.page.finding_view import (
    NumberedOrganizations,
    shown_evidence,
    view_finding,
)
from reports.page.fix_first import lay_out_actions
from reports.page.population_tables import population_tables
from reports.page.times import age, clock_difference, short_time
from reports.presentation import labels
from reports.presentation.action_groups import effect
from reports.presentation.banners import banners
from reports.presentation.sanitize import name, prose, visible
from reports.presentation.selection import PageLimits, select_findings
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import days_left, urgent_waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, StatusCounts
    from reports.model.population_summary import OrganizationEntry
    from reports.page.finding_view import FindingView
    from reports.presentation.selection import Selection

TEMPLATES = Path(__file__).parent / "templates"
STYLES = (
    "base",
    "header",
    "contents",
    "status",
    "tables",
    "coverage",
    "fix_first",
    "key_plan",
    "findings",
    "criteria",
    "narrow",
    "print",
)
"""The style sheets in ``templates/styles``; a later one may override an earlier one."""

SCRIPTS = ("findings",)
"""The scripts in ``templates/scripts``, in the order in which they run."""

_BAR = 1_000
_severity = attrgetter("severity")


def render(
    head: Head,
    lines: Iterable[bytes],
    limits: PageLimits | None = None,
    *,
    population: Iterable[bytes] = (),  # noqa: ARG001 (read by the timeline)
) -> str:
    """Render the page of an audit from its head, and the lines of its findings, read once.

    The lines of its ``population`` are read once, too.

    The same audit gives the same text, but for the section ``run``.
    """
    limits = limits or PageLimits()
    chosen = select_findings(lines, head["criteria"]["rules"], limits)
    style, script = _style(head), _joined("scripts", SCRIPTS, "js")
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            head=head,
            limits=limits,
            labels=labels,
            style=Markup(style),  # noqa: S704 (our own file)
            script=Markup(script),  # noqa: S704 (our own file)
            style_hash=_source_hash(style),
            script_hash=_source_hash(script),
            banners=banners(head),
            notes=first_notes(head),
            coverage=lay_out(head["coverage"], limits.cells, is_partial=_is_partial(head)),
            fix_first=lay_out_actions(
                head["actions"], _organizations(head), head["actions_total"], limits.actions
            ),
            commands=lay_out_commands(head["key_plan"], limits.commands),
            readings=population_tables(_organizations(head), limits.readings, limits.rows),
            facts_from=_facts_from(head),
            bar=_bar(head["counts"]),
            **_findings(head, chosen, limits),
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
    environment.globals |= {"STATUSES": STATUSES, "SEVERITIES": SEVERITIES}
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


def _joined(folder: str, names: Iterable[str], suffix: str) -> str:
    """Return the text of several files of the templates, in the order of their ``names``."""
    files = (TEMPLATES / folder / f"{name}.{suffix}" for name in names)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def _source_hash(text: str) -> str:
    """Return the hash by which a Content-Security-Policy allows an inline text."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"


def _is_partial(head: Head) -> bool:
    return bool(head["settings"]["left_out"])


def _bar(counts: StatusCounts) -> list[tuple[str, int, int]]:
    """Return status, start and width of each piece of the bar of counts, of 1,000 together.

    A status with any finding gets a width that can be seen.
    """
    total = sum(counts.values())
    present = [status for status in STATUSES if counts[status]]
    widths = {status: max(6, _BAR * counts[status] // total) for status in present}
    scale = _BAR / sum(widths.values()) if widths else 1
    pieces: list[tuple[str, int, int]] = []
    start = 0
    for status, width in widths.items():
        pieces.append((status, start, round(width * scale)))
        start += round(width * scale)
    return pieces


def _findings(head: Head, chosen: Selection, limits: PageLimits) -> dict[str, Any]:
    organizations = NumberedOrganizations(_organizations(head))
    index = EvidenceIndex(head["evidence"], _cited(chosen), limits.exchanges)

    def view(findings: Iterable[FindingRecord]) -> list[FindingView]:
        return [view_finding(finding, organizations, index) for finding in findings]

    opened, waived = view(chosen.open), view(chosen.waived)
    folded = {key: view(findings) for key, findings in chosen.folded.items()}
    return {
        "index": index,
        "step_for": _steps(head, organizations),
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
        "urgent": urgent_waivers(head),
        "waiver_numbers": {waiver["id"]: place for place, waiver in enumerate(head["waivers"], 1)},
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
