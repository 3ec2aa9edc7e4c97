"""The requests to Astra, folded per organization: how it was read, and the recorded answers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, get_args

from inventory.files.evidence_layout import INVENTORY, LINES
from inventory.model.gaps import CloudFact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.model.population_summary import (
        ExchangeEntry,
        GapEntry,
        OrganizationEntry,
        ReadingEntry,
        SourceEntry,
    )
    from reports.page.findings.evidence_index import EvidenceRow, ShownEvidence

    Folder = tuple[int, str]
    """The number of a bundle, and that of the organization whose exchanges they are."""

_FAILED = 400


class OrganizationEvidence(NamedTuple):
    """What was asked about one organization.

    Attributes:
        id: the organization's id; empty if the record does not say whose answers these are.
        name: its name, or the folder of its answers.
        requests: how many requests were sent.
        failed: how many got no answer, or one with a status of 400 or more.
        first: the time of the first answer that the record lists.
        last: the time of the last one.
        gaps: what could not be read.
        readings: how each fact was read.
        readings_left: how many more of these there are.
        rows: its recorded answers on this page.
        left: how many more of these there are.
    """

    id: str
    name: str
    requests: int
    failed: int
    first: str | None
    last: str | None
    gaps: list[GapEntry]
    readings: list[ReadingEntry]
    readings_left: int
    rows: list[EvidenceRow]
    left: int

    @property
    def is_troubled(self) -> bool:
        """Say whether a request failed, or something could not be read."""
        return bool(self.failed or self.gaps)


class Requests(NamedTuple):
    """All requests, in numbers and per organization.

    Attributes:
        shown: organizations, first those of which something failed or could not be read.
        left: how many more there are.
        total: how many organizations were asked about.
        requests: how many requests were sent about all of them.
        failed: how many of these failed.
        troubled: of how many organizations something failed or could not be read.
    """

    shown: list[OrganizationEvidence]
    left: int
    total: int
    requests: int
    failed: int
    troubled: int


def requests_by_organization(
    organizations: Sequence[OrganizationEntry],
    sources: Sequence[SourceEntry],
    evidence: Sequence[ShownEvidence],
    limit: int,
) -> Requests:
    """Group the recorded answers that the page shows by the organization that they are about.

    An answer that the page shows is never left out, as a finding may lead to it. Of organizations
    without one, and of readings, there are at most those of ``limit`` organizations.
    """
    owners = _owners(organizations, sources, evidence)
    rows, listed = _rows(evidence), _listed(evidence)
    groups = [
        _group(owners.get(folder), folder[1], rows.get(folder, []), exchanges)
        for folder, exchanges in listed.items()
    ]
    placed = {owners[folder]["id"] for folder in listed if folder in owners}
    groups += [
        _group(organization, "", [], [])
        for organization in organizations
        if organization["readings"] and organization["id"] not in placed
    ]
    ordered = sorted(groups, key=lambda group: (not group.gaps, not group.failed))
    shown = [
        group if place < limit else _without_readings(group)
        for place, group in enumerate(ordered)
        if place < limit or group.rows
    ]
    return Requests(
        shown=shown,
        left=len(groups) - len(shown),
        total=len(groups),
        requests=sum(group.requests for group in groups),
        failed=sum(group.failed for group in groups),
        troubled=sum(group.is_troubled for group in groups),
    )


def _owners(
    organizations: Sequence[OrganizationEntry],
    sources: Sequence[SourceEntry],
    evidence: Sequence[ShownEvidence],
) -> dict[Folder, OrganizationEntry]:
    """Return the organization that each folder of a bundle is about.

    A bundle numbers its folders in the order in which its inventory lists the organizations. That
    holds only if the population has all of them: else nobody is named. A bundle of clouds alone,
    which is no organization's record, names them itself.
    """
    by_file: defaultdict[str, list[OrganizationEntry]] = defaultdict(list)
    for organization in organizations:
        by_file[organization["file"]].append(organization)
    members = {source["path"]: source.get("clouds_of", ()) for source in sources}
    by_id = {organization["id"]: organization for organization in organizations}
    held = {source["path"]: source["organizations"] for source in sources}
    owners: dict[Folder, OrganizationEntry] = {}
    for number, shown in enumerate(evidence, 1):
        path = shown.bundle["path"]
        found = sorted(by_file[f"{path}/{INVENTORY}"], key=lambda entry: entry["line"])
        if members.get(path):
            found = [_asked_of_clouds(by_id[one]) for one in members[path] if one in by_id]
        if len(found) == held.get(path):
            owners |= {(number, f"{place:04}"): entry for place, entry in enumerate(found, 1)}
    return owners


def _asked_of_clouds(organization: OrganizationEntry) -> OrganizationEntry:
    """Return the organization with what was read of it in the clouds alone."""
    facts = get_args(CloudFact)
    readings = [reading for reading in organization["readings"] if reading["fact"] in facts]
    return {**organization, "readings": readings, "gaps": []}


def _rows(evidence: Sequence[ShownEvidence]) -> dict[Folder, list[EvidenceRow]]:
    rows: defaultdict[Folder, list[EvidenceRow]] = defaultdict(list)
    for number, shown in enumerate(evidence, 1):
        for row in shown.rows:
            rows[number, _folder_of(row.exchange)].append(row)
    return rows


def _listed(evidence: Sequence[ShownEvidence]) -> dict[Folder, list[ExchangeEntry]]:
    """Return every answer that the record lists, by its folder, in the order of the record."""
    listed: defaultdict[Folder, list[ExchangeEntry]] = defaultdict(list)
    for number, shown in enumerate(evidence, 1):
        for exchange in shown.bundle["exchanges"]:
            listed[number, _folder_of(exchange)].append(exchange)
    return listed


def _folder_of(exchange: ExchangeEntry) -> str:
    """Return ``0001`` of ``exchanges/0001.ndjson.gz``, and of ``exchanges/0001/0004.json``."""
    return exchange["path"].split("/")[1].removesuffix(LINES)


def _group(
    organization: OrganizationEntry | None,
    folder: str,
    rows: list[EvidenceRow],
    listed: Sequence[ExchangeEntry],
) -> OrganizationEvidence:
    readings = organization["readings"] if organization else []
    # The record lists answers up to a limit, and readings hold no request that led to none of
    # them: the larger number is the one that hides nothing.
    requests = max(len(listed), sum(reading["requests"] for reading in readings))
    failed = max(
        sum(_is_failure(exchange["outcome"]) for exchange in listed),
        sum(_failures(reading) for reading in readings),
    )
    times = [exchange["at"] for exchange in listed]
    return OrganizationEvidence(
        id=organization["id"] if organization else "",
        name=organization["name"] if organization else f"exchanges/{folder}",
        requests=requests,
        failed=failed,
        first=min(times, default=None),
        last=max(times, default=None),
        gaps=organization["gaps"] if organization else [],
        readings=readings,
        readings_left=0,
        rows=rows,
        left=requests - len(rows),
    )


def _failures(reading: ReadingEntry) -> int:
    return sum(count for outcome, count in reading["answers"].items() if _is_failure(outcome))


def _is_failure(outcome: str) -> bool:
    """Say whether there was no answer, or one with a status of 400 or more."""
    return not outcome.isdecimal() or int(outcome) >= _FAILED


def _without_readings(group: OrganizationEvidence) -> OrganizationEvidence:
    return group._replace(readings=[], readings_left=len(group.readings))
