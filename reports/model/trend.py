"""The head's list of earlier audits, by which the page shows a trend."""

from __future__ import annotations

from typing import TypedDict

from checks.engine.card import Severity
from checks.engine.finding import Status
from reports.model.outcome import Outcome
from reports.model.protection import Protection

MOST_EARLIER = 11
"""How many earlier audits a record lists; with its own they are twelve."""


class TrendEntry(TypedDict):
    """An audit in numbers; ``protection`` is None if its record does not count databases."""

    report: str
    as_of: str
    outcome: Outcome
    organizations: int
    protection: Protection | None
    open: dict[Severity, int]
    counts: dict[Status, int]
