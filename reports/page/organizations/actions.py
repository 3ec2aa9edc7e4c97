"""The actions of one organization, added up from the lines of its findings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from checks.engine.identity import unescape
from reports.aggregation.actions import Actions
from reports.presentation.selection import open_lines
from reports.record.decoding import decode_finding
from reports.record.layout import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.model.head import ActionEntry
    from reports.page.organizations.lines import OrganizationLines

    ScopeKey = tuple[str, str, str, str]


def actions_of(lines: OrganizationLines, name: str) -> list[ActionEntry]:
    """Return what to do in an organization called ``name``, the most urgent first.

    The head of a fleet lists only the most urgent actions of all organizations. Raises RecordError
    if a line is no finding.
    """
    actions = Actions()
    for places in _spread(lines.population):
        actions.spread.add_places(lines.organization, places)
    for _, _, line in open_lines(lines.findings):
        actions.add(decode_finding(line, FINDINGS))
    return actions.listed({lines.organization: name})


def _spread(population: Iterable[bytes]) -> Iterator[frozenset[ScopeKey]]:
    """Yield the key scopes of each database that is in several."""
    for line in population:
        if line.count(b'"scope":') > 1:
            database = json.loads(line)
            if database["state"] != "terminated":
                yield frozenset(_scope(region["scope"]) for region in database["regions"])


def _scope(path: str) -> ScopeKey:
    organization, kind, provider, region = map(unescape, path.split("/"))
    return organization, kind, provider, region
