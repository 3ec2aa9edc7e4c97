"""The summary for job pages and merge requests, ``summary.md``: the gist of an audit, bounded."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import OPEN, STATUSES
from inventory.text.display import pluralize
from reports.presentation import labels
from reports.presentation.banners import banners
from reports.presentation.markdown_text import code, prose
from reports.presentation.messages import TITLE, Names, gate_of
from reports.presentation.selection import most_urgent
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import days_left, urgent_waivers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reports.model.finding_record import FindingRecord
    from reports.model.head import ActionEntry, Head, WaiverEntry

    Row = Sequence[str]


WHOLE = 2_000
"""How many characters of the verdict and of a banner are shown: more than any of them has."""


class SummaryLimits(NamedTuple):
    """How much the summary shows; what is beyond is counted.

    Attributes:
        bytes: of the whole; GitHub drops one of more than 1,024 KiB.
        actions: actions, the most urgent first.
        open: open findings, the most urgent first.
        waivers: waivers that somebody has to see to.
    """

    bytes: int = 1_000 * 1_024
    actions: int = 25
    open: int = 100
    waivers: int = 25


def render(head: Head, lines: Iterable[bytes], limits: SummaryLimits | None = None) -> str:
    """Render the summary of an audit from its head and the lines of its findings, read once."""
    limits = limits or SummaryLimits()
    parts = (
        _verdict(head),
        _actions(head, limits),
        _open(head, lines, limits),
        _waivers(head, limits),
        _key_plan(head),
        _changes(head),
    )
    return _cut([line for part in parts for line in part], _end(head), limits.bytes)


def _cut(body: Sequence[str], end: Sequence[str], room: int) -> str:
    """Join the lines; if they take too many bytes, leave out the last ones of the body, and say so.

    What was cut ends at a line, so that no table is broken.
    """
    told = [*body, *end]
    if sum(map(_size, told)) > room:
        left = room - sum(map(_size, end)) - _size(_left_out(len(body))) - 1
        kept = sum(1 for _ in takewhile(left.__ge__, accumulate(map(_size, body))))
        told = [*body[:kept], "", _left_out(len(body) - kept), *end]
    return "".join(f"{line}\n" for line in told)


def _size(line: str) -> int:
    return len(line.encode()) + 1


def _left_out(lines: int) -> str:
    return f"… {lines:,} more lines"


# --- tables ---------------------------------------------------------------------------------------


def _table(columns: str, rows: Iterable[Row]) -> Iterator[str]:
    """Yield a table; cells are Markdown already, and ``>`` before a column's name sets it right."""
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
    look = labels.VERDICT[verdict["outcome"]]
    yield f"## {TITLE}: {verdict['outcome']}"
    yield ""
    yield f"**{look.shape} {prose(verdict['text'], WHOLE)}**"
    for text in banners(head):
        yield from ("", f"> **{prose(text, WHOLE)}**")
    yield from _notes(head)
    yield ""
    yield _sentence(head)
    yield ""
    yield f"{pluralize(head['findings']['count'], 'finding')}, by status:"
    yield ""
    words = "|".join(f">{labels.STATUS[status].word}" for status in STATUSES)
    yield from _table(words, [[f"{counts[status]:,}" for status in STATUSES]])
    if any(counts[status] for status in OPEN):
        told = ", ".join(
            f"{count:,} {severity}" for severity, count in head["open"].items() if count
        )
        total = pluralize(sum(head["open"].values()), "open finding")
        yield from ("", f"{total}, by severity: {told}.")


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
    told = ", ".join(pluralize(count, thing) for thing, count in seen.items())
    goes = "stops the pipeline" if head["verdict"]["exit_code"] else "lets the pipeline go on"
    as_of = code(head["settings"]["as_of"])
    return f"Judged as of {as_of}: {told}. This run {goes}; it stops for {gate_of(head)}."


def _actions(head: Head, limits: SummaryLimits) -> Iterator[str]:
    actions = head["actions"][: limits.actions]
    if actions:
        yield from ("", "### What to do, most urgent first", "")
        yield from _table("Severity|>Findings|>Databases|What", map(_action, actions))
        yield from _more(head["actions_total"], len(actions), "steps in the report")


def _action(action: ActionEntry) -> Row:
    text = prose(action["text"])
    if action["name"] not in action["text"]:
        text += f" ({code(action['name'])})"
    return prose(action["severity"]), f"{action['resolves']:,}", f"{action['databases']:,}", text


