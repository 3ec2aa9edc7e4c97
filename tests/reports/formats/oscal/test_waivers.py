"""Waivers as observations and as logs of risks: every state has its place and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from checks.engine.waivers import State
from reports.formats.oscal.back_matter import CitedFiles
from reports.formats.oscal.parties import APPROVER, REQUESTER, by_party, logged_by
from reports.formats.oscal.waivers import log_waiver, waiver_observations, waiver_uuid
from tests.reports.oscal_reading import property_of
from tests.reports.recording import record
from tests.reports.waiving import a_request, a_waiver

if TYPE_CHECKING:
    from pathlib import Path

    from checks.engine.waivers import Waiver
    from reports.formats.oscal.json_parts import Json

_TYPES = {
    "active": "mitigation",
    "expiring": "mitigation",
    "expired": "historic",
    "not-yet-valid": "discovery",
    "unused": "discovery",
    "unmatched": "discovery",
    "requested": "discovery",
}
_CHANGES = {
    "active": ["deviation-requested", "deviation-approved"],
    "expiring": ["deviation-requested", "deviation-approved"],
    "expired": ["deviation-requested", "deviation-approved", "open"],
    "not-yet-valid": [None, None],
    "unused": [None, None],
    "unmatched": [None, None],
    "requested": ["deviation-requested"],
}


def _waiver(state: State) -> Waiver:
    return a_request() if state == "requested" else a_waiver()


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_is_an_observation(tmp_path: Path, state: State) -> None:
    """A waiver of any state is an observation; only one that covers a failure is a mitigation."""
    head = record(tmp_path, waivers=[(_waiver(state), state)]).head
    (shown,) = waiver_observations(head, CitedFiles(head))
    assert (shown["types"], property_of(shown, "state")) == ([_TYPES[state]], state)


def test_a_waiver_has_its_facts(tmp_path: Path) -> None:
    """A waiver names what it covers, who requested and approved it, its file and its last day."""
    waiver = a_waiver()
    head = record(tmp_path, waivers=[(waiver, "active")]).head
    files = CitedFiles(head)
    (shown,) = waiver_observations(head, files)
    facts = {"waiver": "W-1", "rule": "CMEK-01", "subject": waiver.subject}
    facts |= {"cause": "without-key", "ticket": "SEC-1", "state": "active"}
    assert {name: property_of(shown, name) for name in facts} == facts
    assert {name: field for name, field in shown.items() if name != "props"} == {
        "uuid": waiver_uuid(head["report"], "W-1"),
        "title": "Waiver W-1, active: CMEK-01",
        "description": "A pilot.\n\nIt ends soon.",
        "methods": ["EXAMINE"],
        "types": ["mitigation"],
        "origins": [*by_party("Ines Okafor", REQUESTER), *by_party("Dana Reyes", APPROVER)],
        "relevant-evidence": [{"href": files.cite("waivers.yaml"), "description": "Line 4"}],
        "collected": "2026-09-02T00:00:00Z",
        "expires": "2027-03-01T23:59:59Z",
        "remarks": "Covers a failure of this audit.\n\nInstead: The application encrypts.",
    }


def test_a_request_has_no_approver(tmp_path: Path) -> None:
    """A waiver that is only requested has one origin, and the day of the request."""
    head = record(tmp_path, waivers=[(a_request(file=""), "requested")]).head
    (shown,) = waiver_observations(head, CitedFiles(head))
    assert shown["origins"] == by_party("Ines Okafor", REQUESTER)
    assert shown["collected"] == "2026-09-01T00:00:00Z"
    assert "relevant-evidence" not in shown


@pytest.mark.parametrize("state", get_args(State))
def test_a_log_changes_only_what_counts(tmp_path: Path, state: State) -> None:
    """The log of a risk says what became of its waiver; one that covers nothing changes nothing."""
    head = record(tmp_path, waivers=[(_waiver(state), state)]).head
    entries: list[Json] = log_waiver("f", head["waivers"][0], head["settings"]["as_of"])
    assert [entry.get("status-change") for entry in entries] == _CHANGES[state]
    assert {property_of(entry, "state") for entry in entries} == {state}
    assert len({str(entry["uuid"]) for entry in entries}) == len(entries)


def test_a_log_names_who_and_when(tmp_path: Path) -> None:
    """Each entry has its day and, where somebody acted, that person."""
    head = record(tmp_path, waivers=[(a_waiver(expires_on="2026-10-01"), "expired")]).head
    entries = log_waiver("f", head["waivers"][0], head["settings"]["as_of"])
    assert [(entry["title"], entry["start"], entry.get("logged-by")) for entry in entries] == [
        ("Waiver W-1 requested", "2026-09-01T00:00:00Z", logged_by("Ines Okafor", REQUESTER)),
        ("Waiver W-1 approved", "2026-09-02T00:00:00Z", logged_by("Dana Reyes", APPROVER)),
        ("Waiver W-1 expired", "2026-10-01T23:59:59Z", None),
    ]
    assert entries[0]["description"] == "A pilot.\n\nIt ends soon.\n\nTicket: SEC-1"


def test_a_day_before_all_times_is_that_of_the_audit(tmp_path: Path) -> None:
    """An entry always has a time, even where OSCAL has none for its day."""
    request = a_request(requested_on="0001-01-01")
    head = record(tmp_path, waivers=[(request, "requested")]).head
    (entry,) = log_waiver("f", head["waivers"][0], head["settings"]["as_of"])
    assert entry["start"] == head["settings"]["as_of"]
