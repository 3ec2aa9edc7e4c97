"""What a report says of waivers that somebody has to see to before long."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from inventory.text.display import pluralize

if TYPE_CHECKING:
    from reports.model.head import Head, WaiverEntry

URGENT = ("expiring", "expired", "requested")
"""The states that ask for somebody, the most urgent first."""


def urgent_waivers(head: Head) -> list[WaiverEntry]:
    """Return the waivers that ask for somebody: by their state, and then by their last day."""
    asking = [waiver for waiver in head["waivers"] if waiver["state"] in URGENT]
    return sorted(asking, key=lambda each: (URGENT.index(each["state"]), each["expires_on"]))


def days_left(waiver: WaiverEntry, as_of: str) -> str:
    """Say how long a waiver still counts, or since when it does not, as of the time ``as_of``."""
    if waiver["state"] == "requested":
        return f"awaits approval since {waiver['requested_on']}, and covers nothing"
    last = date.fromisoformat(waiver["expires_on"])
    return f"{_distance((last - date.fromisoformat(as_of[:10])).days)}, on {last}"


def _distance(days: int) -> str:
    if days == 0:
        return "expires today"
    far = pluralize(abs(days), "day")
    return f"expires in {far}" if days > 0 else f"expired {far} ago"


def notice(waiver: WaiverEntry, as_of: str) -> str:
    """Render a waiver in one line: what is due, and which failure it is about."""
    return f"Waiver {waiver['id']} {days_left(waiver, as_of)}: {waiver['rule']} {waiver['subject']}"