def _open(head: Head, lines: Iterable[bytes], limits: SummaryLimits) -> Iterator[str]:
    findings = most_urgent(lines, limits.open)
    if not findings:
        return
    names = Names(head)
    aged = "|Open since" if head.get("changes") else ""
    yield from ("", "### Open findings, most urgent first", "")
    columns = f"Severity|Status|Rule|Subject|What was found|Where|Finding{aged}"
    yield from _table(columns, (_finding(finding, names) for finding in findings))
    total = sum(head["counts"][status] for status in OPEN)
    yield from _more(total, len(findings), "open findings in the report")


def _finding(finding: FindingRecord, names: Names) -> Row:
    look = labels.STATUS[finding["status"]]
    since = [f"{code(finding['since'])} ({finding['change']})"] if finding.get("change") else []
    return (
        finding["severity"],
        f"{look.shape} {look.word}",
        code(finding["rule"]),
        code(names.subject(finding)),
        prose(finding["message"]),
        _where(finding),
        code(finding["id"]),
        *since,
    )


def _where(finding: FindingRecord) -> str:
    """Name where the first of the facts stands; a dash for what no file holds."""
    if not finding["evidence"]:
        return "\N{EM DASH}"
    file, line, *_ = finding["evidence"][0]
    return code(f"{file}:{line}")


def _waivers(head: Head, limits: SummaryLimits) -> Iterator[str]:
    if not head["waivers"]:
        return
    states = Counter(labels.WAIVER[waiver["state"]].word for waiver in head["waivers"])
    told = ", ".join(f"{count:,} {word}" for word, count in sorted(states.items()))
    total = pluralize(len(head["waivers"]), "waiver")
    yield from ("", "### Waivers", "", f"{total}: {told}.")
    asking = urgent_waivers(head)
    if asking:
        shown = asking[: limits.waivers]
        rows = (_waiver(each, head["settings"]["as_of"]) for each in shown)
        yield ""
        yield from _table("Waiver|Due|Rule|Subject|Ticket", rows)
        yield from _more(len(asking), len(shown), "waivers in the report")


def _waiver(waiver: WaiverEntry, as_of: str) -> Row:
    named = (code(waiver[field]) for field in ("rule", "subject", "ticket"))
    return code(waiver["id"]), prose(days_left(waiver, as_of)), *named


def _key_plan(head: Head) -> Iterator[str]:
    plan = head["key_plan"]
    numbers: Mapping[str, object] = plan
    fields = labels.KEY_NUMBERS
    yield from ("", "### Key plan", "")
    columns = "|".join(f">{word}" for word in fields.values())
    yield from _table(columns, [[f"{numbers[field]:,}" for field in fields]])
    yield ""
    yield "Registered counts different keys, the others count key scopes, by what is worst there."
    if count := plan["unprotected"]:
        runs = "runs" if count == 1 else "run"
        told = (
            f"{pluralize(count, 'existing database')} {runs} on Astra's keys and must be recreated"
        )
        end = "once the key is registered: no key that is registered now encrypts them."
        yield from ("", f"{told} {end}")


def _changes(head: Head) -> Iterator[str]:
    changes = head.get("changes")
    if not changes:
        return
    base = changes["baseline"]
    yield from ("", "### Changes since the last audit", "")
    yield f"Compared with the audit as of {code(base['as_of'])}, report {code(base['report'])}."
    yield ""
    counts = changes["counts"]
    yield from _table(
        "|".join(f">{prose(each)}" for each in counts),
        [[f"{count:,}" for count in counts.values()]],
    )
    if again := changes["not_judged_again"]:
        yield from ("", f"Of those that are gone, {again:,} were not judged again.")
    if keys := changes["keys"]:
        told = ", ".join(
            f"{count:,} {prose(what.replace('_', ' '))}" for what, count in keys["counts"].items()
        )
        yield from ("", f"Key scopes whose keys differ: {told}.")
    if gone := changes["organizations_gone"]["count"]:
        yield from ("", f"{pluralize(gone, 'organization')} of the baseline not in this audit.")


def _end(head: Head) -> Sequence[str]:
    whole = "The whole report is `audit.html`; as data, `audit.json` and `findings.ndjson`."
    return "", f"{whole} Report {code(head['report'])}."
