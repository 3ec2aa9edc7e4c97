"""The coverage of key scopes: what is known of the key of each, by the findings located there.

A cell never looks better than the worst finding it stands for. It is ``covered`` only if findings
prove that its key is there, serves no other scope, came before every database, has the right id and
is usable, and if nothing above an advisory is open or waived in the scope.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, cast

from checks.engine.catalogue import rule_of, rules_of
from checks.engine.finding import COMPLYING, NOT_COMPLYING, OPEN, Status
from inventory.model.key_ids import parse_key_id
from reports.aggregation.worst_finding import Worst, worse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checks.engine.finding import Finding
    from inventory.model.vocabulary import DatabaseType, Provider
    from reports.model.key_plan import CoverageCell, CoverageRow, Reason

    Place = tuple[DatabaseType, Provider, str]

NEEDED = rule_of("key-needed")
"""The rule that says whether a key scope needs a key, and whether one is registered."""

UNUSED = rule_of("key-used")
"""The rule that judges every registered key by whether it has a database to encrypt."""

COMPLETE = rule_of("population")
"""The rule that says whether an organization was read in full, and lately."""

ORDER = rule_of("key-first")
"""The rule that says of each database whether its key came first."""

PROOFS = rules_of("proof")
"""The rules that must pass in a scope: its key is there, its own, first, the right one, usable."""

STATES = (
    "missing",
    "shared",
    "failing",
    "undetermined",
    "unproven",
    "waived",
    "covered",
    "unused",
    "unsupported",
    "astra-provided",
    "spare",
    "in-question",
)
"""The states of a cell; where two findings say different ones, the earlier is shown."""

WITH_DATABASES = ("missing", "undetermined", "shared", "failing", "unproven", "waived", "covered")
"""The states of a key scope that needs a key."""

_RIGHT_ID = rule_of("key-id")
_LEFT_OUT = "clouds-left-out"
_DOUBTING = frozenset({*PROOFS, COMPLETE})
_BASIS: dict[str, dict[tuple[str, str], str]] = {
    NEEDED: {
        ("pass", ""): "covered",
        ("fail", ""): "missing",
        ("waived", ""): "missing",
        ("inconclusive", ""): "undetermined",
        ("inconclusive", "ordered-by-plan"): "missing",
        ("not-applicable", "astra-provided"): "astra-provided",
        ("not-applicable", "unsupported-combination"): "unsupported",
    },
    UNUSED: {
        ("fail", ""): "unused",
        ("waived", ""): "unused",
        ("inconclusive", ""): "spare",
        ("pass", ""): "spare",
    },
}


class WorstFinding(NamedTuple):
    """What a cell says: its state, the finding that it leads to, and why in words."""

    state: str
    finding: Finding
    why: str


class Shared(NamedTuple):
    """One key that is registered for several key scopes, of which only one can call it its own."""

    key: str
    locations: list[Place]


class Keys(NamedTuple):
    """What is known of an organization's keys beyond its single key scopes.

    Attributes:
        registered: how many different keys there are.
        shared: the keys that several scopes share, where it is not known whose own they are.
        unprotected: how many existing databases no customer key encrypts, in any of their regions.
        unread: the rules on keys that could not judge all there is.
    """

    registered: int = 0
    shared: tuple[Shared, ...] = ()
    unprotected: int = 0
    unread: frozenset[str] = frozenset()


class _Scope:
    """What the findings located in one key scope come to."""

    __slots__ = (
        "_worst",
        "advisories",
        "basis",
        "fitting",
        "judged",
        "keys",
        "left_out",
        "needing",
        "planned_keys",
        "state",
        "unprotected",
        "with_key",
    )

    def __init__(self) -> None:
        self.state = "in-question"
        self.basis: Finding | None = None
        self._worst = Worst()
        self.left_out: Finding | None = None
        self.judged: set[str] = set()
        self.keys: set[str] = set()
        self.fitting: set[str] = set()
        self.planned_keys: set[str] = set()
        self.needing, self.with_key = (0, 0), (0, 0)
        self.unprotected = self.advisories = 0

    def add(self, finding: Finding) -> None:
        """Take a finding that is located in the scope; one about a planned key proves nothing."""
        if finding.subject.kind == "planned-key":
            if finding.rule == _RIGHT_ID:
                self.planned_keys.add(finding.name or finding.subject.key)
        else:
            self._take_proof(finding)
        if finding.status in NOT_COMPLYING:
            self._take_failure(finding)

    def _take_proof(self, finding: Finding) -> None:
        """Take what a finding says of the key that is registered here."""
        status, rule = finding.status, finding.rule
        if rule in _BASIS:
            self._take_basis(finding)
        if status in {"pass", "waived"}:
            self.judged.add(rule)
        if status == "pass" and rule == _RIGHT_ID:
            self.fitting.add(_canonical(finding))
        if status in COMPLYING and finding.reason == _LEFT_OUT and rule in PROOFS:
            self.left_out = worse(self.left_out, finding)

    def _take_basis(self, finding: Finding) -> None:
        counts = finding.databases, finding.existing
        if finding.rule == UNUSED:
            self.keys.add(_canonical(finding))
            self.with_key = max(self.with_key, counts)
        else:
            self.needing = self.needing[0] + counts[0], self.needing[1] + counts[1]
        states = _BASIS[finding.rule]
        state = states.get((finding.status, finding.reason)) or states.get((finding.status, ""))
        if state is None or STATES.index(state) > STATES.index(self.state):
            return
        same = state == self.state
        self.state, self.basis = state, worse(self.basis, finding) if same else finding

    def _take_failure(self, finding: Finding) -> None:
        if finding.severity == "advisory":
            self.advisories += finding.status in OPEN
            return
        self._worst.add(finding)
        self.unprotected += _is_unprotected(finding)

    @property
    def worst(self) -> Finding | None:
        """Return the worst that is open or waived here, above an advisory."""
        return self._worst.finding

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many databases are deployed here, and how many of them exist."""
        return self.needing if any(self.needing) else self.with_key

    def assess(self, doubt: Finding | None) -> WorstFinding | None:
        """Return what is known of the scope's key; ``doubt`` is what is open about the whole.

        None if no finding is about a key, and none is open.
        """
        if self.state == "covered" and self.basis:
            return self._assess_registered(self.basis, doubt)
        worst = self.worst or self.basis
        if self.state == "undetermined" and _is_open(doubt):
            worst = worse(worst, doubt)
        return WorstFinding(self.state, worst, worst.message) if worst else None

    def _assess_registered(self, basis: Finding, doubt: Finding | None) -> WorstFinding:
        """Assess a key that is registered, by the worst that is known of it."""
        lacking = [rule for rule in PROOFS if rule not in self.judged]
        if self.worst and self.worst.status in {"error", "fail"}:
            return WorstFinding("failing", self.worst, self.worst.message)
        if still_open := worse(*filter(_is_open, (self.worst, doubt))):
            return WorstFinding("unproven", still_open, still_open.message)
        if self.left_out:
            return WorstFinding("unproven", self.left_out, self.left_out.message)
        if lacking:
            return WorstFinding(
                "unproven", basis, f"Nothing was judged here by {' and '.join(lacking)}."
            )
        if waived := worse(self.worst, doubt):
            return WorstFinding("waived", waived, waived.message)
        return WorstFinding("covered", basis, basis.message)


