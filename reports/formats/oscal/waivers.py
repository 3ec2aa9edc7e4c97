"""Waivers: each as an observation, and its life as entries of the log of a risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.formats.oscal.identifiers import identify
from reports.formats.oscal.json_parts import filled, properties
from reports.formats.oscal.parties import APPROVER, REQUESTER, by_party, logged_by
from reports.formats.oscal.texts import block, first_second, last_second, line, value
from reports.presentation.labels import WAIVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.waivers import State
    from reports.formats.oscal.back_matter import CitedFiles
    from reports.formats.oscal.json_parts import Json
    from reports.model.head import Head, WaiverEntry

EFFECTIVE: frozenset[State] = frozenset({"active", "expiring"})
"""The states of a waiver that covers a failure now."""

_CHANGES: dict[State, tuple[str, ...]] = {
    "requested": ("deviation-requested",),
    "active": ("deviation-requested", "deviation-approved"),
    "expiring": ("deviation-requested", "deviation-approved"),
    "expired": ("deviation-requested", "deviation-approved", "open"),
}
"""Which status each entry gives to the risk; a waiver of any other state changes none."""


def waiver_uuid(report: str, waiver: str) -> str:
    """Return the UUID of the observation of a waiver, by its id, in one audit."""
    return identify("waiver", report, waiver)


def waiver_observations(head: Head, files: CitedFiles) -> Iterator[Json]:
    """Yield an observation for each waiver, with what became of it."""
    as_of = head["settings"]["as_of"]
    for waiver in head["waivers"]:
        yield _waiver(waiver, waiver_uuid(head["report"], waiver["id"]), files, as_of)


def _waiver(waiver: WaiverEntry, uuid: str, files: CitedFiles, as_of: str) -> Json:
    label = WAIVER[waiver["state"]]
    href = files.cite(waiver["file"])
    evidence = [{"href": href, "description": f"Line {waiver['line']}"}] if href else []
    approver, approved_on = waiver["approved_by"], waiver["approved_on"]
    origins = by_party(waiver["requested_by"], REQUESTER)
    return filled(
        {
            "uuid": uuid,
            "title": line(f"Waiver {waiver['id']}, {label.word}: {waiver['rule']}"),
            "description": block(waiver["reason"]),
            "props": properties(_waived_facts(waiver)),
            "methods": ["EXAMINE"],
            "types": [_type(waiver["state"])],
            "origins": [*origins, *(by_party(approver, APPROVER) if approver else [])],
            "relevant-evidence": evidence,
            "collected": first_second(approved_on or waiver["requested_on"]) or as_of,
            "expires": last_second(waiver["expires_on"]),
            "remarks": f"{label.meaning}\n\nInstead: {block(waiver['compensating_control'])}",
        }
    )


def _type(state: State) -> str:
    if state in EFFECTIVE:
        return "mitigation"
    return "historic" if state == "expired" else "discovery"


def _waived_facts(waiver: WaiverEntry) -> Json:
    return {
        "waiver": value(waiver["id"]),
        "state": waiver["state"],
        "rule": value(waiver["rule"]),
        "subject": value(waiver["subject"]),
        "cause": value(waiver["cause"]),
        "ticket": value(waiver["ticket"]),
    }


# --- the log of a risk ----------------------------------------------------------------------------


def log_waiver(finding: str, waiver: WaiverEntry, as_of: str) -> list[Json]:
    """Return the entries on the ``waiver`` of a ``finding``, which is given by its id.

    An entry needs a time: ``as_of`` is that of a day that OSCAL has no time for.
    """
    entries = [_requested(waiver), *_approved(waiver), *_expired(waiver)]
    changes = iter(_CHANGES.get(waiver["state"], ()))
    return [
        filled(
            {
                "uuid": identify("log", finding, waiver["id"], str(place)),
                **entry,
                "start": entry["start"] or as_of,
                "props": properties({"waiver": value(waiver["id"]), "state": waiver["state"]}),
                "status-change": next(changes, ""),
            }
        )
        for place, entry in enumerate(entries)
    ]


def _requested(waiver: WaiverEntry) -> Json:
    return {
        "title": line(f"Waiver {waiver['id']} requested"),
        "description": f"{block(waiver['reason'])}\n\nTicket: {line(waiver['ticket'])}",
        "start": first_second(waiver["requested_on"]),
        "logged-by": logged_by(waiver["requested_by"], REQUESTER),
    }


def _approved(waiver: WaiverEntry) -> list[Json]:
    if waiver["approved_by"] is None or waiver["approved_on"] is None:
        return []
    until = f"It covers the failure through {waiver['expires_on']}."
    early = "It covers nothing before its first day."
    return [
        {
            "title": line(f"Waiver {waiver['id']} approved"),
            "description": line(early if waiver["state"] == "not-yet-valid" else until),
            "start": first_second(waiver["approved_on"]),
            "logged-by": logged_by(waiver["approved_by"], APPROVER),
        }
    ]


def _expired(waiver: WaiverEntry) -> list[Json]:
    if waiver["state"] != "expired":
        return []
    return [
        {
            "title": line(f"Waiver {waiver['id']} expired"),
            "description": "It covers nothing since.",
            "start": last_second(waiver["expires_on"]),
        }
    ]
