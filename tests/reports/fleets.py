"""A fleet just large enough for pages of single organizations, with every kind of these."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from checks.engine.finding import NOT_COMPLYING
from reports.page.organizations.links import page_name
from reports.presentation.selection import PageLimits
from tests.reports.samples import (
    HOSTILE,
    VIOLATIONS,
    Page,
    audit,
    database,
    key,
    organization,
    waiver,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reports.samples import Entry, Report


def _failing(identity: str, number: int, **more: object) -> Entry:
    """Return an organization with a key too few."""
    keys = [key("us-east-2", number)]
    return organization(
        identity, keys, [database("orders", "us-east-2", "eu-west-1", id=identity)], **more
    )


def _calm(identity: str, number: int) -> Entry:
    only = [database("orders", "us-east-2", id=identity)]
    return organization(identity, [key("us-east-2", number)], only)


IDLE = {**_calm("idle", 901)}
IDLE["keys"] = [*IDLE["keys"], key("eu-west-1", 902)]
"""An organization of which nothing is open but an advisory: a key that no database uses."""

ACCEPTED = _calm("accepted", 903)
ACCEPTED["plan"] = {**ACCEPTED["plan"], "paid": False}
"""An organization of which nothing is open, and one failure is waived."""

FLEET_WAIVERS = [waiver("W-plan", "CMEK-08", "accepted", "unpaid")]

BROAD = organization(
    "broad", [], [database("orders", *(f"r{number}" for number in range(70)), id="broad")]
)
"""An organization with more open findings than the index of a fleet lists."""

OPEN = [
    *VIOLATIONS,
    *HOSTILE,
    _failing("twin-1", 904, name="twin"),
    _failing("twin-2", 905, name="twin"),
    _failing("twin", 906, name="Named as the id of another is"),
    BROAD,
    IDLE,
    ACCEPTED,
]
"""The organizations of which something is open or waived."""

CALM = [_calm(f"calm-{number:03}", 1_000 + number) for number in range(PageLimits().fleet)]
"""So many others that the whole is a fleet."""

FLEET = [*CALM[:60], *OPEN, *CALM[60:]]


LEAN_FLEET = [*CALM, *(_failing(f"failing-{number}", 910 + number) for number in range(3))]
"""A fleet with three pages, and little on its index."""


def audit_fleet(folder: Path) -> Report:
    return audit(folder, FLEET, FLEET_WAIVERS)


def not_complying(report: Report) -> dict[str, set[str]]:
    """Return the ids of the findings that are open or waived, by organization."""
    found: dict[str, set[str]] = defaultdict(set)
    for finding in map(json.loads, report.lines):
        if finding["status"] in NOT_COMPLYING:
            found[finding["subject"]["organization"]].add(finding["id"])
    return found


def page_names(report: Report) -> dict[str, str]:
    """Return the name that the page of each organization would have, by the organization's id."""
    entries = report.head["population"]["organizations"]
    return {entry["id"]: page_name(entry["id"], entry["name"]) for entry in entries}


def dead_links(file: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no place in one."""
    links = dict.fromkeys(Page(file.read_text(encoding="utf-8")).values("href", "a"))
    return [link for link in links if not _leads(file, link)]


def _leads(file: Path, link: str) -> bool:
    address, _, anchor = link.partition("#")
    target = file.parent / address if address else file
    if link.startswith("https://"):
        return True
    anchor = anchor.partition("?")[0]
    return target.is_file() and (not anchor or anchor in _anchors(target.resolve()))


@cache
def _anchors(file: Path) -> frozenset[str]:
    return frozenset(Page(file.read_text(encoding="utf-8")).values("id"))
