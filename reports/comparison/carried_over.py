"""What a chain of audits knows and the last of them did not see: it is carried over, not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.catalogue import rule_of
from checks.engine.context import utc
from checks.engine.finding import COMPLYING
from checks.shared.missing import ORGANIZATION_MISSING, missing_database
from inventory.model.key import KeyScope
from inventory.model.key_ids import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from checks.engine.context import KnownOrganization
    from checks.engine.finding import Finding
    from inventory.history import Observation
    from inventory.model.organization import Organization
    from reports.model.changes import KnownEntry, KnownKeys

POPULATION = rule_of("population")
UNCHANGED = rule_of("key-unchanged")


class CarriedOver:
    """Collects what the baseline knows and this audit neither shows nor explains."""

    def __init__(self, known: Mapping[str, KnownOrganization]) -> None:
        """Start with what the baseline knows of each organization, by its id."""
        self._known = known
        self._captured: dict[str, datetime | None] = {}
        self._unread: set[str] = set()
        self._lost: dict[str, set[str]] = {}
        self._unexplained: set[KeyScope] = set()
        self._broken: set[tuple[str, str]] = set()

    def add_organization(self, organization: Organization) -> None:
        """Take note of an organization of this audit, and whether its databases were read."""
        self._captured[organization.id] = organization.captured_at
        if organization.databases is None:
            self._unread.add(organization.id)

    def add(self, finding: Finding) -> None:
        """Take note of what ``finding`` misses, could not judge, or finds changed."""
        owner = finding.subject.organization
        if owner not in self._known or finding.status in COMPLYING:
            return
        if finding.status == "error":
            self._broken.add((finding.rule, owner))
        elif finding.rule == UNCHANGED:
            self._unexplained.add(KeyScope(*finding.subject[2:6]))  # type: ignore[arg-type]  # parts
        elif finding.cause == ORGANIZATION_MISSING:
            self._captured.pop(owner, None)
        elif lost := missing_database(finding):
            self._lost.setdefault(owner, set()).add(lost)

    def merge(self, other: CarriedOver) -> None:
        """Add what ``other`` collected of other organizations."""
        self._captured |= other._captured
        self._unread |= other._unread
        for owner, lost in other._lost.items():
            self._lost.setdefault(owner, set()).update(lost)
        self._unexplained |= other._unexplained
        self._broken |= other._broken

    def __getstate__(self) -> dict[str, object]:
        """Pickle what was collected, and not what the baseline knows."""
        return {name: value for name, value in vars(self).items() if name != "_known"}

    def entries(self) -> list[KnownEntry]:
        """Return what has to be carried over, as the record states it; after the last finding."""
        every = sorted(self._known.items())
        found = (self._entry(identity, known) for identity, known in every)
        return [entry for entry in found if entry["missing"] or entry["databases"] or entry["keys"]]

    def _entry(self, identity: str, known: KnownOrganization) -> KnownEntry:
        databases = self._databases(identity, known)
        return {
            "organization": identity,
            "name": known.name,
            "missing": identity not in self._captured,
            "databases": [
                {"id": database_id, "name": name} for database_id, name in sorted(databases)
            ],
            "keys": list(self._keys(identity, known)),
        }

    def _databases(self, identity: str, known: KnownOrganization) -> Collection[tuple[str, str]]:
        """Return what is missing; if nobody could look for it, all that is known."""
        is_judged = identity in self._captured and (POPULATION, identity) not in self._broken
        if not is_judged or identity in self._unread:
            return known.databases.items()
        lost = self._lost.get(identity, set())
        return [item for item in known.databases.items() if item[0] in lost]

    def _keys(self, identity: str, known: KnownOrganization) -> Iterator[KnownKeys]:
        for scope, observations in sorted(known.keys.items()):
            if self._is_open(identity, scope, observations):
                yield from (_known_keys(scope, seen) for seen in _edges(observations))

    def _is_open(self, identity: str, scope: KeyScope, observations: Sequence[Observation]) -> bool:
        """Say whether this audit does not show that the keys of ``scope`` are as they were."""
        if identity not in self._captured or (UNCHANGED, identity) in self._broken:
            return True
        captured = self._captured[identity]
        is_later = captured is not None and observations[-1].at > captured
        return is_later or scope in self._unexplained


def _known_keys(scope: KeyScope, seen: Observation) -> KnownKeys:
    return {
        "type": scope.type,
        "provider": scope.provider,
        "region": scope.region,
        "at": utc(seen.at),
        "key_ids": list(seen.key_ids),
    }


def _edges(observations: Sequence[Observation]) -> Iterator[Observation]:
    """Yield the first and the last of equal observations in a row: no more is ever compared."""
    keys = [{canonical(key_id) for key_id in observation.key_ids} for observation in observations]
    for index, seen in enumerate(observations):
        is_edge = index in {0, len(keys) - 1}
        if is_edge or not keys[index - 1] == keys[index] == keys[index + 1]:
            yield seen
