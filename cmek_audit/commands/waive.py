"""``cmek-audit waive``: asks for a waiver of one finding that fails."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.catalogue import load_rules
from checks.engine.context import day
from checks.engine.waivers import Waiver, target_of
from cmek_audit.commands.waiver_entry import WaiverRequest, add, listed, show
from cmek_audit.console import write_lines
from cmek_audit.exit_codes import Code
from inventory.errors import SettingError
from inventory.text.display import describe, pluralize
from inventory.text.secrets import without_secrets
from inventory.text.visible_text import visible
from reports.presentation.banners import banners
from reports.record.reader import RecordPart, read_record, relying_on

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from reports.model.head import WaiverEntry
    from reports.record.reader import Record

_BEGINNING = re.compile(r"[0-9a-f]{4,20}")
_MOST_NAMED = 10
_REFUSED = {
    "pass": "passes: there is nothing to waive",
    "not-applicable": "is not applicable: there is nothing to waive",
    "inconclusive": "could not be judged, and only what fails can be waived. To do instead: {}",
    "error": "is of a check that broke, and only what fails can be waived. To do instead: {}",
    "waived": "is waived already, by {}. To extend it, change its days, and have it approved anew",
}


class Request(NamedTuple):
    """What somebody asks for.

    Attributes:
        finding: the id of the finding, or its beginning.
        report: the folder of the report that holds it, or its ``audit.json``.
        reason: why the failure is accepted.
        control: what protects instead.
        ticket: where it is discussed.
        requested_by: who asks.
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


def run(request: Request, into: str) -> Code:
    """Print a request for a waiver, or add it to the file ``into``."""
    _check_texts(request)
    record = read_record(request.report)
    with relying_on(record):
        limits = banners(record.head)
    for text in limits:
        write_lines(text, err=True)
    rules = [rule.card.id for rule in load_rules()]
    asked = _asked(request, record, listed(into, rules) if into != "-" else [])
    if into == "-":
        show(asked, rules)
        return Code.DONE
    add(asked, into, rules)
    waiver = asked.waiver
    write_lines(f"{into}: {waiver.id} is asked for, until {waiver.expires_on}.")
    other = f"somebody other than {waiver.requested_by}"
    write_lines(f"It covers nothing until {other} adds approved_by and approved_on.")
    return Code.DONE


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
    finding = _the_one(_matching(record, beginning), record, beginning)
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


def _the_one(found: list[_Finding], record: Record, beginning: str) -> _Finding:
    if len(found) == 1:
        return found[0]
    if not found:
        number = pluralize(record.head["findings"]["count"], "finding")
        expected = f"the id of one of the {number} of {record.path.parent}"
        told = [f"FINDING: found {beginning}, expected {expected}: see audit.html there."]
    else:
        told = [f"FINDING: found {beginning}, with which {len(found):,} ids begin: give more of it"]
        told += [f"  {each} {each.status}" for each in found[:_MOST_NAMED]]
        if len(found) > _MOST_NAMED:
            told.append(f"  … and {len(found) - _MOST_NAMED:,} more")
    raise SettingError("\n".join(told))


# --- the waiver -----------------------------------------------------------------------------------


def _asked(request: Request, record: Record, there: Sequence[Waiver]) -> WaiverRequest:
    """Make the request, with an id that neither the report's waivers have nor those ``there``."""
    with relying_on(record):
        finding = _failing(record, request.finding)
        known = {each.id for each in there}
        others = [each for each in record.head["waivers"] if each["id"] not in known]
        taken = known | {each["id"] for each in others}
        waiver = _waiver(request, finding, taken, day(datetime.now(UTC)))
        for other in others:
            if (other["rule"], other["subject"], other["cause"]) == target_of(waiver):
                _tell_of(other)
    return WaiverRequest(waiver, f"{finding.rule}, {finding.severity}: {finding.message}")


def _tell_of(other: WaiverEntry) -> None:
    where = f"{other['file']}:{other['line']}"
    told = "An audit takes only one of the two: put the new one into its place."
    write_lines(f"{where}: {other['id']} is for the same cause. {told}", err=True)


def _waiver(request: Request, finding: _Finding, taken: Collection[str], today: date) -> Waiver:
    return Waiver(
        id=_free(f"W-{today.year}-{finding.id[:8]}", taken),
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


def _free(name: str, taken: Collection[str]) -> str:
    """Return ``name``, with the first number that makes it one that is not ``taken``."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
