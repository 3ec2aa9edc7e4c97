"""The auditor's page, ``audit.html``: all of an audit in one file that asks for no other."""

from __future__ import annotations

import os
import shlex
import sys
from base64 import b64encode
from functools import cache
from hashlib import sha256
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from checks.engine.card import SEVERITIES
from checks.engine.finding import STATUSES
from inventory.text.display import pluralize
from reports.key_instructions.instructions import lay_out_commands
from reports.presentation import labels
from reports.presentation.banners import banners
from reports.presentation.coverage_matrix import lay_out
from reports.presentation.evidence_index import EvidenceIndex
from reports.presentation.population_tables import population_tables
from reports.presentation.sanitize import name, prose, visible
from reports.presentation.selection import PageLimits, select_findings
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import days_left, urgent_waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from checks.engine.finding import Status
    from inventory.model.base import SourceLocation
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, StatusCounts
    from reports.model.population_summary import OrganizationEntry
    from reports.presentation.selection import Selection

TEMPLATES = Path(__file__).parent / "templates"
OPEN: tuple[Status, ...] = ("error", "fail", "inconclusive")
LONGEST_PATH = 2_048
"""The longest subject that a waiver can name, in characters."""
_MOST_EVIDENCE = 10
_BAR = 1_000
_severity = attrgetter("severity")


class FindingView(NamedTuple):
    """A finding as the page shows it; texts are escaped already.

    Attributes:
        id: the finding's id.
        status: its status.
        severity: its severity.
        rule: the rule's id.
        location: the organization's number on this page, for the filter.
        kind: what the subject is.
        title: the subject for people.
        says: the condition.
        effect: how many databases it concerns.
        action: what to do about it; may be empty.
        reason: a reason code; may be empty.
        path: the subject's identity, as a waiver names it.
        cause: why the subject does not comply, as a waiver names it; may be empty.
        evidence: where the facts stand.
        waiver: the id of the waiver that covers it; may be empty.
        change: what became of it since the baseline; may be empty.
        seen: since when it is open; may be empty.
    """

    id: str
    status: str
    severity: str
    rule: str
    location: int
    kind: str
    title: Markup
    message: Markup
    effect: str
    action: Markup
    reason: str
    path: Markup
    cause: Markup
    evidence: Markup
    waiver: str
    change: str
    seen: str


class _Names:
    """The names of organizations, and the numbers under which the filter knows them."""

    def __init__(self, head: Head) -> None:
        self._names = {
            organization["id"]: organization["name"] for organization in _organizations(head)
        }
        self.used: dict[str, int] = {}

    def of(self, organization: str) -> str:
        return self._names.get(organization, organization) or "across organizations"

    def location(self, organization: str) -> int:
        return self.used.setdefault(organization, len(self.used))


def render(head: Head, lines: Iterable[bytes], limits: PageLimits | None = None) -> str:
    """Render the page of an audit from its head and the lines of its findings, read once.

    The same audit gives the same text, but for the section ``run``.
    """
    limits = limits or PageLimits()
    chosen = select_findings(lines, head["criteria"]["rules"], limits)
    style, script = _style(head), (TEMPLATES / "audit.js").read_text(encoding="utf-8")
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
            commands=lay_out_commands(head["key_plan"], limits.commands),
            routes=population_tables(_organizations(head), limits.readings, limits.rows),
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
        bytecode_cache=_compiled(TEMPLATES / "__pycache__"),
    )
    environment.filters |= {
        "name": name,
        "prose": prose,
        "visible": visible,
        "due": days_left,
        "count": lambda number: f"{number:,}",
        "plural": pluralize,
        "time": _time,
        "age": _age,
        "clock": _clock,
        "shell": shlex.join,
        "quote": shlex.quote,
    }
    environment.globals |= {"STATUSES": STATUSES, "SEVERITIES": SEVERITIES}
    return environment


def _compiled(folder: Path) -> FileSystemBytecodeCache | None:
    """Return a cache of compiled templates, beside them as Python's own; None if it may not be."""
    if sys.dont_write_bytecode:
        return None
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


def _time(text: str | None) -> str:
    """Shorten a UTC time for people; the page says once that all times are UTC."""
    if not text:
        return "not told"
    day, _, clock = text.removesuffix("Z").partition("T")
    return f"{day} {clock[:8]}".rstrip()