def _is_unprotected(finding: Finding) -> bool:
    """Say whether a database exists that runs on Astra's keys and should have a customer's.

    A waiver accepts that; it does not encrypt.
    """
    failed = finding.rule == ORDER and finding.status in {"fail", "waived"}
    return failed and finding.existing > 0


def _is_open(finding: Finding | None) -> bool:
    return finding is not None and finding.status in OPEN


def _canonical(finding: Finding) -> str:
    return parse_key_id(finding.subject.key).canonical


class _Organization:
    """What the findings of one organization come to.

    Attributes:
        scopes: its key scopes of which anything is said.
        counts: how many of its findings are open or waived, by status.
        unread: the rules on keys that could not judge all there is.
        unprotected: the existing databases that no customer key encrypts in some region.
    """

    def __init__(self) -> None:
        self.scopes: dict[Place, _Scope] = {}
        self.unprotected: set[str] = set()
        self.counts: Counter[Status] = Counter()
        self._worst = Worst()
        self._doubt = Worst()
        self.unread: set[str] = set()

    @property
    def worst(self) -> Finding | None:
        """Return the worst that is open or waived."""
        return self._worst.finding

    @property
    def doubt(self) -> Finding | None:
        """Return the worst of those that leave open whether all was read and judged."""
        return self._doubt.finding

    def add(self, finding: Finding) -> None:
        subject = finding.subject
        if finding.status in NOT_COMPLYING:
            self.counts[finding.status] += 1
            self._worst.add(finding)
            if _is_unprotected(finding):
                self.unprotected.add(subject.database)
        if subject.region:
            place = cast("Place", subject[3:6])
            if place not in self.scopes:
                self.scopes[place] = _Scope()
            self.scopes[place].add(finding)
        elif finding.status in NOT_COMPLYING:
            self._take_doubt(finding)

    def _take_doubt(self, finding: Finding) -> None:
        if finding.rule in _BASIS:
            self.unread.add(finding.rule)
        is_whole = finding.subject.kind == "organization" or finding.rule == COMPLETE
        if is_whole and finding.severity != "advisory" and finding.rule in _DOUBTING:
            self._doubt.add(finding)

    def shared(self) -> tuple[set[Place], list[Shared]]:
        """Return the scopes whose only key is another's, and the keys of which that is not known.

        A key counts for one scope: for the one whose provider and region its id names. Where it
        names several of them, or none, one of these lacks a key of its own: which is unknown.
        """
        holders: dict[str, list[Place]] = {}
        for place in sorted(self.scopes):
            scope = self.scopes[place]
            for key in scope.keys if scope.state == "covered" else ():
                holders.setdefault(key, []).append(place)
        served = {places[0] for places in holders.values() if len(places) == 1}
        missing: set[Place] = set()
        shared: list[Shared] = []
        for key, places in sorted(holders.items()):
            rivals = [place for place in places if place not in served]
            fitting = [place for place in rivals if key in self.scopes[place].fitting]
            group = fitting or rivals
            missing.update(rivals if len(rivals) > 1 else ())
            missing.difference_update(group)
            served.update(rivals)
            if len(group) > 1:
                shared.append(Shared(key, group))
        return missing, shared


