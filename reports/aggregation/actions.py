"""Actions: the findings that one step resolves, and the order of the steps."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Any

from checks.engine.action_catalogue import action_kinds
from checks.engine.actions import PURPOSES, ActionKind, Purpose, code_of
from checks.engine.card import Severity, rank
from checks.engine.finding import OPEN
from checks.engine.identity import PLANNED, reason_of
from checks.shared.remedies import sentence_for_all
from inventory.database_lines.database_list import select
from reports.aggregation.coverage_states import NEEDED
from reports.aggregation.id_set import IdSet, count_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from checks.engine.finding import Finding, Status
    from inventory.model.organization import Organization
    from reports.model.head import ActionEntry

    ScopeKey = tuple[str, str, str, str]
    _GroupKey = tuple[str, str, Purpose]

MOST_ACTIONS = 1_000
MOST_IDS = 50
MOST_NAMES = 20

_WITHOUT_KEY = "without-key"
"""The cause of which the repair takes two steps: register the key, then recreate what exists."""


class Spread:
    """In which key scopes databases of several regions are, so that none is counted twice."""

    def __init__(self) -> None:
        """Start with none."""
        self._scopes: dict[str, Counter[frozenset[ScopeKey]]] = {}

    def add(self, organization: Organization) -> None:
        """Remember the databases of ``organization`` that are in several key scopes."""
        for database in select(organization.databases, lambda database: len(database.regions) > 1):
            if not database.is_terminated:
                kind, provider = database.type, database.provider
                places = frozenset(
                    (organization.id, kind, region.provider or provider, region.name)
                    for region in database.regions
                )
                self.add_places(organization.id, places)

    def add_places(self, organization: str, places: frozenset[ScopeKey]) -> None:
        """Remember a database of ``organization`` that is in several key scopes."""
        self._scopes.setdefault(organization, Counter())[places] += 1

    def merge(self, other: Spread) -> None:
        """Add what ``other`` remembers."""
        for organization, places in other._scopes.items():
            self._scopes.setdefault(organization, Counter()).update(places)

    def repeated(self, scopes: Iterable[ScopeKey]) -> int:
        """Return how often a database is counted again if those of ``scopes`` are summed."""
        some = frozenset(scopes)
        owners = {owner for owner, *_ in some}
        return sum(
            count * max(0, len(some & together) - 1)
            for owner in owners
            for together, count in self._scopes.get(owner, {}).items()
        )


class _Scope:
    """The databases of one key scope that an action concerns: counted, and as far as named."""

    __slots__ = ("existing", "named", "planned")

    def __init__(self) -> None:
        self.existing = self.planned = 0
        self.named = IdSet()

    def add(self, finding: Finding) -> None:
        if finding.subject.database:
            self.named.add(finding.subject.database)
        self.existing = max(self.existing, finding.existing)
        self.planned = max(self.planned, finding.databases - finding.existing)

    def include(self, other: _Scope) -> None:
        self.named.update(other.named)
        self.existing = max(self.existing, other.existing)
        self.planned = max(self.planned, other.planned)

    @property
    def unnamed(self) -> int:
        return max(0, self.existing + self.planned - len(self.named))


class _Action:
    """The findings that one step resolves.

    Attributes:
        sentence: the step, as one of its findings states it.
        names: the first names of the databases that it concerns, sorted: as many as are shown,
            and one more, as one of them may be empty.
        elsewhere: the ids of databases that no scope of it counts.
        is_in_time: whether a failure concerns what is only planned, so that it can be prevented.
    """

    __slots__ = (
        "causes",
        "elsewhere",
        "findings",
        "ids",
        "is_in_time",
        "most",
        "names",
        "organization",
        "rules",
        "scopes",
        "sentence",
        "severity",
    )

    def __init__(self, organization: str, sentence: str) -> None:
        self.organization, self.sentence = organization, sentence
        self.names: list[str] = []
        self.severity: Severity = "advisory"
        self.findings: Counter[Status] = Counter()
        self.ids: list[str] = []
        self.rules: set[str] = set()
        self.causes: set[str] = set()
        self.scopes: dict[ScopeKey, _Scope] = {}
        self.elsewhere = IdSet()
        self.most = 0
        self.is_in_time = False

    def add(self, finding: Finding) -> None:
        subject = finding.subject
        # The same one in any order of findings, whose sentences may differ in names.
        self.sentence = min(self.sentence, finding.action)
        self.rules.add(finding.rule)
        self.causes.add(reason_of(finding.cause))
        self.findings[finding.status] += 1
        self.severity = min(self.severity, finding.severity, key=rank)
        if len(self.ids) < MOST_IDS:
            self.ids.append(finding.id)
        if subject.database:
            _insert(self.names, finding.name)
        self.most = max(self.most, finding.databases)
        if finding.status == "fail" and not self.is_in_time:
            self.is_in_time = _can_be_prevented(finding)
        if subject.region and finding.databases:
            place = subject.organization, subject.type, subject.provider, subject.region
            if place not in self.scopes:
                self.scopes[place] = _Scope()
            self.scopes[place].add(finding)
        elif subject.database:
            self.elsewhere.add(subject.database)

    def pack(self) -> None:
        """Take little memory, until another finding comes."""
        for ids in self._ids():
            ids.pack()

    def _ids(self) -> Iterator[IdSet]:
        yield from (scope.named for scope in self.scopes.values())
        yield self.elsewhere

    def merge(self, other: _Action) -> None:
        """Add all findings of ``other``, which came after those of this one."""
        self.include(other)
        self.sentence = min(self.sentence, other.sentence)
        self.rules |= other.rules
        self.causes |= other.causes
        for name in other.names:
            _insert(self.names, name)
        self.findings.update(other.findings)
        self.severity = min(self.severity, other.severity, key=rank)
        self.ids = [*self.ids, *other.ids][:MOST_IDS]
        self.is_in_time |= other.is_in_time

    def include(self, other: _Action) -> None:
        """Add the databases of ``other``, and nothing else of it."""
        self.elsewhere.update(other.elsewhere)
        self.most = max(self.most, other.most)
        for place, scope in other.scopes.items():
            self.scopes.setdefault(place, _Scope()).include(scope)

    def databases(self, spread: Spread) -> int:
        """Return how many different databases the findings concern.

        Some findings name a database, others count those of a key scope. What is counted and not
        named is summed over the scopes, less what is in several of them.
        """
        unnamed = sum(scope.unnamed for scope in self.scopes.values())
        located = count_all(scope.named for scope in self.scopes.values())
        counted = located + unnamed - (spread.repeated(self.scopes) if unnamed else 0)
        return max(counted, self.most, count_all(self._ids()))

    def kind(self, action_id: str) -> ActionKind:
        """Return the kind of step; of one that no rule describes, its sentence is the only step."""
        code, steps = code_of(action_id), (f"{self.sentence}.",)
        unknown = ActionKind(code, self.sentence, purpose="repair", who="we", steps=steps)
        return action_kinds().get(code, unknown)

    def purpose(self, action_id: str) -> Purpose:
        """Return what the step is for: a repair in time prevents."""
        purpose = self.kind(action_id).purpose
        return "prevent" if purpose == "repair" and self.is_in_time else purpose

    def urgency(self, purpose: Purpose, spread: Spread) -> tuple[int, ...]:
        """Return a key that sorts what is most urgent first."""
        found, order = self.findings, PURPOSES.index(purpose)
        return rank(self.severity), order, -found["fail"], -self.databases(spread), -found.total()

    @property
    def repair(self) -> ScopeKey | None:
        """Return the key scope of which this is a step of the repair; None if it is of none."""
        is_step = self.causes == {_WITHOUT_KEY} and len(self.scopes) == 1
        return next(iter(self.scopes)) if is_step else None


class Actions:
    """Adds up the findings that ask for an action, by the id of the action."""

    def __init__(self) -> None:
        """Start with none."""
        self.spread = Spread()
        self._actions: dict[str, _Action] = {}
        self._open: dict[str, _Action] = {}

    def add_organization(self, organization: Organization) -> None:
        """Take note of an organization of which findings will come; no more of the one before."""
        for action in self._open.values():
            action.pack()
        self._open.clear()
        self.spread.add(organization)

    def add(self, finding: Finding) -> None:
        """Count ``finding`` if somebody has to act."""
        if finding.status in OPEN and finding.action_id:
            action = self._actions.get(finding.action_id)
            if action is None:
                action = _Action(finding.subject.organization, finding.action)
                self._actions[finding.action_id] = action
            self._open[finding.action_id] = action
            action.add(finding)

    def merge(self, other: Actions) -> None:
        """Add all findings of ``other``, which came after those of this one."""
        self.spread.merge(other.spread)
        for action in other._open.values():
            action.pack()
        for action_id, action in other._actions.items():
            if action_id in self._actions:
                self._actions[action_id].merge(action)
            else:
                self._actions[action_id] = action

    def __len__(self) -> int:
        """Return how many actions there are."""
        return len(self._actions)

    def listed(self, names: Mapping[str, str]) -> list[ActionEntry]:
        """Return the most urgent actions first, at most ``MOST_ACTIONS``, in whole groups.

        What prevents is listed before what repairs, and that before what proves, if their
        severities are equal. A key is registered before what it is to encrypt is recreated, so
        that the first step is as urgent as what waits for it.
        """
        purposes = {key: action.purpose(key) for key, action in self._actions.items()}
        urgencies = {
            key: action.urgency(purposes[key], self.spread) for key, action in self._actions.items()
        }
        together: dict[ScopeKey, tuple[int, ...]] = {}
        waiting: dict[ScopeKey, set[str]] = {}
        for key, action in self._actions.items():
            if place := action.repair:
                together[place] = min(together.get(place, urgencies[key]), urgencies[key])
                waiting.setdefault(place, set()).update(action.names)

        def order(key: str) -> tuple[Any, ...]:
            action, own = self._actions[key], urgencies[key]
            place, is_first = action.repair or (), NEEDED in action.rules
            urgency = together.get(place, own) if place and is_first else own
            return urgency, place, not is_first, own, action.organization, key

        ordered = self._in_whole_groups(sorted(self._actions, key=order), purposes)
        groups = self._groups(purposes)
        return [self._entry(key, names, purposes[key], groups, waiting) for key in ordered]

    def _in_whole_groups(
        self, ordered: Sequence[str], purposes: Mapping[str, Purpose]
    ) -> list[str]:
        """Return the first actions, at most ``MOST_ACTIONS``, and each group with all of its own.

        Only a group that is larger than that alone is cut.
        """
        group_of = {key: _group(key, self._actions[key], purposes[key]) for key in ordered}
        sizes, room = Counter(group_of.values()), MOST_ACTIONS
        kept: set[_GroupKey] = set()
        for group in dict.fromkeys(group_of.values()):
            if sizes[group] > room and kept:
                break
            kept.add(group)
            room -= sizes[group]
        return [key for key in ordered if group_of[key] in kept][:MOST_ACTIONS]

    def _groups(self, purposes: Mapping[str, Purpose]) -> dict[_GroupKey, int]:
        """Return how many different databases the actions of one group concern together."""
        members: dict[_GroupKey, list[_Action]] = {}
        for key, action in self._actions.items():
            members.setdefault(_group(key, action, purposes[key]), []).append(action)
        return {group: self._together(actions) for group, actions in members.items()}

    def _together(self, actions: list[_Action]) -> int:
        if len(actions) == 1:
            return actions[0].databases(self.spread)
        every = _Action("", "")
        for action in actions:
            every.include(action)
        return every.databases(self.spread)

    def _entry(
        self,
        key: str,
        names: Mapping[str, str],
        purpose: Purpose,
        groups: Mapping[_GroupKey, int],
        waiting: Mapping[ScopeKey, set[str]],
    ) -> ActionEntry:
        action = self._actions[key]
        databases, kind = action.databases(self.spread), action.kind(key)
        # A missing key names no existing database: those are named by what waits for the key.
        concerned = {*action.names, *(waiting.get(action.repair, ()) if action.repair else ())}
        return {
            "id": key,
            "text": sentence_for_all(key, action.sentence, databases, action.names),
            "purpose": purpose,
            "who": kind.who,
            "steps": list(kind.steps),
            "organization": action.organization,
            "name": names.get(action.organization, action.organization),
            "severity": action.severity,
            "resolves": action.findings.total(),
            "databases": databases,
            "group_databases": groups[_group(key, action, purpose)],
            "names": sorted(filter(None, concerned))[:MOST_NAMES],
            "statuses": {status: action.findings[status] for status in sorted(action.findings)},
            "rules": sorted(action.rules),
            "findings": action.ids,
        }


def _group(action_id: str, action: _Action, purpose: Purpose) -> _GroupKey:
    """Return what is equal for all actions that are listed as one."""
    return action.organization, code_of(action_id), purpose


def _insert(names: list[str], name: str) -> None:
    """Insert ``name`` into the sorted ``names``, unless as many as are kept come before it."""
    if len(names) > MOST_NAMES and name >= names[-1]:
        return
    place = bisect_left(names, name)
    if names[place : place + 1] != [name]:
        names.insert(place, name)
        del names[MOST_NAMES + 1 :]


def _can_be_prevented(finding: Finding) -> bool:
    """Say whether a failure concerns only what is planned: databases, or a key."""
    is_planned = finding.databases > 0 and finding.existing == 0
    return is_planned or finding.cause.startswith(PLANNED)
