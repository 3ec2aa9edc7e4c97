"""The waivers that need attention soon: they expire, have expired, or await approval."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from inventory.text.display import pluralize

if TYPE_CHECKING:
    from reports.model.head import Head, WaiverEntry

URGENT = ("expiring", "expired", "requested")
"""The states that need attention, the most urgent first."""


def urgent_waivers(head: Head) -> list[WaiverEntry]:
    """Return the waivers that need attention, sorted by state and then by last day."""
    urgent = [waiver for waiver in head["waivers"] if waiver["state"] in URGENT]
    return sorted(urgent, key=lambda waiver: (URGENT.index(waiver["state"]), waiver["expires_on"]))


def days_left(waiver: WaiverEntry, as_of: str) -> str:
    """Return how long a waiver is still valid, or since when it is not, as of ``as_of``."""
    if waiver["state"] == "requested":
        return f"has awaited approval since {waiver['requested_on']} and covers nothing"
    last = date.fromisoformat(waiver["expires_on"])
    return f"{_distance((last - date.fromisoformat(as_of[:10])).days)}, on {last}"


def _distance(days: int) -> str:
    if days == 0:
        return "expires today"
    distance = pluralize(abs(days), "day")
    return f"expires in {distance}" if days > 0 else f"expired {distance} ago"


def notice(waiver: WaiverEntry, as_of: str) -> str:
    """Render a waiver in one line: what is due, and which failure it is about."""
    return f"Waiver {waiver['id']} {days_left(waiver, as_of)}: {waiver['rule']} {waiver['subject']}"
