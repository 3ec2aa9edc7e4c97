"""What the findings come to: counts, actions, the coverage matrix and the key plan."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.card import Severity, rank
from checks.finding import KNOWN, OPEN, STATUSES, Status
from reports.key_plan import plan_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.finding import Finding
    from checks.group import Gate

MOST_ACTIONS = 1_000
MOST_IDS = 50

Cell = tuple[str, str, str, str]


class _Action:
    """The findings that one step would settle."""

    __slots__ = ("databases", "findings", "ids", "most", "rules", "severity", "statuses")

    def __init__(self) -> None:
        self.severity: Severity = "advisory"
        self.findings = 0
        self.ids: list[str] = []
        self.rules: set[str] = set()
        self.statuses: Counter[str] = Counter()
        self.databases: set[str] = set()
        self.most = 0

    def add(self, finding: Finding) -> None:
        self.findings += 1
        self.rules.add(finding.rule)
        self.statuses[finding.status] += 1
        self.severity = min(self.severity, finding.severity, key=rank)
        if len(self.ids) < MOST_IDS:
            self.ids.append(finding.id)
        if finding.subject.database:
            self.databases.add(finding.subject.database)
        self.most = max(self.most, finding.databases)

    def urgency(self) -> tuple[int, ...]:
        """Return a key that sorts what is most urgent first."""
        count = max(len(self.databases), self.most)
        return rank(self.severity), -self.statuses["fail"], -count, -self.findings


class Tallies:
    """Adds findings up, one by one.

    Attributes:
        by_rule: how many findings there are, by status, rule and severity.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.by_rule: Counter[tuple[Status, str, Severity]] = Counter()
        self._known: Counter[tuple[Status, Severity]] = Counter()
        self._actions: dict[tuple[str, str], _Action] = {}
        self._cells: dict[Cell, dict[str, Any]] = {}
        self._unread: dict[str, set[str]] = {}
        self._reasons: Counter[tuple[str, str, str, str]] = Counter()

    def add(self, finding: Finding) -> None:
        """Count ``finding`` wherever it counts."""
        status, rule = finding.status, finding.rule
        self.by_rule[status, rule, finding.severity] += 1
        if finding.change == KNOWN:
            self._known[status, finding.severity] += 1
        if status in OPEN and finding.action:
            key = (finding.subject.organization, finding.action)
            if key not in self._actions:
                self._actions[key] = _Action()
            self._actions[key].add(finding)
        if finding.reason:
            self._reasons[status, rule, finding.subject.organization, finding.reason] += 1
        if rule in _CELL_OF:
            if finding.subject.region:
                self._take_cell(finding)
            elif status not in {"pass", "not-applicable"}:
                self._unread.setdefault(finding.subject.organization, set()).add(rule)

    @property
    def counts(self) -> Counter[str]:
        """Return how many findings there are of each status."""
        counts: Counter[str] = Counter()
        for (status, _, _), count in self.by_rule.items():
            counts[status] += count
        return counts

    def _take_cell(self, finding: Finding) -> None:
        subject = finding.subject
        key = (subject.organization, subject.type, subject.provider, subject.region)
        state = _CELL_OF[finding.rule].get((finding.status, finding.reason))
        state = state or _CELL_OF[finding.rule].get((finding.status, ""))
        if state is None:
            return
        known = self._cells.get(key)
        if known is None or _CELLS.index(state) < _CELLS.index(known["state"]):
            self._cells[key] = {
                "state": state,
                "finding": finding.id,
                "databases": finding.databases,
                "existing": finding.existing,
                "keys": known["keys"] if known else 0,
            }
        if finding.rule == "CMEK-09":
            self._cells[key]["keys"] += 1

    def stopping(self, gate: Gate) -> Counter[str]:
        """Count the findings that stop a pipeline, by status."""
        stops: Counter[str] = Counter()
        for (status, _, severity), count in self.by_rule.items():
            if gate.stops(status, severity):
                stops[status] += count
        for (status, severity), count in self._known.items():
            if gate.stops(status, severity) and not gate.stops(status, severity, KNOWN):
                stops[status] -= count
        return stops

    @property
    def action_count(self) -> int:
        """Return how many actions there are."""
        return len(self._actions)

    def actions(self, names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the most urgent actions first, at most ``MOST_ACTIONS``."""
        ordered = sorted(self._actions.items(), key=lambda item: (item[1].urgency(), item[0]))
        return [_action(key, action, names) for key, action in ordered[:MOST_ACTIONS]]

    def coverage(self, names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the matrix: each organization's cells, by type, provider and region."""
        rows: dict[str, list[dict[str, Any]]] = {each: [] for each in names}
        for (organization, kind, provider, region), cell in sorted(self._cells.items()):
            place = {"type": kind, "provider": provider, "region": region}
            rows.setdefault(organization, []).append({**place, **cell})
        return [
            {"organization": each, "name": names.get(each, each), "cells": cells}
            for each, cells in rows.items()
        ]

    def key_plan(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Return how many keys are needed, registered, missing and idle, which, and what to do."""
        return plan_keys(self.coverage(names), self._unread)

    def not_evaluated(self) -> list[dict[str, Any]]:
        """Return what was not judged, counted by status, rule, organization and reason."""
        fields = ("status", "rule", "organization", "reason")
        ordered = sorted(
            self._reasons.items(), key=lambda item: (STATUSES.index(item[0][0]), item[0])
        )
        return [{**dict(zip(fields, key, strict=True)), "count": count} for key, count in ordered]


_CELLS = ("missing", "undetermined", "covered", "idle", "not-supported", "astra-provided", "spare")
"""The states of a cell; where two findings tell different ones, the earlier is shown."""

_CELL_OF: dict[str, dict[tuple[str, str], str]] = {
    "CMEK-01": {
        ("pass", ""): "covered",
        ("fail", ""): "missing",
        ("waived", ""): "missing",
        ("inconclusive", ""): "undetermined",
        ("not-applicable", "astra-provided"): "astra-provided",
        ("not-applicable", "unsupported-combination"): "not-supported",
    },
    "CMEK-09": {
        ("fail", ""): "idle",
        ("waived", ""): "idle",
        ("inconclusive", ""): "spare",
        ("pass", ""): "spare",
    },
}


def _action(key: tuple[str, str], action: _Action, names: Mapping[str, str]) -> dict[str, Any]:
    organization, text = key
    return {
        "text": text,
        "organization": organization,
        "name": names.get(organization, organization),
        "severity": action.severity,
        "settles": action.findings,
        "databases": max(len(action.databases), action.most),
        "statuses": {status: action.statuses[status] for status in sorted(action.statuses)},
        "rules": sorted(action.rules),
        "findings": action.ids,
    }
