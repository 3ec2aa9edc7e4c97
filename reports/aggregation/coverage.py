"""The coverage of key scopes: what is known of the key of each, by the findings located there.

A cell never looks better than the worst finding it stands for. It is ``covered`` only if findings
prove that its key is there, serves no other scope, came before every database, has the right id and
is usable, and if nothing above an advisory is open or waived in the scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.card import SEVERITIES
from checks.engine.finding import NOT_COMPLYING, OPEN
from reports.aggregation.coverage_states import COMPLETE, PROOFS
from reports.aggregation.expected_databases import expect_databases
from reports.aggregation.organization_coverage import OrganizationCoverage
from reports.aggregation.scope_coverage import BASIS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from checks.engine.finding import Finding
    from checks.engine.pass_series import PassSeries
    from inventory.model.organization import Organization
    from reports.aggregation.organization_coverage import Shared
    from reports.aggregation.worst_finding import ShownFinding
    from reports.model.key_plan import CoverageCell, CoverageRow, Reason


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


class Coverage:
    """Adds up what findings say of key scopes, organization by organization.

    Findings come organization by organization, those across organizations last: so the databases of
    one organization only are remembered at a time.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._organizations: dict[str, OrganizationCoverage] = {}
        self._current: OrganizationCoverage | None = None

    def expect(self, organization: Organization) -> None:
        """Take note of the databases of ``organization``, before its findings come."""
        self._of(organization.id).protection.expect(expect_databases(organization))

    def add(self, finding: Finding) -> None:
        """Take ``finding``; one that is about no single organization is located nowhere."""
        identity = finding.subject.organization
        if not identity or (finding.status == "pass" and finding.rule not in _KEPT):
            return
        self._enter(identity).add(finding)

    def add_series(self, series: PassSeries) -> None:
        """Take the passes of ``series``; as ``add`` with each."""
        if series.pattern.rule in _KEPT:
            self._enter(series.pattern.subject.organization).add_series(series)

    def _enter(self, identity: str) -> OrganizationCoverage:
        organization = self._of(identity)
        if organization is not self._current:
            self._fold()
            self._current = organization
        return organization

    def merge(self, other: Coverage) -> None:
        """Add what ``other`` took: it is of other organizations, and came after this.

        Raises ValueError if both know one organization: its findings must not be torn apart.
        """
        if shared := self._organizations.keys() & other._organizations.keys():
            raise ValueError(f"{len(shared)} organizations are in two parts of one audit")
        self._organizations |= other._organizations
        if other._current is not None:
            self._fold()
            self._current = other._current

    def _of(self, identity: str) -> OrganizationCoverage:
        organization = self._organizations.get(identity)
        if organization is None:
            organization = self._organizations[identity] = OrganizationCoverage()
        return organization

    def _fold(self) -> None:
        if self._current:
            self._current.fold()

    def keys(self, identity: str) -> Keys:
        """Return what is known of the keys of the organization ``identity``."""
        organization = self._organizations.get(identity)
        if organization is None:
            return Keys()
        return Keys(
            registered=len(set().union(*(scope.keys for scope in organization.scopes.values()))),
            shared=tuple(organization.shared()[1]),
            unprotected=len(organization.unprotected),
            unread=organization.unread,
        )

    def rows(self, names: Mapping[str, str]) -> list[CoverageRow]:
        """Return each organization that is named, or of which a finding is kept, with its cells."""
        known = {
            identity: organization
            for identity, organization in self._organizations.items()
            if organization.worst or organization.scopes or identity in names
        }
        for organization in self._organizations.values():
            organization.fold()
        none = OrganizationCoverage()
        return [
            _row(identity, names.get(identity, identity), known.get(identity, none))
            for identity in dict.fromkeys([*names, *known])
        ]


_KEPT = frozenset({*PROOFS, *BASIS, COMPLETE})
"""The rules of which a pass says something of a key scope, or of the whole of an organization."""


def _row(identity: str, name: str, organization: OrganizationCoverage) -> CoverageRow:
    worst, is_doubtful = organization.worst, organization.doubt is not None
    return {
        "organization": identity,
        "name": name,
        "complete": not (organization.doubt and organization.doubt.status in OPEN),
        "counts": {status: organization.counts[status] for status in NOT_COMPLYING},
        "open": {severity: organization.open[severity] for severity in SEVERITIES},
        "protection": organization.protection.count(is_doubtful=is_doubtful),
        "proven_by": organization.protection.proven_by(is_doubtful=is_doubtful),
        "worst": _reason(worst, worst.message) if worst else None,
        "cells": list(_cells(organization)),
    }


def _cells(organization: OrganizationCoverage) -> Iterable[CoverageCell]:
    missing, shared = organization.shared()
    sharing = {place for key in shared for place in key.locations}
    is_doubtful = organization.doubt is not None
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
            "protected": organization.protection.protected_in(place, is_doubtful=is_doubtful),
            "keys": len(scope.keys),
            "planned_keys": sorted(scope.planned_keys),
            "advisories": scope.advisories,
        }


def _reason(finding: ShownFinding, why: str) -> Reason:
    return {
        "finding": finding.id,
        "rule": finding.rule,
        "status": finding.status,
        "severity": finding.severity,
        "message": why,
    }
