"""Waivers: who accepted which single failure, why, and until which day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from checks.engine.card import unknown_rule
from checks.engine.context import day
from checks.engine.identity import escape, owner_of
from inventory.errors import InventoryError, Problem, WaiverError
from inventory.files.format_detection import WAIVERS
from inventory.files.validation import problems_of
from inventory.files.yaml_json import read_own_document
from inventory.model.base import Day, Entry, FormatVersion, Identifier, Located, Text
from inventory.text.visible_text import same_person

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from checks.engine.finding import Finding
    from checks.engine.pass_series import PassSeries

LONGEST_DAYS = 365
EXPIRING_DAYS = 30

Path = Annotated[str, StringConstraints(pattern=r"^[!-~]+$")]
State = Literal[
    "active", "expiring", "expired", "not-yet-valid", "unused", "unmatched", "requested"
]


_APPROVED_BY_AND_ON: dict[str, JsonValue] = {
    "if": {"properties": {"approved_by": {"type": "string"}}, "required": ["approved_by"]},
    "then": {"properties": {"approved_on": {"type": "string"}}, "required": ["approved_on"]},
    "else": {"properties": {"approved_on": {"type": "null"}}},
}
"""The condition between two fields, for editors."""


class Waiver(Located):
    """The acceptance of one cause of a rule's failure about one subject; or the request for it.

    Attributes:
        id: unique among all waivers of an audit.
        rule: the rule's id.
        subject: the subject's path, as every report shows it; no patterns.
        cause: the cause that is accepted, as every report shows it; no other of the same subject.
        reason: why the failure is accepted.
        requested_by: who asked for it.
        approved_by: who granted it; another person. None as long as it is only asked for.
        requested_on: UTC day of the request.
        approved_on: UTC day of the approval, the first on which it is valid; None likewise.
        expires_on: UTC day, the last on which it is valid; at most 365 days after the approval.
        compensating_control: what protects instead.
        ticket: where it was discussed.
    """

    model_config = ConfigDict(json_schema_extra={"allOf": [_APPROVED_BY_AND_ON]})

    id: Identifier
    rule: Identifier
    subject: Path
    cause: Path
    reason: Text
    requested_by: Text
    approved_by: Text | None = None
    requested_on: Day
    approved_on: Day | None = None
    expires_on: Day
    compensating_control: Text
    ticket: Text

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.approved_by is None) is not (self.approved_on is None):
            raise PydanticCustomError("approval", "approved_by and approved_on, or neither")
        if self.approved_by and same_person(self.approved_by, self.requested_by):
            raise PydanticCustomError("approver", "an approver other than the requester")
        self._check_days()
        return self

    def _check_days(self) -> None:
        if self.approved_on is None:
            if self.requested_on > self.expires_on:
                raise PydanticCustomError("dates", "requested_on, expires_on in this order")
            return
        if not self.requested_on <= self.approved_on <= self.expires_on:
            raise PydanticCustomError(
                "dates", "requested_on, approved_on, expires_on in this order"
            )
        if self.expires_on - self.approved_on > timedelta(days=LONGEST_DAYS):
            raise PydanticCustomError("dates", "an expiry at most 365 days after the approval")


def target_of(waiver: Waiver) -> tuple[str, str, str]:
    """Return what ``waiver`` covers, if it is valid: a rule, a subject and one cause."""
    return waiver.rule, waiver.subject, waiver.cause


class WaiverDocument(Entry):
    """A whole waiver file; an empty list is allowed, an absent one is not.

    Attributes:
        format: the version of the format, 1.
        waivers: who accepted which single failure, why, and until which day.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-waivers")]
    waivers: tuple[Waiver, ...]


