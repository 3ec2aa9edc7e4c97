"""What findings are about: organizations as components, and everything else as inventory items."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reports.formats.oscal.identifiers import identify, pack
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.texts import line, value
from reports.presentation.messages import SubjectNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.formats.oscal.json_parts import Json
    from reports.model.finding_record import FindingRecord, SubjectRecord
    from reports.model.head import Head

_FIELDS = ("kind", "type", "provider", "region", "database", "key")


class Organizations:
    """The organizations that an audit names, each of which is a component of the document."""

    def __init__(self, head: Head) -> None:
        """Take those of the population, and those of attestations."""
        self._entries = {entry["id"]: entry for entry in head["population"]["organizations"]}
        attested = (entry["organization_id"] for entry in head["attestations"])
        self._ids = dict.fromkeys([*self._entries, *filter(None, attested)])

    def add(self, organization: str) -> None:
        """Add the organization of a finding; the population has it, unless a record is odd."""
        if organization:
            self._ids.setdefault(organization)

    def __contains__(self, organization: str) -> bool:
        """Return whether the population has the organization with this id."""
        return organization in self._entries

    def captured_at(self, organization: str) -> str | None:
        """Return when an organization was recorded; None if that is not known."""
        entry = self._entries.get(organization)
        return entry["captured_at"] if entry else None

    def name(self, organization: str) -> str:
        """Return the name of an organization, or else its id."""
        entry = self._entries.get(organization)
        return entry["name"] if entry else organization

    def components(self) -> Iterator[Json]:
        """Yield the component of each organization."""
        for organization in self._ids:
            entry = self._entries.get(organization)
            yield {
                "uuid": organization_uuid(organization),
                "type": "service",
                "title": line(self.name(organization)),
                "description": line(f"The organization {organization} in Astra."),
                "props": properties(
                    {
                        "organization": value(organization),
                        "owner": value(entry["owner"]) if entry else "",
                    }
                ),
                "status": {"state": "operational"},
            }


def organization_uuid(organization: str) -> str:
    """Return the UUID of the component that is an organization, by its id."""
    return identify("organization", organization)


def _is_component(subject: SubjectRecord) -> bool:
    return subject["kind"] == "organization" and bool(subject["organization"])


def _item_uuid(subject: SubjectRecord) -> str:
    return identify("subject", subject["path"], subject["organization"])


def reference(subject: SubjectRecord) -> Json:
    """Return the reference to what a finding is about."""
    if _is_component(subject):
        return {"subject-uuid": organization_uuid(subject["organization"]), "type": "component"}
    return {"subject-uuid": _item_uuid(subject), "type": "inventory-item"}


def inventory_items(head: Head, lines: Iterable[bytes]) -> Iterator[Json]:
    """Yield an item for each subject of the findings in ``lines`` that is no organization.

    Subjects that came before are remembered by 16 bytes each.
    """
    names, seen = SubjectNames(head), set[bytes]()
    for encoded in lines:
        finding: FindingRecord = json.loads(encoded)
        subject = finding["subject"]
        packed = pack(_item_uuid(subject))
        if packed not in seen and not _is_component(subject):
            seen.add(packed)
            yield _item(finding, names)


def _item(finding: FindingRecord, names: SubjectNames) -> Json:
    subject = finding["subject"]
    organization, fields = subject["organization"], dict[str, object](**subject)
    path = value(subject["path"])
    own = {name: value(str(fields.get(name, ""))) for name in _FIELDS}
    part_of = [{"component-uuid": organization_uuid(organization)}] if organization else []
    return filled(
        {
            "uuid": _item_uuid(subject),
            "description": line(names.subject(finding)),
            "props": [
                *([{"name": "asset-id", "value": path}] if path else []),
                *properties(own),
            ],
            "implemented-components": part_of,
        }
    )
