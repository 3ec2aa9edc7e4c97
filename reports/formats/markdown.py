"""The summary for job pages and merge requests, ``summary.md``: the gist of an audit, bounded."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.card import SEVERITIES
from checks.engine.finding import ACROSS, OPEN, STATUSES
from inventory.model.vocabulary import PROVIDER_NAMES, TYPE_NAMES
from inventory.text.display import pluralize
from reports.page.organizations.links import INDEX, has_page, links_beside
from reports.presentation import labels
from reports.presentation.action_groups import effect, first, group_actions
from reports.presentation.banners import banners
from reports.presentation.evidence_text import rests_on
from reports.presentation.markdown_text import code, identifiers, prose
from reports.presentation.messages import TITLE, SubjectNames, gate_of
from reports.presentation.organization_status import protected_of, state_of, worst_first
from reports.presentation.protection_text import answer
from reports.presentation.selection import PageLimits, Urgent, count_open, open_lines, urgency
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import days_left, urgent_waivers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from re import Pattern

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, WaiverEntry
    from reports.model.key_plan import CoverageRow
    from reports.page.organizations.links import PageLinks
    from reports.presentation.action_groups import ActionGroup

    Row = Sequence[str]


WHOLE = 2_000
"""How many characters of the verdict and of a banner are shown: more than either ever has."""

_CHANGED = re.compile(rb',"change":"(?:new|reopened|worsened|unclear)",')
"""What a line of a finding holds that is not open since the baseline in the same way."""

_ID = re.compile(r"[0-9a-f]{20}")
_MOST_LINKS = 3
"""How many findings of an action are linked; the others are counted."""

_MOST_NAMES = 2_000
"""How many organizations are recognized by name in a sentence."""


class SummaryLimits(NamedTuple):
    """How much the summary shows; what is beyond is counted.

    Attributes:
        bytes: of the whole file; GitHub drops one of more than 1,024 KiB.
        actions: groups of actions, the most urgent first.
        open: open findings, the most urgent first; with a baseline, those that are new come first.
        organizations: organizations, the worst first.
        waivers: waivers that need attention.
    """

    bytes: int = 1_000 * 1_024
    actions: int = 5
    open: int = 100
    organizations: int = 50
    waivers: int = 25


class _Shown(NamedTuple):
    """What a summary shows, and how.

    Attributes:
        changed: open findings that are new, reopened, worse or unclear since the baseline.
        known: the other open findings.
        changed_total, known_total: how many of each there are.
        actions: the most urgent groups of actions.
        more_actions: how many actions are in no group that is shown.
        names: the names of subjects.
        words: the pattern of identifiers that are code in a sentence.
        links: the links into the page for auditors; None if it is not beside the summary.
    """

    changed: list[FindingRecord]
    known: list[FindingRecord]
    changed_total: int
    known_total: int
    actions: list[ActionGroup]
    more_actions: int
    names: SubjectNames
    words: Pattern[str] | None
    links: PageLinks | None

    def prose(self, text: str) -> str:
        """Render a sentence, with the identifiers of the audit as code."""
        return prose(text, known=self.words)

    def link(self, finding: str, organization: str) -> str:
        """Render the id of a finding, which leads to the page that shows it, if there is one."""
        if self.links is None or not _ID.fullmatch(finding):
            return code(finding)
        return f"[{code(finding)}]({self.links.finding(finding, organization)})"


def render(head: Head, lines: Iterable[bytes], limits: SummaryLimits | None = None) -> str:
    """Render the summary of an audit from its head and the lines of its findings, read once."""
    limits = limits or SummaryLimits()
    shown = _shown(head, lines, limits)
    parts = (
        _verdict(head),
        _changes(head, shown),
        _organizations(head, limits),
        _actions(shown),
        _known(head, shown),
        _waivers(head, limits),
        _key_plan(head),
    )
    return _cut([line for part in parts for line in part], _end(head, shown), limits.bytes)


def _shown(head: Head, lines: Iterable[bytes], limits: SummaryLimits) -> _Shown:
    """Choose what is shown, in one pass over the findings."""
    changed, known = Urgent(limits.open), Urgent(limits.open)
    is_compared = bool(head.get("changes"))
    for status, severity, line in open_lines(lines, count_open(head)):
        chosen = changed if is_compared and _CHANGED.search(line) else known
        chosen.add(urgency(status, severity), line)
    news = [json.loads(line) for line in changed.lines()]
    others = [json.loads(line) for line in known.lines()[: limits.open - len(news)]]
    actions = first(_groups(head), limits.actions)
    return _Shown(
        changed=news,
        known=others,
        changed_total=changed.total,
        known_total=known.total,
        actions=actions,
        more_actions=head["actions_total"] - sum(len(group.actions) for group in actions),
        names=SubjectNames(head),
        words=identifiers(_named(head, actions, [*news, *others]), (*TYPE_NAMES, *PROVIDER_NAMES)),
        links=links_beside(head, PageLimits().fleet) if has_page(head) else None,
    )


def _groups(head: Head) -> list[ActionGroup]:
    """Return the actions in groups; none of a record from before actions had a purpose."""
    if any("purpose" not in action for action in head["actions"]):
        return []
    return group_actions(head["actions"], head["population"]["organizations"])


def _named(
    head: Head, actions: Iterable[ActionGroup], findings: Iterable[FindingRecord]
) -> Iterator[str]:
    """Yield the names of organizations, regions, databases and keys that sentences may hold."""
    for organization in head["population"]["organizations"][:_MOST_NAMES]:
        yield organization["name"]
    for group in actions:
        yield from group.names
    for finding in findings:
        subject = finding["subject"]
        parts = subject.get("region"), subject.get("key"), finding.get("name")
        yield from filter(None, parts)


def _cut(body: Sequence[str], end: Sequence[str], limit: int) -> str:
    """Join the lines; above ``limit`` bytes the last lines of the body are left out and counted.

    The cut is at a whole line, so that no row of a table is broken.
    """
    lines = [*body, *end]
    if sum(map(_size, lines)) > limit:
        left = limit - sum(map(_size, end)) - _size(_left_out(len(body))) - 1
        kept = sum(1 for _ in takewhile(left.__ge__, accumulate(map(_size, body))))
        lines = [*body[:kept], "", _left_out(len(body) - kept), *end]
    return "".join(f"{line}\n" for line in lines)


def _size(line: str) -> int:
    return len(line.encode()) + 1


def _left_out(lines: int) -> str:
    return f"… {lines:,} more lines"


# --- tables ---------------------------------------------------------------------------------------


def _table(columns: str, rows: Iterable[Row]) -> Iterator[str]:
    """Yield a table; cells are Markdown already, and ``>`` before a name aligns it right."""
    names = columns.split("|")
    yield f"| {' | '.join(name.strip('>') for name in names)} |"
    yield f"|{'|'.join('---:' if name.startswith('>') else '---' for name in names)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _more(total: int, shown: int, what: str) -> Iterator[str]:
    if total > shown:
        yield ""
        yield f"… {total - shown:,} more {what}"


# --- the parts ------------------------------------------------------------------------------------


def _verdict(head: Head) -> Iterator[str]:
    verdict, counts = head["verdict"], head["counts"]
    label = labels.VERDICT[verdict["outcome"]]
    yield f"## {TITLE}: {verdict['outcome']}"
    yield ""
    yield f"**{label.shape} {prose(answer(head), WHOLE)}**"
    if text := rests_on(head):
        yield from ("", text)
    for text in banners(head):
        yield from ("", f"> **{prose(text, WHOLE)}**")
    yield from _notes(head)
    yield ""
    yield prose(verdict["text"], WHOLE)
    yield ""
    yield _sentence(head)
    yield ""
    yield f"{pluralize(head['findings']['count'], 'finding')}, by status:"
    yield ""
    columns = "|".join(f">{labels.STATUS[status].word}" for status in STATUSES)
    yield from _table(columns, [[f"{counts[status]:,}" for status in STATUSES]])
    if any(counts[status] for status in OPEN):
        by_severity = ", ".join(
            f"{count:,} {severity}" for severity, count in head["open"].items() if count
        )
        total = pluralize(sum(head["open"].values()), "open finding")
        yield from ("", f"{total}, by severity: {by_severity}.")


def _notes(head: Head) -> Iterator[str]:
    shown, more = first_notes(head)
    for note in shown:
        yield from ("", f"> {code(note.source)}: {prose(note.text)}")
    yield from _more(len(shown) + more, len(shown), "notes in the report")


def _sentence(head: Head) -> str:
    totals = head["population"]["totals"]
    seen = {"organization": totals["organizations"], "key": totals["keys"]}
    seen["existing database"], seen["planned database"] = totals["existing"], totals["planned"]
    seen |= {"planned key": totals["planned_keys"]} if totals["planned_keys"] else {}
    population = ", ".join(pluralize(count, thing) for thing, count in seen.items())
    goes = "stops the pipeline" if head["verdict"]["exit_code"] else "lets the pipeline continue"
    as_of = code(head["settings"]["as_of"])
    gate = f"This run {goes}; the gate stops it for {gate_of(head)}."
    return f"Judged as of {as_of}: {population}. {gate}"


def _organizations(head: Head, limits: SummaryLimits) -> Iterator[str]:
    """Yield a row for each organization, the worst first."""
    rows = head["coverage"]
    if not rows:
        return
    is_partial = bool(head["settings"]["left_out"])
    yield from ("", "### Organizations, worst first", "")
    severities = "|".join(f">{severity}" for severity in SEVERITIES)
    shown = worst_first(rows, is_partial=is_partial)[: limits.organizations]
    cells = map(_organization, shown)
    yield from _table(f"Organization|Status|>Protected databases|{severities}", cells)
    yield ""
    yield "The last columns count open findings by severity."
    yield from _more(len(rows), len(shown), "organizations in the report")


def _organization(row: CoverageRow) -> Row:
    label = state_of(row)
    numbers = row.get("open", {})
    by_severity = (f"{numbers[severity]:,}" if numbers else "?" for severity in SEVERITIES)
    return code(row["name"]), f"{label.shape} {label.word}", protected_of(row), *by_severity


def _actions(shown: _Shown) -> Iterator[str]:
    if shown.actions or shown.more_actions:
        yield from ("", "### Fix first", "")
    if shown.actions:
        rows = (_action(group, shown) for group in shown.actions)
        yield from _table("Purpose|Severity|What|Organization|Who|What it does now|Findings", rows)
    yield from _more(shown.more_actions, 0, "actions in the report")


def _action(group: ActionGroup, shown: _Shown) -> Row:
    links = [shown.link(finding, group.organization) for finding in group.findings[:_MOST_LINKS]]
    others = sum(group.closes.values()) - len(links)
    more = [f"{others:,} more"] if others > 0 else []
    return (
        group.purpose,
        prose(group.severity),
        shown.prose(group.title),
        code(group.name) if group.name else ACROSS,
        prose(group.who),
        effect(group.closes),
        ", ".join([*links, *more]),
    )


def _known(head: Head, shown: _Shown) -> Iterator[str]:
    """Yield the open findings that are not new; without a baseline, all of them."""
    if not shown.known_total:
        return
    aged = "|Open since" if head.get("changes") else ""
    heading = "Open since earlier audits" if aged else "Open findings"
    yield from ("", f"### {heading}, most urgent first", "")
    columns = f"{_FINDING}{aged}"
    yield from _table(columns, (_finding(finding, shown) for finding in shown.known))
    yield from _more(shown.known_total, len(shown.known), "open findings in the report")


_FINDING = "Severity|Status|Rule|Subject|What was found|Where|Finding"


def _finding(finding: FindingRecord, shown: _Shown) -> Row:
    label = labels.STATUS[finding["status"]]
    since = [f"{code(finding['since'])} ({finding['change']})"] if finding.get("change") else []
    return (
        finding["severity"],
        f"{label.shape} {label.word}",
        code(finding["rule"]),
        code(shown.names.subject(finding)),
        shown.prose(finding["message"]),
        _where(finding),
        shown.link(finding["id"], finding["subject"]["organization"]),
        *since,
    )


def _where(finding: FindingRecord) -> str:
    """Return the location of the first fact; a dash if no file has it."""
    if not finding["evidence"]:
        return "\N{EM DASH}"
    file, line, *_ = finding["evidence"][0]
    return code(f"{file}:{line}")


def _waivers(head: Head, limits: SummaryLimits) -> Iterator[str]:
    if not head["waivers"]:
        return
    states = Counter(labels.WAIVER[waiver["state"]].word for waiver in head["waivers"])
    counts = ", ".join(f"{count:,} {word}" for word, count in sorted(states.items()))
    total = pluralize(len(head["waivers"]), "waiver")
    yield from ("", "### Waivers", "", f"{total}: {counts}.")
    urgent = urgent_waivers(head)
    if urgent:
        shown = urgent[: limits.waivers]
        rows = (_waiver(waiver, head["settings"]["as_of"]) for waiver in shown)
        yield ""
        yield from _table("Waiver|Due|Rule|Subject|Ticket", rows)
        yield from _more(len(urgent), len(shown), "waivers in the report")


def _waiver(waiver: WaiverEntry, as_of: str) -> Row:
    cells = (code(waiver[field]) for field in ("rule", "subject", "ticket"))
    return code(waiver["id"]), prose(days_left(waiver, as_of)), *cells


def _key_plan(head: Head) -> Iterator[str]:
    plan = head["key_plan"]
    numbers: Mapping[str, object] = plan
    fields = labels.KEY_NUMBERS
    yield from ("", "### Key plan", "")
    columns = "|".join(f">{word}" for word in fields.values())
    yield from _table(columns, [[f"{numbers[field]:,}" for field in fields]])
    yield ""
    note = (
        "Registered counts different keys. The other numbers count key scopes by their worst state."
    )
    yield note
    if count := plan["unprotected"]:
        runs = "runs" if count == 1 else "run"
        counted = f"{pluralize(count, 'existing database')} {runs} on Astra's keys"
        step = "must be recreated after the key is registered"
        yield from (
            "",
            f"{counted} and {step}: a key that is registered now does not encrypt them.",
        )


def _changes(head: Head, shown: _Shown) -> Iterator[str]:
    """Yield what changed since the baseline: the counts, and each finding that is new or worse."""
    changes = head.get("changes")
    if not changes:
        return
    base = changes["baseline"]
    yield from ("", f"### Changes since {code(base['as_of'])}", "")
    yield f"Compared with report {code(base['report'])}."
    yield ""
    counts = changes["counts"]
    yield from _table(
        "|".join(f">{prose(change)}" for change in counts),
        [[f"{count:,}" for count in counts.values()]],
    )
    yield from _changed(shown)
    if again := changes["not_judged_again"]:
        yield from ("", f"Of the findings that are gone, {again:,} were not evaluated again.")
    if keys := changes["keys"]:
        changed = ", ".join(
            f"{count:,} {prose(name.replace('_', ' '))}" for name, count in keys["counts"].items()
        )
        yield from ("", f"Key scopes with changed keys: {changed}.")
    if gone := changes["organizations_gone"]["count"]:
        verb = "is" if gone == 1 else "are"
        missing = f"{pluralize(gone, 'organization')} of the baseline {verb} not in this audit."
        yield from ("", missing)


def _changed(shown: _Shown) -> Iterator[str]:
    if not shown.changed_total:
        yield from ("", "No open finding is new, reopened, worsened or unclear.")
        return
    yield from ("", "New, reopened, worsened and unclear findings, most urgent first:", "")
    rows = ((finding["change"], *_finding(finding, shown)[:-1]) for finding in shown.changed)
    yield from _table(f"Change|{_FINDING}", rows)
    yield from _more(shown.changed_total, len(shown.changed), "such findings in the report")


def _end(head: Head, shown: _Shown) -> Sequence[str]:
    page = code(INDEX) if shown.links is None else f"[{code(INDEX)}]({INDEX})"
    files = f"The full report is {page}; as data, `audit.json` and `findings.ndjson`."
    return "", f"{files} Report {code(head['report'])}."