class WaiverBook:
    """All waivers of one audit, and what became of each."""

    def __init__(self, waivers: Iterable[Waiver], as_of: datetime) -> None:
        """Index ``waivers`` by what they cover; validity is judged on the UTC day of ``as_of``."""
        self._today = day(as_of)
        self._by_target = {target_of(waiver): waiver for waiver in waivers}
        self._judged: dict[tuple[str, str], bool] = {
            (rule, subject): False for rule, subject, _ in self._by_target
        }
        self._statuses: dict[str, str] = {}
        self._owners = {(rule, owner_of(subject)) for rule, subject in self._judged}

    def apply(self, finding: Finding) -> Finding:
        """Return ``finding``, waived if it fails and a valid waiver covers exactly it."""
        if not self._by_target:
            return finding
        subject = finding.rule, finding.subject.path
        if subject in self._judged:
            self._judged[subject] = True
        waiver = self._by_target.get((*subject, finding.cause))
        if waiver is None:
            return finding
        self._statuses[waiver.id] = finding.status
        if finding.status != "fail" or not self._is_valid(waiver):
            return finding
        return finding._replace(status="waived", waiver=waiver.id)

    def merge(self, other: WaiverBook) -> None:
        """Add what became of the same waivers in ``other``, whose findings came after these."""
        for subject, is_judged in other._judged.items():
            self._judged[subject] |= is_judged
        self._statuses |= other._statuses

    def concerns(self, series: PassSeries) -> bool:
        """Say whether any waiver may name one of the subjects of ``series``."""
        pattern = series.pattern
        return (pattern.rule, escape(pattern.subject.organization)) in self._owners

    def states(self) -> list[tuple[Waiver, State]]:
        """Return every waiver with its state, in the order of the files; after the last finding."""
        return [(waiver, self._state(waiver)) for waiver in self._by_target.values()]

    def _is_valid(self, waiver: Waiver) -> bool:
        first = waiver.approved_on
        return first is not None and first <= self._today <= waiver.expires_on

    def _state(self, waiver: Waiver) -> State:
        if waiver.approved_on is None:
            return "requested"
        status = self._statuses.get(waiver.id)
        if self._today > waiver.expires_on:
            return "expired"
        if self._today < waiver.approved_on:
            return "not-yet-valid"
        if status is None and not self._judged[waiver.rule, waiver.subject]:
            return "unmatched"
        if status != "fail":
            return "unused"
        left = waiver.expires_on - self._today
        return "expiring" if left <= timedelta(days=EXPIRING_DAYS) else "active"


def read_waivers(files: Sequence[str], rules: Collection[str]) -> list[Waiver]:
    """Read waiver files; raise WaiverError with every problem of all of them.

    ``rules`` are the ids of the rules that exist.
    """
    waivers: list[Waiver] = []
    problems: list[Problem] = []
    for file in files:
        read, wrong = _read(file)
        waivers += read
        problems += wrong
    problems += _misfits(waivers, rules)
    if problems:
        raise WaiverError(problems)
    return waivers


def _read(file: str) -> tuple[list[Waiver], list[Problem]]:
    try:
        _, document = read_own_document(file, WAIVERS)
    except InventoryError as error:
        return [], list(error.problems)
    if document.problems:
        return [], document.problems
    try:
        parsed = WaiverDocument.model_validate(document.data)
    except ValidationError as error:
        return [], problems_of(error, file, document.lines, model=WaiverDocument)
    lines = document.lines
    waivers = parsed.waivers
    return [waiver.at(file, lines["waivers", i]) for i, waiver in enumerate(waivers)], []


def _misfits(waivers: Sequence[Waiver], rules: Collection[str]) -> list[Problem]:
    problems: list[Problem] = []
    seen: dict[Any, str] = {}
    for waiver in waivers:
        here = f"{waiver.file}:{waiver.line}"
        if waiver.rule not in rules:
            problems.append(
                Problem(waiver.file, waiver.line, "rule", *unknown_rule(waiver.rule, rules))
            )
        for field, key in (("id", waiver.id), ("cause", target_of(waiver))):
            if key in seen:
                found = f"the {field} of the waiver at {seen[key]}"
                expected = "another id" if field == "id" else "one waiver for a subject's cause"
                problems.append(Problem(waiver.file, waiver.line, field, found, expected))
            seen.setdefault(key, here)
    return problems