def _age(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    return pluralize(seconds // 3_600, "hour") if rest else pluralize(days, "day")


def _clock(seconds: float | None) -> str:
    """Say by how much Astra's clock was ahead of the recorder's, or behind it."""
    if seconds is None:
        return "not told"
    if not seconds:
        return "none that can be seen"
    side = "ahead of" if seconds > 0 else "behind"
    return f"Astra’s is {abs(seconds):,.1f} s {side} the recorder’s"


def _facts_from(head: Head) -> str:
    """Say in words where the facts came from."""
    if head["settings"]["mode"] == "live":
        return "Astra itself, read by this audit and recorded as evidence"
    if head["evidence"]:
        return "evidence that was recorded from Astra before this audit"
    return "recorded files"


def _organizations(head: Head) -> list[OrganizationEntry]:
    return head["population"]["organizations"]


def _style(head: Head) -> str:
    """Return the style sheet; each printed page carries the report's id and the banners' words."""
    words = " · ".join(banner.partition(":")[0] for banner in banners(head))
    corners = {"top-center": words, "bottom-left": f"Report {head['report'][:12]}"}
    boxes = "".join(f'@{place}{{content:"{text}"}}' for place, text in corners.items())
    return f"{(TEMPLATES / 'audit.css').read_text(encoding='utf-8')}@page{{{boxes}}}\n"


def _source_hash(text: str) -> str:
    """Return the hash by which a Content-Security-Policy allows an inline text."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"


def _is_partial(head: Head) -> bool:
    return bool(head["settings"]["left_out"])


def _bar(counts: StatusCounts) -> list[tuple[str, int, int]]:
    """Return status, start and width of each piece of the bar of counts, of 1,000 together.

    What is there at all gets a width that can be seen.
    """
    total = sum(counts.values())
    widths = {each: max(6, _BAR * counts[each] // total) for each in STATUSES if counts[each]}
    scale = _BAR / sum(widths.values()) if widths else 1
    pieces: list[tuple[str, int, int]] = []
    start = 0
    for status, width in widths.items():
        pieces.append((status, start, round(width * scale)))
        start += round(width * scale)
    return pieces


def _findings(head: Head, chosen: Selection, limits: PageLimits) -> dict[str, Any]:
    names = _Names(head)
    index = EvidenceIndex(head["evidence"], _cited(chosen), limits.exchanges)
    opened = [_entry(each, names, index) for each in chosen.open]
    waived = [_entry(each, names, index) for each in chosen.waived]
    folded = {
        key: [_entry(each, names, index) for each in group] for key, group in chosen.folded.items()
    }
    return {
        "index": index,
        "step_for": _steps(head, names),
        "open": {severity: list(group) for severity, group in groupby(opened, _severity)},
        "open_shown": len(opened),
        "open_total": sum(head["counts"][status] for status in OPEN),
        "is_brief": len(opened) > limits.full,
        "waived": waived,
        "folded": folded,
        "shown": {each.id: each for each in chain(opened, waived, *folded.values())},
        "organizations": [names.of(each) for each in list(names.used)],
        "organization_name": names.of,
        "rules": {rule["id"]: rule for rule in head["criteria"]["rules"]},
        "urgent": urgent_waivers(head),
        "waiver_numbers": {waiver["id"]: place for place, waiver in enumerate(head["waivers"], 1)},
    }


def _cited(chosen: Selection) -> set[str]:
    """Return the files in which the evidence of the findings that stop or are waived stands."""
    return {file for each in (*chosen.open, *chosen.waived) for file, *_ in _places(each)}


def _places(finding: FindingRecord) -> Sequence[SourceLocation]:
    return finding["evidence"][:_MOST_EVIDENCE]


def _steps(head: Head, names: _Names) -> Callable[[str, str], str]:
    """Return what says what to do about a reason code in an organization."""
    gaps = {each["id"]: each["gaps"] for each in _organizations(head)}
    return lambda code, organization: labels.step(
        code, names.of(organization), gaps.get(organization, ())
    )


def _entry(finding: FindingRecord, names: _Names, index: EvidenceIndex) -> FindingView:
    subject = finding["subject"]
    return FindingView(
        finding["id"],
        finding["status"],
        finding["severity"],
        finding["rule"],
        names.location(subject["organization"]),
        labels.KIND[subject["kind"]],
        _title(finding, names),
        visible(finding["message"]),
        _effect(finding),
        visible(finding.get("action", "")),
        finding.get("reason", ""),
        visible(subject["path"], LONGEST_PATH),
        visible(finding.get("cause", ""), LONGEST_PATH),
        _evidence(finding, index),
        finding.get("waiver", ""),
        finding.get("change", ""),
        _seen(finding),
    )


def _title(finding: FindingRecord, names: _Names) -> Markup:
    """Name the subject for people: its organization, then what tells it apart there."""
    subject = finding["subject"]
    parts = [name(names.of(subject["organization"]))]
    if subject["kind"] in {"database", "database-region"}:
        parts.append(name(finding.get("name") or subject["database"]))
    if "type" in subject:
        words = f"{labels.TYPE[subject['type']]} on {labels.PROVIDER[subject['provider']]}"
        parts.append(Markup("{}").format(words))
    parts += [name(subject[part]) for part in ("region", "key") if part in subject]
    return Markup(" / ").join(parts)


def _seen(finding: FindingRecord) -> str:
    """Say since when a finding is open, where a baseline tells."""
    if "since" not in finding:
        return ""
    return f"{_time(finding['since'])}, open in {pluralize(finding['audits'], 'audit')} in a row"


def _effect(finding: FindingRecord) -> str:
    """Say how much a finding concerns, in databases where it counts them."""
    every, existing = finding.get("databases", 0), finding.get("existing", 0)
    if not every:
        kind = finding["subject"]["kind"]
        if kind == "organization":
            return "the organization as a whole"
        return "no database" if kind.startswith("database") else "no database is recorded there"
    told = pluralize(every, "database")
    if existing == every:
        return f"{told}, existing" if every == 1 else f"{told}, all of them existing"
    return f"{told}, planned" if not existing else f"{told}, {existing:,} of them existing"


def _evidence(finding: FindingRecord, index: EvidenceIndex) -> Markup:
    """Name where the facts stand; a recorded answer is a link to its row in the index."""
    shown = [_place(index, *place) for place in _places(finding)]
    more = len(finding["evidence"]) - len(shown)
    if more:
        shown.append(Markup("{:,} more in findings.ndjson").format(more))
    return Markup(" ").join(shown) or Markup("none: it is about what no file holds")


def _place(index: EvidenceIndex, file: str, line: int, address: str = "") -> Markup:
    anchor, place = index.anchor(file), Markup("<code>{}:{}</code>").format(visible(file), line)
    if address:
        place += Markup(" (<code>{}</code>)").format(visible(address))
    return Markup('<a href="#{}">{}</a>').format(anchor, place) if anchor else place
