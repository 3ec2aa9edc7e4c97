"""``cmek-audit diff``: compares two audits, and says what changed from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from checks.engine.context import utc
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import Code
from inventory.errors import RecordError
from inventory.text.display import printable
from reports.comparison.baseline import read_baseline, read_later, refuse_unlike
from reports.comparison.changes import NEWS, Changes, summarize_changes
from reports.formats.markdown import WHOLE
from reports.model.changes import CLASSES, KEY_CHANGES, ComparedFindings
from reports.presentation.labels import CHANGE, KEY_CHANGE, WHY
from reports.presentation.markdown_text import code, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.comparison.baseline import AuditReference
    from reports.model.changes import (
        ChangedFinding,
        ChangedKeys,
        Class,
        KeyChanges,
        OrganizationsGone,
    )

MOST_SHOWN = 50
"""How many findings or key scopes of one kind the text names; JSON has more."""


class AuditEntry(TypedDict):
    """One of the two audits."""

    path: str
    report: str
    as_of: str
    sha256: str
    banners: list[str]


class Comparison(ComparedFindings):
    """Two audits, and what changed from one to the other."""

    old: AuditEntry
    new: AuditEntry
    same_rules: bool


def run(old: str, new: str, form: str) -> Code:
    """Compare the audits at ``old`` and ``new``, and print the result as ``form``."""
    told = _compared(old, new)
    if form == "json":
        write_json(told)
    else:
        write_lines("\n".join(_text(told) if form == "text" else _markdown(told)))
    is_news = any(told["counts"][each] for each in NEWS) or told["organizations_gone"]["count"] > 0
    return Code.NOT_DONE if is_news else Code.DONE


def _compared(old: str, new: str) -> Comparison:
    later = read_later(new)
    baseline = read_baseline(old)
    refuse_unlike(baseline.about, is_example=later.about.is_example)
    if later.about.as_of < baseline.about.as_of:
        found = f"an audit as of {utc(baseline.about.as_of)}"
        expected = f"the earlier one of the two, the other is as of {utc(later.about.as_of)}"
        raise RecordError(f"{baseline.about.path}: found {found}, expected {expected}")
    changes = Changes(baseline, later.about.as_of, later.seen)
    for finding in later.findings():
        changes.classify(finding)
    told = changes.summary(later.about.rules, "")
    return {
        "old": _about(baseline.about),
        "new": _about(later.about),
        "same_rules": told["baseline"]["same_rules"],
        "counts": told["counts"],
        "not_judged_again": told["not_judged_again"],
        "lists": told["lists"],
        "keys": told["keys"],
        "organizations_gone": told["organizations_gone"],
    }


def _about(about: AuditReference) -> AuditEntry:
    """Say which audit was compared."""
    return {
        "path": about.path,
        "report": about.report,
        "as_of": utc(about.as_of),
        "sha256": about.sha256,
        "banners": list(about.banners),
    }


# --- text -----------------------------------------------------------------------------------------

OTHER_RULES = "The rules were others then, so a change may be one of the rules."


def _text(told: Comparison) -> Iterator[str]:
    for which, about in (("old", told["old"]), ("new", told["new"])):
        named = f"{about['path']}, as of {about['as_of']}, report {about['report'][:12]}"
        yield f"{which.capitalize()}:      {named}"
        yield from (f"          {printable(text)}" for text in about["banners"])
    if not told["same_rules"]:
        yield OTHER_RULES
    yield f"Changes:  {summarize_changes(told)}"
    yield from _text_of_organizations(told["organizations_gone"])
    for what in _listed(told):
        yield ""
        yield f"{what.capitalize()} ({told['counts'][what]:,}): {CHANGE[what].meaning}"
        for each in told["lists"][what][:MOST_SHOWN]:
            yield f"  {each['severity']} {each['rule']} {_named(each)}: {_turn(each)}"
            yield f"    {each['message']}"
        yield from _more(told["counts"][what])
    yield from _text_of_keys(told["keys"])


GONE = "They are in the earlier audit, and not in the later one."


def _text_of_organizations(gone: OrganizationsGone) -> Iterator[str]:
    if gone["count"]:
        yield ""
        yield f"Organizations gone ({gone['count']:,}): {GONE}"
        yield from (
            f"  {each['name']} ({each['organization']})" for each in gone["list"][:MOST_SHOWN]
        )
        yield from _more(gone["count"])


def _listed(told: Comparison) -> list[Class]:
    return [klass for klass in CLASSES if told["counts"][klass] and klass != "unchanged"]


def _named(each: ChangedFinding) -> str:
    """Name the subject, and its cause if the finding has one."""
    cause = f" {each['cause']}" if each["cause"] else ""
    name = f" ({each['name']})" if each["name"] else ""
    return f"{each['path']}{cause}{name}"


def _turn(each: ChangedFinding) -> str:
    """Say what the status was, and what it is now."""
    before = f"{each['status_before']}, " if each["status_before"] else ""
    if each["status_before"] and each["severity_before"] != each["severity"]:
        before = f"{each['severity_before']} {before}"
    why = f". {WHY[each['reason']]}" if each["reason"] else ""
    return f"{before}now {each['status'] or 'gone'}{why}"


def _more(total: int) -> Iterator[str]:
    if total > MOST_SHOWN:
        yield f"  … and {total - MOST_SHOWN:,} more"


def _text_of_keys(keys: KeyChanges | None) -> Iterator[str]:
    for what in KEY_CHANGES:
        if not keys or not keys["counts"][what]:
            continue
        title, words = KEY_CHANGE[what]
        yield ""
        yield f"{title} ({keys['counts'][what]:,}): {words}"
        for scope in keys["lists"][what][:MOST_SHOWN]:
            yield f"  {_scope(scope)}"
            yield f"    before: {', '.join(scope['before']) or 'none'}"
            yield f"    now:    {', '.join(scope['after']) or 'none'}"
        yield from _more(keys["counts"][what])


def _scope(scope: ChangedKeys) -> str:
    return " / ".join((scope["name"], scope["type"], scope["provider"], scope["region"]))


# --- Markdown -------------------------------------------------------------------------------------


def _markdown(told: Comparison) -> Iterator[str]:
    yield from ("## Changes between two audits", "")
    yield from table(
        ("Audit", "As of", "Report", "Read from"),
        (_of_audit("old", told["old"]), _of_audit("new", told["new"])),
    )
    for which, audit in (("old", told["old"]), ("new", told["new"])):
        for text in audit["banners"]:
            yield from ("", f"> **{which}: {prose(text, WHOLE)}**")
    yield ""
    other_rules = "" if told["same_rules"] else f" {OTHER_RULES}"
    yield f"{prose(summarize_changes(told)).capitalize()}.{other_rules}"
    if told["organizations_gone"]["count"]:
        yield from ("", "### Organizations gone", "", GONE, "")
        shown = told["organizations_gone"]["list"][:MOST_SHOWN]
        rows = ((code(each["name"]), code(each["organization"])) for each in shown)
        yield from table(("Organization", "Id"), rows)
        yield from _more_rows(told["organizations_gone"]["count"])
    for what in _listed(told):
        yield from ("", f"### {what.capitalize()}", "", CHANGE[what].meaning, "")
        yield from table(
            ("Severity", "Rule", "Subject", "Change", "Condition"),
            map(_of_finding, told["lists"][what][:MOST_SHOWN]),
        )
        yield from _more_rows(told["counts"][what])
    keys = told["keys"]
    for key_change in KEY_CHANGES:
        if keys and keys["counts"][key_change]:
            title, words = KEY_CHANGE[key_change]
            yield from ("", f"### {title}", "", words, "")
            yield from table(
                ("Key scope", "Before", "Now"),
                map(_of_scope, keys["lists"][key_change][:MOST_SHOWN]),
            )
            yield from _more_rows(keys["counts"][key_change])


def _more_rows(total: int) -> Iterator[str]:
    for line in _more(total):
        yield from ("", line.strip())


def _of_audit(which: str, audit: AuditEntry) -> Sequence[str]:
    return which, code(audit["as_of"]), code(audit["report"]), code(audit["path"])


def _of_finding(each: ChangedFinding) -> Sequence[str]:
    parts = each["path"], each["cause"], each["name"]
    subject = " ".join(code(part) for part in parts if part)
    return each["severity"], each["rule"], subject, _turn(each), prose(each["message"])


def _of_scope(scope: ChangedKeys) -> Sequence[str]:
    keys = (", ".join(map(code, ids)) or "none" for ids in (scope["before"], scope["after"]))
    return code(_scope(scope)), *keys
