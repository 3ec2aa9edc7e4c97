"""What people attest, as observations by interview, each with its day and its expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.parties import ATTESTER, by_party
from reports.formats.oscal.subjects import organization_uuid
from reports.formats.oscal.texts import block, first_second, last_second, line, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.formats.oscal.json_parts import Json
    from reports.model.head import Head
    from reports.model.population_summary import AttestationEntry


def attestation_observations(head: Head) -> Iterator[Json]:
    """Yield an observation by interview for each attestation; two may be alike in every word."""
    as_of = head["settings"]["as_of"]
    for place, attestation in enumerate(head["attestations"]):
        uuid = identify("attestation", head["report"], str(place))
        yield _attestation(attestation, uuid, as_of)


def _attestation(attestation: AttestationEntry, uuid: str, as_of: str) -> Json:
    no_longer = "" if attestation["current"] else ", does not count now"
    about = f"{attestation['what']}{no_longer}: {attestation['organization']}"
    organization = attestation["organization_id"]
    subject = {"subject-uuid": organization_uuid(organization), "type": "component"}
    return filled(
        {
            "uuid": uuid,
            "title": line(f"Attestation, {about}"),
            "description": block(attestation["statement"]),
            "props": properties(_attested_facts(attestation)),
            "methods": ["INTERVIEW"],
            "types": ["discovery" if attestation["current"] else "historic"],
            "origins": by_party(attestation["by"], ATTESTER),
            "subjects": [subject] if organization else [],
            "collected": first_second(attestation["on"]) or as_of,
            "expires": last_second(attestation["due"]),
            "remarks": block(attestation["note"]) if attestation["note"] else "",
        }
    )


def _attested_facts(attestation: AttestationEntry) -> Json:
    return {
        "what": value(attestation["what"]),
        "current": "yes" if attestation["current"] else "no",
        "organization": value(attestation["organization_id"]),
        "key": value(attestation["key"]),
        "database": value(attestation["database"]),
    }
