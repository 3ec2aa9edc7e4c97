"""Who acted: the people who stated, requested or approved something, and the tool that judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import properties
from reports.formats.oscal.texts import EMPTY, line, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reports.formats.oscal.json_parts import Json
    from reports.model.head import Head

ATTESTER, REQUESTER, APPROVER = "attester", "waiver-requester", "waiver-approver"

_ROLES = {
    ATTESTER: "States facts that no record shows",
    REQUESTER: "Requests waivers",
    APPROVER: "Approves waivers",
}

_TOOL = identify("tool")


def roles() -> list[Json]:
    """Return the roles that people have."""
    return [{"id": role, "title": title} for role, title in _ROLES.items()]


def party_uuid(name: str) -> str:
    """Return the UUID of a person, by the name that files give."""
    return identify("party", name)


def parties(head: Head) -> list[Json]:
    """Return everybody who attests something, or requests or approves a waiver."""
    return [
        {"uuid": party_uuid(name), "type": "person", "name": value(name) or EMPTY}
        for name in dict.fromkeys(_names(head))
    ]


def _names(head: Head) -> Iterator[str]:
    for attestation in head["attestations"]:
        yield attestation["by"]
    for waiver in head["waivers"]:
        yield waiver["requested_by"]
        if waiver["approved_by"] is not None:
            yield waiver["approved_by"]


def by_party(name: str, role: str) -> list[Json]:
    """Return the origin of what a person stated."""
    return [{"actors": [{"type": "party", "actor-uuid": party_uuid(name), "role-id": role}]}]


def logged_by(name: str, role: str) -> list[Json]:
    """Return the person who did what an entry of a log holds."""
    return [{"party-uuid": party_uuid(name), "role-id": role}]


def origin() -> Json:
    """Return the origin of what the tool judged."""
    return {"actors": [{"type": "tool", "actor-uuid": _TOOL}]}


def by_tool() -> list[Json]:
    """Return the same as a list."""
    return [origin()]


def assets(head: Head) -> Json:
    """Return the tool, with its version, on the platform that an audit needs."""
    tool = head["tool"]
    return {
        "components": [
            {
                "uuid": _TOOL,
                "type": "software",
                "title": line(tool["name"]),
                "description": "Audits customer-managed encryption keys in Astra.",
                "props": [
                    {"name": "version", "value": value(tool["version"]) or EMPTY},
                    *properties({"rules": value(head["criteria"]["hash"])}),
                ],
                "status": {"state": "operational"},
            }
        ],
        "assessment-platforms": [
            {
                "uuid": identify("platform"),
                "title": line(tool["name"]),
                "uses-components": [{"component-uuid": _TOOL}],
            }
        ],
    }
