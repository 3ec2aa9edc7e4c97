"""The head of a record, reduced to one organization: what its own page is made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from checks.engine.card import SEVERITIES
from checks.engine.finding import OPEN, STATUSES
from checks.engine.identity import unescape
from reports.model.key_plan import NUMBERS
from reports.presentation.selection import line_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from checks.engine.card import Severity
    from checks.engine.finding import Status
    from reports.model.head import ActionEntry, Head, RuleEntry, WaiverEntry
    from reports.model.key_plan import KeyPlan
    from reports.model.population_summary import OrganizationEntry, PopulationSummary


R = TypeVar("R")


class Tally(NamedTuple):
    """The findings of one organization, counted.

    Attributes:
        by_rule: by status and rule.
        open: the open ones, by severity.
    """

    by_rule: Counter[tuple[Status, str]]
    open: Counter[Severity]

    def by_status(self) -> dict[Status, int]:
        """Return how many findings there are of each status, all of them named."""
        counts: Counter[Status] = Counter()
        for (status, _), count in self.by_rule.items():
            counts[status] += count
        return {status: counts[status] for status in STATUSES}


class HeadIndex:
    """The blocks of a head by organization, so that each page takes its own without a search.

    Attributes:
        head: the whole head.
    """

    def __init__(self, head: Head) -> None:
        """Index ``head``, the head of a whole record."""
        self.head = head
        self._rows = {row["organization"]: row for row in head["coverage"]}
        self._plans = {row["organization"]: row for row in head["key_plan"]["organizations"]}
        self._entries = {row["id"]: row for row in head["population"]["organizations"]}
        self._not_evaluated = _by_organization(head["not_evaluated"], itemgetter("organization"))
        self._waivers = _by_organization(head["waivers"], _organization_of_waiver)
        self._attestations = _by_organization(head["attestations"], itemgetter("organization_id"))
        lists = cast("Mapping[str, list[dict[str, str]]]", head["key_plan"]["lists"])
        self._lists = {
            name: _by_organization(rows, itemgetter("organization")) for name, rows in lists.items()
        }

    def name(self, organization: str) -> str:
        """Return the name of an organization; raise LookupError if the audit does not have it."""
        return self._entries[organization]["name"]

    def head_of(
        self, organization: str, lines: Iterable[bytes], actions: Sequence[ActionEntry]
    ) -> Head:
        """Return the head of an ``organization`` with the ``lines`` of its findings.

        What is about the run, the criteria and the files of the record stays as it is.
        """
        head, entry, tally = self.head, self._entries[organization], count(lines)
        counts = tally.by_status()
        reduced = {
            **head,
            "counts": counts,
            "open": {severity: tally.open[severity] for severity in SEVERITIES},
            "population": _population(head["population"], entry),
            "criteria": {
                **head["criteria"],
                "rules": [_rule(rule, tally) for rule in head["criteria"]["rules"]],
            },
            "actions": list(actions),
            "actions_total": len(actions),
            "coverage": [self._rows[organization]] if organization in self._rows else [],
            "key_plan": self._key_plan(organization),
            "changes": None,
            "trend": [],
            "not_evaluated": self._not_evaluated.get(organization, []),
            "waivers": self._waivers.get(organization, []),
            "attestations": self._attestations.get(organization, []),
            "findings": {**head["findings"], "count": sum(counts.values())},
        }
        if "protection" in head:
            reduced["protection"] = self._rows[organization]["protection"]
        if "evidence_kinds" in head:
            # How many of the passes rest on what is counted for the whole audit only.
            own = {**head["evidence_kinds"], "databases": self._rows[organization]["proven_by"]}
            reduced["evidence_kinds"] = own
        return cast("Head", reduced)

    def _key_plan(self, organization: str) -> KeyPlan:
        plan, own = self.head["key_plan"], self._plans.get(organization)
        numbers = {name: cast("dict[str, int]", own or {}).get(name, 0) for name in NUMBERS}
        lists = {name: rows.get(organization, []) for name, rows in self._lists.items()}
        reduced = {**plan, **numbers, "organizations": [own] if own else [], "lists": lists}
        return cast("KeyPlan", {**reduced, "steps": []})


def count(lines: Iterable[bytes]) -> Tally:
    """Count findings by the begin of their lines, which has status, rule and severity."""
    tally = Tally(Counter(), Counter())
    for line in lines:
        status, rule, severity = line_fields(line)
        tally.by_rule[cast("Status", status), rule] += 1
        if status in OPEN:
            tally.open[cast("Severity", severity)] += 1
    return tally


def _rule(rule: RuleEntry, tally: Tally) -> RuleEntry:
    counts = {status: tally.by_rule[status, rule["id"]] for status in STATUSES}
    return {**rule, "counts": counts}


def _population(population: PopulationSummary, entry: OrganizationEntry) -> PopulationSummary:
    """Return the population of one organization, with every source that the audit read."""
    return {
        "sources": population["sources"],
        "organizations": [entry],
        "totals": {
            "organizations": 1,
            "keys": entry["keys"] or 0,
            "planned_keys": entry["planned_keys"],
            "existing": entry["existing"] or 0,
            "planned": entry["planned"] or 0,
            "terminated": entry["terminated"] or 0,
        },
    }


def _by_organization(rows: Iterable[R], organization_of: Callable[[R], str]) -> dict[str, list[R]]:
    groups: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        groups[organization_of(row)].append(row)
    return groups


def _organization_of_waiver(waiver: WaiverEntry) -> str:
    """Return the organization that a waiver is about, by the path of its subject."""
    return unescape(waiver["subject"].partition("/")[0])
