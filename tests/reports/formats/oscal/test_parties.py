"""Who acted: people with their roles, and the tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.formats.oscal.parties import (
    APPROVER,
    ATTESTER,
    REQUESTER,
    assets,
    by_party,
    by_tool,
    logged_by,
    parties,
    party_uuid,
    roles,
)
from tests.builders import an_organization
from tests.reports.oscal_reading import property_of
from tests.reports.recording import record
from tests.reports.waiving import a_request, a_waiver

if TYPE_CHECKING:
    from pathlib import Path


def test_everybody_who_stated_something_is_a_party(tmp_path: Path) -> None:
    """Who attests, requests or approves is a person of the document, and each only once."""
    plan = {"paid": True, "by": "Ines Okafor", "on": "2026-11-01"}
    waivers = [(a_waiver(), "active"), (a_request(id="W-2", requested_by="Eve\u202e"), "requested")]
    made = record(tmp_path, [], [an_organization(plan=plan)], waivers=waivers)  # type: ignore[arg-type]
    people = parties(made.head)
    assert people == [
        {"uuid": party_uuid(name), "type": "person", "name": shown}
        for name, shown in (
            ("Ines Okafor", "Ines Okafor"),
            ("Dana Reyes", "Dana Reyes"),
            ("Eve\u202e", "Eve(U+202E)"),
        )
    ]


def test_actors_have_roles_that_exist() -> None:
    """Who stated something has one of the document's roles."""
    assert {role["id"] for role in roles()} == {ATTESTER, REQUESTER, APPROVER}
    actor = {"type": "party", "actor-uuid": party_uuid("Ada"), "role-id": ATTESTER}
    assert by_party("Ada", ATTESTER) == [{"actors": [actor]}]
    assert logged_by("Ada", APPROVER) == [{"party-uuid": party_uuid("Ada"), "role-id": APPROVER}]


def test_the_tool_is_an_asset(tmp_path: Path) -> None:
    """What judged is a component with its version, and with the hash of the rules."""
    head = record(tmp_path).head
    shown: Any = assets(head)
    (tool,) = shown["components"]
    assert property_of(tool, "version") == "1.2.3"
    assert property_of(tool, "rules") == head["criteria"]["hash"]
    assert by_tool() == [{"actors": [{"type": "tool", "actor-uuid": tool["uuid"]}]}]
