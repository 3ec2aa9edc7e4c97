"""The table of the audit as a whole: verdict, warnings, settings, counts, and every rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.finding import STATUSES
from inventory.text.display import pluralize
from reports.presentation.banners import banners
from reports.presentation.labels import ROLE, STATUS, WAIVER
from reports.presentation.protection_text import answer, recorded_protection
from reports.tables.cells import LONGEST, joined, shown
from reports.tables.columns import WIDE, WIDEST, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reports.model.head import Head, RuleEntry
    from reports.model.population_summary import SourceEntry


class AuditFact(NamedTuple):
    """A fact about the audit.

    Attributes:
        section: what it belongs to.
        name: its name.
        value: its value; None if it is not known, or there is none.
        note: what it means; may be empty.
    """

    section: str
    name: str
    value: str | int | None
    note: str = ""


def _read(head: Head, _lines: Iterable[bytes], _population: Iterable[bytes]) -> Iterator[AuditFact]:
    yield from _verdict(head)
    yield from _settings(head)
    yield from _numbers(head)
    yield from map(_rule, head["criteria"]["rules"])
    yield from _waivers(head)
    yield from map(_source, head["population"]["sources"])
    yield AuditFact(
        "limits",
        "characters of a cell",
        LONGEST,
        "a longer text is cut, and says so; "
        "`findings.ndjson` and `population.ndjson` have all of it",
    )


def _verdict(head: Head) -> Iterator[AuditFact]:
    for banner in banners(head):
        yield AuditFact("warning", "warning", banner)
    verdict = head["verdict"]
    yield AuditFact("verdict", "outcome", verdict["outcome"], verdict["text"])
    yield AuditFact("verdict", "answer", answer(head))
    yield AuditFact("verdict", "exit code", verdict["exit_code"])
    yield AuditFact("verdict", "report", head["report"], "the hash of the record’s head")


def _settings(head: Head) -> Iterator[AuditFact]:
    settings, tool = head["settings"], head["tool"]
    yield AuditFact("settings", "as of", settings["as_of"], "the time of judgement (UTC)")
    yield AuditFact("settings", "tool", f"{tool['name']} {tool['version']}")
    yield AuditFact("settings", "mode", settings["mode"])
    yield AuditFact("settings", "fails on", settings["fail_on"], "and what is more severe")
    yield AuditFact("settings", "clouds", settings["kms"], "whose keys were looked at")
    allows = "yes" if settings["allow_inconclusive"] else "no"
    yield AuditFact("settings", "inconclusive findings are allowed", allows)


def _numbers(head: Head) -> Iterator[AuditFact]:
    yield from _counts("population", head["population"]["totals"])
    unread = sum(not row["complete"] for row in head["coverage"])
    note = "there may be more keys and databases than those above" if unread else ""
    yield AuditFact("population", "organizations not read and judged in full", unread, note)
    for status in STATUSES:
        yield AuditFact("findings", status, head["counts"][status], STATUS[status].meaning)
    yield from _counts("open findings", head["open"])
    yield from _counts("protection", recorded_protection(head) or {})


def _counts(section: str, counts: Mapping[Any, object]) -> Iterator[AuditFact]:
    for name, count in counts.items():
        yield AuditFact(section, name.replace("_", " "), shown(count))


def _rule(rule: RuleEntry) -> AuditFact:
    counts = rule["counts"]
    found = ", ".join(f"{counts[status]:,} {status}" for status in STATUSES if counts[status])
    total = sum(counts.values())
    return AuditFact("rules", rule["id"], total, joined([rule["title"], found or "no subject"]))


def _waivers(head: Head) -> Iterator[AuditFact]:
    for waiver in head["waivers"]:
        state = waiver["state"]
        what = f"{waiver['rule']} for {waiver['subject']}, until {waiver['expires_on']}"
        yield AuditFact("waivers", waiver["id"], state, f"{WAIVER[state].meaning} {what}")


def _source(source: SourceEntry) -> AuditFact:
    captured = source["captured_at"] or "at an unknown time"
    whole = "" if source["complete"] else "not complete"
    counts = joined(
        [pluralize(source["organizations"], "organization"), f"recorded {captured}", whole]
    )
    role = ROLE[source["role"]]
    return AuditFact("sources", source["path"], f"sha256:{source['sha256']}", f"{role}; {counts}")


AUDIT = Table(
    "audit",
    "Audit",
    "a fact about the audit: warnings, verdict, settings, numbers, each rule, waivers, sources",
    (
        Column("section", "what the fact belongs to", lambda row: row.section),
        Column("name", "its name", lambda row: row.name, WIDE),
        Column("value", "its value", lambda row: row.value, WIDE),
        Column("note", "what it means", lambda row: row.note, WIDEST),
    ),
    _read,
)
