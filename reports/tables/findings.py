"""The table of findings: every finding is a row, whatever its status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import ACROSS
from reports.presentation.labels import reason
from reports.tables.cells import FindingCell, joined, shown
from reports.tables.columns import MIDDLE, NARROW, WIDE, WIDEST, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inventory.model.base import SourceLocation
    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head, WaiverEntry


class FindingRow(NamedTuple):
    """A finding, with what the head holds of its organization, its rule and its waiver."""

    finding: FindingRecord
    organization: str
    rule_title: str
    waiver: WaiverEntry | None


def _read(head: Head, lines: Iterable[bytes], _population: Iterable[bytes]) -> Iterator[FindingRow]:
    names = {row["id"]: row["name"] for row in head["population"]["organizations"]}
    titles = {rule["id"]: rule["title"] for rule in head["criteria"]["rules"]}
    waivers = {waiver["id"]: waiver for waiver in head["waivers"]}
    for line in lines:
        finding: FindingRecord = json.loads(line)
        organization = finding["subject"]["organization"]
        yield FindingRow(
            finding,
            names.get(organization, organization) or ACROSS,
            titles.get(finding["rule"], ""),
            waivers.get(finding.get("waiver", "")),
        )


def _field(name: str, meaning: str, width: int = MIDDLE) -> Column[FindingRow]:
    """Return the column of the field ``name`` of a finding."""
    return Column(name, meaning, lambda row: shown(row.finding.get(name)), width)


def _count(name: str, meaning: str) -> Column[FindingRow]:
    """Return the column of a number that the record leaves out if it is 0."""
    return Column(name, meaning, lambda row: shown(row.finding.get(name, 0)), NARROW)


def _subject(field: str, meaning: str, width: int = MIDDLE, name: str = "") -> Column[FindingRow]:
    """Return the column of a ``field`` of the subject, under that name unless another is given."""
    return Column(
        name or field, meaning, lambda row: shown(row.finding["subject"].get(field)), width
    )


def _waiver(field: str, meaning: str, width: int = MIDDLE) -> Column[FindingRow]:
    return Column(
        f"waiver_{field}",
        meaning,
        lambda row: shown(row.waiver.get(field)) if row.waiver else None,
        width,
    )


def _id(row: FindingRow) -> FindingCell:
    finding = row.finding
    return FindingCell(finding["id"], finding["subject"]["organization"], finding["status"])


def _reason_meaning(row: FindingRow) -> str | None:
    code = row.finding.get("reason")
    return reason(code).meaning if code else None


def location_text(file: str, line: int, address: str = "") -> str:
    """Return where a fact was read: file, line, and an address of Terraform in brackets."""
    place = f"{file}:{line}" if file else ""
    return f"{place} ({address})".strip() if address else place


def _evidence(row: FindingRow) -> str:
    locations: list[SourceLocation] = row.finding["evidence"]
    return joined(location_text(*location) for location in locations)


FINDINGS = Table(
    "findings",
    "Findings",
    "a finding of any status: open, waived, passed or not applicable",
    (
        _field(
            "status",
            "`error`, `fail`, `inconclusive`, `waived`, `pass` or `not-applicable`; only `pass` "
            "says that the subject complies",
            NARROW,
        ),
        _field(
            "severity", "of a failure here: `critical`, `high`, `medium`, `low`, `advisory`", NARROW
        ),
        _field("rule", "the rule’s id", NARROW),
        Column("id", "the finding’s id, the same in every audit", _id),
        Column("rule_title", "what complies with the rule", lambda row: row.rule_title, WIDE),
        Column(
            "organization",
            f"the organization’s name; `{ACROSS}` if the subject is in several",
            lambda row: row.organization,
        ),
        _subject("organization", "the organization’s id", name="organization_id"),
        _subject("kind", "what the subject is", NARROW),
        _subject("type", "the database type", NARROW),
        _subject("provider", "the cloud provider", NARROW),
        _subject("region", "the region", NARROW),
        _subject("database", "the database’s id; `planned` and its name if it has none yet"),
        _field("name", "the subject’s name, if that is not its identity"),
        _subject("key", "the key id"),
        _subject("path", "the subject’s path, by which a waiver names it", WIDE, name="subject"),
        _field("cause", "why the subject does not comply, as a code"),
        _field("message", "what was found", WIDEST),
        _field("reason", "why it could not be judged or does not apply, as a code"),
        Column("reason_meaning", "the meaning of `reason`", _reason_meaning, WIDE),
        _field("action", "what resolves it", WIDEST),
        _field("action_id", "the id of that step; findings with the same id need one step"),
        _field("rests_on", "of a pass: the kind of evidence on which it rests", NARROW),
        _field("waiver", "the id of the waiver that covers it"),
        _waiver("reason", "why the failure is accepted", WIDE),
        _waiver("approved_by", "who approved the waiver"),
        _waiver("expires_on", "the waiver’s last day", NARROW),
        _field("change", "what changed since the baseline, if one was given", NARROW),
        _field("since", "the first audit in a row in which it was open (UTC)"),
        _field("audits", "in how many audits in a row it is open", NARROW),
        _count("databases", "how many databases it concerns"),
        _count("existing", "how many of them exist already"),
        Column("evidence", "where the facts were read: file and line", _evidence, WIDE),
    ),
    _read,
    frozen=4,
)
