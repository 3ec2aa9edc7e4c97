"""``cmek-audit diff``: compares two audits, and shows what changed from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import click

from checks.engine.context import utc
from cmek_audit import parameters
from cmek_audit.console import write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
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


@click.command(context_settings=parameters.SETTINGS)
@click.argument("old")
@click.argument("new")
@click.option(
    "--format",
    "-f",
    "format_name",
    type=parameters.Word(["text", "json", "markdown"]),
    default="text",
    help="How to print it.",
)
@parameters.as_json
@interruptible("nothing was compared")
@click.pass_context
def diff(
    context: click.Context, old: str, new: str, format_name: str, *, as_json: bool
) -> ExitCode:
    """Compare two audits: what is new, reopened, fixed or gone.

    OLD and NEW are report folders or their audit.json, the earlier one first. Findings that are
    unchanged are counted. Two findings are the same if their ids are: ids do not change from run
    to run. Keys that were added, replaced or removed are listed, too.

    \b
    Exit codes:
      0  nothing is new, reopened, worsened or unclear
      1  something is
      2  interrupted
      3  internal error
      4  unusable reports
    """
    format_name = parameters.choose_format(context, format_name, as_json=as_json)
    comparison = _compare(old, new)
    if format_name == "json":
        write_json(comparison)
    else:
        printer = _text if format_name == "text" else _markdown
        write_lines("\n".join(printer(comparison)))
    is_news = any(comparison["counts"][change] for change in NEWS)
    is_gone = comparison["organizations_gone"]["count"] > 0
    return ExitCode.NOT_DONE if is_news or is_gone else ExitCode.DONE


def _compare(old: str, new: str) -> Comparison:
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
    result = changes.summary(later.about.rules, "")
    return {
        "old": _about(baseline.about),
        "new": _about(later.about),
        "same_rules": result["baseline"]["same_rules"],
        "counts": result["counts"],
        "not_judged_again": result["not_judged_again"],
        "lists": result["lists"],
        "keys": result["keys"],
        "organizations_gone": result["organizations_gone"],
    }


def _about(about: AuditReference) -> AuditEntry:
    """Return which audit was compared."""
    return {
        "path": about.path,
        "report": about.report,
        "as_of": utc(about.as_of),
        "sha256": about.sha256,
        "banners": list(about.banners),
    }


# --- text -----------------------------------------------------------------------------------------

OTHER_RULES = "The rules have changed in between: a change may be due to a rule."


def _text(comparison: Comparison) -> Iterator[str]:
    for name, audit in (("old", comparison["old"]), ("new", comparison["new"])):
        reference = f"{audit['path']}, as of {audit['as_of']}, report {audit['report'][:12]}"
        yield f"{name.capitalize()}:      {reference}"
        yield from (f"          {printable(banner)}" for banner in audit["banners"])
    if not comparison["same_rules"]:
        yield OTHER_RULES
    yield f"Changes:  {summarize_changes(comparison)}"
    yield from _text_of_organizations(comparison["organizations_gone"])
    for change in _changes_to_list(comparison):
        yield ""
        yield f"{change.capitalize()} ({comparison['counts'][change]:,}): {CHANGE[change].meaning}"
        for finding in comparison["lists"][change][:MOST_SHOWN]:
            subject, turn = _subject(finding), _status_change(finding)
            yield f"  {finding['severity']} {finding['rule']} {subject}: {turn}"
            yield f"    {finding['message']}"
        yield from _more(comparison["counts"][change])
    yield from _text_of_keys(comparison["keys"])


GONE = "They are in the earlier audit, but not in the later one."


def _text_of_organizations(gone: OrganizationsGone) -> Iterator[str]:
    if gone["count"]:
        yield ""
        yield f"Organizations gone ({gone['count']:,}): {GONE}"
        yield from (
            f"  {organization['name']} ({organization['organization']})"
            for organization in gone["list"][:MOST_SHOWN]
        )
        yield from _more(gone["count"])


def _changes_to_list(comparison: Comparison) -> list[Class]:
    return [name for name in CLASSES if comparison["counts"][name] and name != "unchanged"]


def _subject(finding: ChangedFinding) -> str:
    """Name the subject, and its cause if the finding has one."""
    cause = f" {finding['cause']}" if finding["cause"] else ""
    name = f" ({finding['name']})" if finding["name"] else ""
    return f"{finding['path']}{cause}{name}"


def _status_change(finding: ChangedFinding) -> str:
    """Return what the status was, and what it is now."""
    before = f"{finding['status_before']}, " if finding["status_before"] else ""
    if finding["status_before"] and finding["severity_before"] != finding["severity"]:
        before = f"{finding['severity_before']} {before}"
    why = f". {WHY[finding['reason']]}" if finding["reason"] else ""
    return f"{before}now {finding['status'] or 'gone'}{why}"


def _more(total: int) -> Iterator[str]:
    if total > MOST_SHOWN:
        yield f"  … and {total - MOST_SHOWN:,} more"


def _text_of_keys(keys: KeyChanges | None) -> Iterator[str]:
    for change in KEY_CHANGES:
        if not keys or not keys["counts"][change]:
            continue
        title, meaning = KEY_CHANGE[change]
        yield ""
        yield f"{title} ({keys['counts'][change]:,}): {meaning}"
        for scope in keys["lists"][change][:MOST_SHOWN]:
            yield f"  {_scope(scope)}"
            yield f"    before: {', '.join(scope['before']) or 'none'}"
            yield f"    now:    {', '.join(scope['after']) or 'none'}"
        yield from _more(keys["counts"][change])


def _scope(scope: ChangedKeys) -> str:
    return " / ".join((scope["name"], scope["type"], scope["provider"], scope["region"]))


# --- Markdown -------------------------------------------------------------------------------------


def _markdown(comparison: Comparison) -> Iterator[str]:
    yield from ("## Changes between two audits", "")
    yield from table(
        ("Audit", "As of", "Report", "Read from"),
        (_audit_row("old", comparison["old"]), _audit_row("new", comparison["new"])),
    )
    for name, audit in (("old", comparison["old"]), ("new", comparison["new"])):
        for banner in audit["banners"]:
            yield from ("", f"> **{name}: {prose(banner, WHOLE)}**")
    other_rules = "" if comparison["same_rules"] else f" {OTHER_RULES}"
    yield from ("", f"{prose(summarize_changes(comparison)).capitalize()}.{other_rules}")
    yield from _markdown_of_organizations(comparison["organizations_gone"])
    for change in _changes_to_list(comparison):
        yield from ("", f"### {change.capitalize()}", "", CHANGE[change].meaning, "")
        yield from table(
            ("Severity", "Rule", "Subject", "Change", "Condition"),
            map(_finding_row, comparison["lists"][change][:MOST_SHOWN]),
        )
        yield from _more_rows(comparison["counts"][change])
    yield from _markdown_of_keys(comparison["keys"])


def _markdown_of_organizations(gone: OrganizationsGone) -> Iterator[str]:
    if gone["count"]:
        yield from ("", "### Organizations gone", "", GONE, "")
        rows = (
            (code(organization["name"]), code(organization["organization"]))
            for organization in gone["list"][:MOST_SHOWN]
        )
        yield from table(("Organization", "Id"), rows)
        yield from _more_rows(gone["count"])


def _markdown_of_keys(keys: KeyChanges | None) -> Iterator[str]:
    for change in KEY_CHANGES:
        if keys and keys["counts"][change]:
            title, meaning = KEY_CHANGE[change]
            yield from ("", f"### {title}", "", meaning, "")
            rows = map(_scope_row, keys["lists"][change][:MOST_SHOWN])
            yield from table(("Key scope", "Before", "Now"), rows)
            yield from _more_rows(keys["counts"][change])


def _more_rows(total: int) -> Iterator[str]:
    for line in _more(total):
        yield from ("", line.strip())


def _audit_row(name: str, audit: AuditEntry) -> Sequence[str]:
    return name, code(audit["as_of"]), code(audit["report"]), code(audit["path"])


def _finding_row(finding: ChangedFinding) -> Sequence[str]:
    parts = finding["path"], finding["cause"], finding["name"]
    subject = " ".join(code(part) for part in parts if part)
    change, message = _status_change(finding), prose(finding["message"])
    return finding["severity"], finding["rule"], subject, change, message


def _scope_row(scope: ChangedKeys) -> Sequence[str]:
    keys = (", ".join(map(code, ids)) or "none" for ids in (scope["before"], scope["after"]))
    return code(_scope(scope)), *keys
