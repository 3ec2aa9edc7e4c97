"""``cmek-audit waive``: prints the request for a waiver of one finding that fails."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from checks.engine.context import day
from checks.engine.waivers import Waiver, target_of
from cmek_audit import parameters
from cmek_audit.commands.waiver_entry import WaiverRequest, print_request
from cmek_audit.console import write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.errors import SettingError
from inventory.text.display import describe, pluralize
from inventory.text.secrets import without_secrets
from inventory.text.visible_text import visible
from reports.presentation.banners import banners
from reports.record.reader import RecordPart, read_record, relying_on

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from reports.model.head import WaiverEntry
    from reports.record.reader import Record

_BEGINNING = re.compile(r"[0-9a-f]{4,20}")
_MOST_NAMED = 10
_REFUSED = {
    "pass": "passes: there is nothing to waive",
    "not-applicable": "is not applicable: there is nothing to waive",
    "inconclusive": "is inconclusive, and only a failure can be waived. To do instead: {}",
    "error": "is an error of its check, and only a failure can be waived. To do instead: {}",
    "waived": "is already waived, by {}. To extend it, change its dates and have it approved again",
}


class Request(NamedTuple):
    """What somebody requests.

    Attributes:
        finding: the id of the finding, or its beginning.
        report: the folder of the report that holds it, or its ``audit.json``.
        reason: why the failure is accepted.
        control: what protects instead.
        ticket: where it is discussed.
        requested_by: who requests it.
        days: for how many UTC days from today.
    """

    finding: str
    report: str
    reason: str
    control: str
    ticket: str
    requested_by: str
    days: int


class _Subject(RecordPart):
    path: str


class _Finding(RecordPart):
    """What of a recorded finding matters here."""

    id: str
    rule: str
    status: str
    severity: str
    subject: _Subject
    cause: str = ""
    message: str
    action: str = "see the report"
    waiver: str = ""

    def __str__(self) -> str:
        cause = f" {self.cause}" if self.cause else ""
        return f"{self.id} ({self.rule} {self.subject.path}{cause})"


@click.command(context_settings=parameters.SETTINGS)
@click.argument("finding")
@parameters.report
@click.option("--reason", metavar="TEXT", required=True, help="Why the failure is accepted.")
@click.option("--control", metavar="TEXT", required=True, help="What protects instead.")
@click.option("--ticket", metavar="TEXT", required=True, help="Where it is discussed.")
@click.option("--requested-by", metavar="NAME", required=True, help="Who requests the waiver.")
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(1, 365),
    default=90,
    help="For how many days from today.",
)
@parameters.as_json
@interruptible("nothing was printed")
def waive(*, as_json: bool, **values: Any) -> ExitCode:  # noqa: ANN401 (as click passes them)
    """Print the request for a waiver of one finding that fails.

    FINDING is the finding's id, or enough of its beginning. REPORT is a report folder or its
    audit.json; without it, audit-report.

    Paste the entry into the list of your file of waivers. It covers nothing until somebody else
    adds approved_by and approved_on.

    \b
    Exit codes:
      0  printed
      2  interrupted; nothing was printed
      3  internal error
      4  no such finding, or one that does not fail
    """
    request = Request(**values)
    _check_texts(request)
    record = read_record(request.report)
    with relying_on(record):
        for banner in banners(record.head):
            write_lines(banner, err=True)
        waiver_request = _waiver_request(request, record)
    print_request(waiver_request, as_json=as_json)
    write_lines("Paste this entry into the list 'waivers:' of your file of waivers.", err=True)
    return ExitCode.DONE


def _check_texts(request: Request) -> None:
    """Refuse what no file of waivers may hold, by the name of its option."""
    for option in ("reason", "control", "ticket", "requested_by"):
        text = getattr(request, option)
        expected = "text, not blank" if not visible(text) else ""
        if without_secrets(text) != text:
            expected = "text without a token"
        elif text.encode("utf-8", "replace").decode() != text:
            expected = "text in UTF-8"
        if expected:
            flag = f"--{option.replace('_', '-')}"
            raise SettingError(f"{flag}: found {describe(text)}, expected {expected}")


# --- the finding ----------------------------------------------------------------------------------


def _failing(record: Record, beginning: str) -> _Finding:
    """Return the one finding whose id begins so; raise SettingError if it does not fail."""
    finding = _only_match(_matching(record, beginning), record, beginning)
    if finding.status != "fail":
        instead = finding.waiver if finding.status == "waived" else finding.action
        raise SettingError(f"{finding} {_REFUSED[finding.status].format(instead)}.")
    return finding


def _matching(record: Record, beginning: str) -> list[_Finding]:
    if not _BEGINNING.fullmatch(beginning.lower()):
        expected = "the id of a finding, or at least 4 characters of its beginning"
        raise SettingError(f"FINDING: found {describe(beginning)}, expected {expected}")
    needle = f'"id":"{beginning.lower()}'.encode("ascii")
    return [_Finding.model_validate_json(line) for line in record.lines() if needle in line]


def _only_match(matches: list[_Finding], record: Record, beginning: str) -> _Finding:
    if len(matches) == 1:
        return matches[0]
    if not matches:
        number = pluralize(record.head["findings"]["count"], "finding")
        expected = f"the id of one of the {number} of {record.path.parent}"
        raise SettingError(
            f"FINDING: found {beginning}, expected {expected}. See audit.html there."
        )
    lines = [f"FINDING: found {beginning}, the beginning of {len(matches):,} ids: give more of it"]
    lines += [f"  {finding} {finding.status}" for finding in matches[:_MOST_NAMED]]
    if len(matches) > _MOST_NAMED:
        lines.append(f"  … and {len(matches) - _MOST_NAMED:,} more")
    raise SettingError("\n".join(lines))


# --- the waiver -----------------------------------------------------------------------------------


def _waiver_request(request: Request, record: Record) -> WaiverRequest:
    """Make the request, with an id that no waiver of the report has."""
    finding = _failing(record, request.finding)
    others = record.head["waivers"]
    waiver = _waiver(request, finding, {other["id"] for other in others}, day(datetime.now(UTC)))
    for other in others:
        if (other["rule"], other["subject"], other["cause"]) == target_of(waiver):
            _warn_of(other)
    return WaiverRequest(waiver, f"{finding.rule}, {finding.severity}: {finding.message}")


def _warn_of(other: WaiverEntry) -> None:
    place = f"{other['file']}:{other['line']}"
    advice = "An audit accepts only one of the two: replace the old one."
    write_lines(f"{place}: {other['id']} is for the same cause. {advice}", err=True)


def _waiver(request: Request, finding: _Finding, taken: Collection[str], today: date) -> Waiver:
    return Waiver(
        id=_unused_id(f"W-{today.year}-{finding.id[:8]}", taken),
        rule=finding.rule,
        subject=finding.subject.path,
        cause=finding.cause,
        reason=request.reason,
        requested_by=request.requested_by,
        requested_on=today,
        expires_on=today + timedelta(days=request.days),
        compensating_control=request.control,
        ticket=request.ticket,
    )


def _unused_id(name: str, taken: Collection[str]) -> str:
    """Return ``name``, with a number behind it if it is ``taken``."""
    candidates = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)