class Coverage:
    """Adds up what findings say of key scopes, organization by organization."""

    def __init__(self) -> None:
        """Start with none."""
        self._organizations: dict[str, _Organization] = {}

    def add(self, finding: Finding) -> None:
        """Take ``finding``; one that is about no single organization is located nowhere."""
        organization = finding.subject.organization
        if not organization or (finding.status == "pass" and finding.rule not in _KEPT):
            return
        if organization not in self._organizations:
            self._organizations[organization] = _Organization()
        self._organizations[organization].add(finding)

    def keys(self, identity: str) -> Keys:
        """Return what is known of the keys of the organization ``identity``."""
        organization = self._organizations.get(identity)
        if organization is None:
            return Keys()
        return Keys(
            registered=len(set().union(*(scope.keys for scope in organization.scopes.values()))),
            shared=tuple(organization.shared()[1]),
            unprotected=len(organization.unprotected),
            unread=frozenset(organization.unread),
        )

    def rows(self, names: Mapping[str, str]) -> list[CoverageRow]:
        """Return each organization that is named, or of which a finding is kept, with its cells."""
        known = {
            identity: organization
            for identity, organization in self._organizations.items()
            if organization.worst or organization.scopes
        }
        none = _Organization()
        return [
            _row(identity, names.get(identity, identity), known.get(identity, none))
            for identity in dict.fromkeys([*names, *known])
        ]


_KEPT = frozenset({*PROOFS, *_BASIS})
"""The rules of which a pass says something of a key scope."""


def _row(identity: str, name: str, organization: _Organization) -> CoverageRow:
    worst = organization.worst
    return {
        "organization": identity,
        "name": name,
        "complete": not (organization.doubt and organization.doubt.status in OPEN),
        "counts": {status: organization.counts[status] for status in NOT_COMPLYING},
        "worst": _reason(worst, worst.message) if worst else None,
        "cells": list(_cells(organization)),
    }


def _cells(organization: _Organization) -> Iterable[CoverageCell]:
    missing, shared = organization.shared()
    sharing = {place for key in shared for place in key.locations}
    for place, scope in sorted(organization.scopes.items()):
        worst = scope.assess(organization.doubt)
        if worst is None:
            continue
        state = "missing" if place in missing else "shared" if place in sharing else worst.state
        databases, existing = scope.counts
        yield {
            "type": place[0],
            "provider": place[1],
            "region": place[2],
            "state": state,
            **_reason(worst.finding, worst.why),
            "databases": databases,
            "existing": existing,
            "unprotected": scope.unprotected,
            "keys": len(scope.keys),
            "planned_keys": sorted(scope.planned_keys),
            "advisories": scope.advisories,
        }


def _reason(finding: Finding, why: str) -> Reason:
    return {
        "finding": finding.id,
        "rule": finding.rule,
        "status": finding.status,
        "severity": finding.severity,
        "message": why,
    }
