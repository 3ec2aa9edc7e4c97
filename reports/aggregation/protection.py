"""How well each database is protected: by the findings on it, on its key scopes and their keys.

A database is proven to be encrypted by a customer key only if every rule that proves a key passes
in each of its regions, and if its organization was read and judged in full. It counts once, by the
worst of its regions.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from checks.engine.catalogue import rules_of
from checks.engine.finding import EVIDENCE_KINDS, NOT_COMPLYING, OPEN
from checks.engine.identity import PLANNED, reason_of
from reports.aggregation.coverage_states import COMPLETE, NEEDED, ORDER, PROOFS
from reports.aggregation.id_set import IdSet

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from checks.engine.finding import EvidenceKind, Finding
    from checks.engine.pass_series import PassSeries
    from inventory.model.vocabulary import DatabaseType, Provider
    from reports.aggregation.expected_databases import ExpectedDatabases
    from reports.model.protection import Protection

    Place = tuple[DatabaseType, Provider, str]

PROTECTED, ASTRA_PROVIDED, UNPROVEN, ACCEPTED, UNPROTECTED, UNSUPPORTED = range(6)
"""The states of a database in one region, as numbers: of several states the highest counts.

``ACCEPTED`` is unprotected, and a waiver covers each failure. ``UNSUPPORTED`` is unprotected where
Astra has no customer keys: a finding of another rule says whether that is accepted.
"""

_OF_STATUS = {
    "pass": PROTECTED,
    "waived": ACCEPTED,
    "fail": UNPROTECTED,
    "inconclusive": UNPROVEN,
    "error": UNPROVEN,
    "not-applicable": UNPROVEN,
}
_OF_REASON = {"astra-provided": ASTRA_PROVIDED, "unsupported-combination": UNSUPPORTED}
_WHICH_KEY = frozenset(rules_of("which-key"))
_SCOPE_PROOFS = frozenset(PROOFS) - {ORDER}
_OTHERS_KEY = "serves"


class ScopeProtection:
    """What the findings located in one key scope say of the databases there.

    Attributes:
        databases: the state of each database here, by the rule on the order of key and database.
        planned: those that are only planned here.
        accepted: those of which another rule's failure is waived here.
        kinds: on which kind of evidence the order of those that pass rests, as its number.
        passing: further databases that exist and pass, in series with one kind of evidence.
    """

    __slots__ = (
        "_existing",
        "_judged",
        "_planned",
        "_shared",
        "accepted",
        "databases",
        "kinds",
        "passing",
        "planned",
    )

    def __init__(self) -> None:
        """Start without databases, and without any proof."""
        self.databases: dict[str, int] = {}
        self.planned: set[str] = set()
        self.accepted: set[str] = set()
        self.kinds: dict[str, int] = {}
        self.passing: list[tuple[int, Sequence[str]]] = []
        self._judged: set[str] = set()
        self._existing = self._planned = self._shared = PROTECTED

    def add_database(self, finding: Finding) -> None:
        """Take a finding on whether the key came before one database."""
        database, state = finding.subject.database, _state_of(finding)
        self.databases[database] = max(state, self.databases.get(database, PROTECTED))
        if kind := finding.evidence_kind:
            weaker = max(EVIDENCE_KINDS.index(kind), self.kinds.get(database, 0))
            self.kinds[database] = weaker
        if not finding.existing:
            self.planned.add(database)

    def add_series(self, series: PassSeries) -> None:
        """Take passes on whether the key came before databases; as ``add_database`` with each."""
        kind = EVIDENCE_KINDS.index(series.pattern.evidence_kind or "records")
        self.passing.append((kind, series.ids))

    def single_out(self, databases: AbstractSet[str]) -> None:
        """Take those of ``databases`` out of the series, to be counted one by one."""
        for place, (kind, ids) in enumerate(self.passing):
            own = databases & set(ids)
            for database in own:
                self.databases.setdefault(database, PROTECTED)
                self.kinds[database] = max(kind, self.kinds.get(database, 0))
            if own:
                self.passing[place] = kind, [database for database in ids if database not in own]

    def add(self, finding: Finding) -> None:
        """Take a finding about the scope or a key in it, by a rule that says which key that is.

        A key that is only planned proves nothing, and may take the proof from planned databases.
        """
        bad = finding.status in NOT_COMPLYING
        if finding.subject.kind == "planned-key":
            self._limit(PROTECTED, UNPROVEN if bad else PROTECTED)
        elif finding.rule not in _SCOPE_PROOFS:
            doubt = UNPROVEN if bad and finding.severity != "advisory" else PROTECTED
            self._limit(doubt, doubt)
        elif finding.status == "pass":
            self._judged.add(finding.rule)
        else:
            self._take_proof(finding)

    def _take_proof(self, finding: Finding) -> None:
        """Take what keeps a key from being proven."""
        state = _OF_STATUS[finding.status]
        if finding.status == "waived":
            self._judged.add(finding.rule)
        if reason_of(finding.cause) == _OTHERS_KEY:
            self._shared = max(self._shared, state)
        elif finding.rule == NEEDED and state > UNPROVEN:
            # What exists and what is planned have a finding each, which a waiver covers by itself.
            is_planned = finding.cause.startswith(PLANNED)
            self._limit(*(UNPROVEN, state) if is_planned else (state, UNPROVEN))
        else:
            self._limit(state, state)

    def _limit(self, existing: int, planned: int) -> None:
        self._existing = max(self._existing, existing)
        self._planned = max(self._planned, planned)

    def limits(self, *, lacks_own: bool, is_shared: bool) -> tuple[int, int]:
        """Return the best state that an existing, and a planned database can have here.

        ``lacks_own`` if the only key is another scope's; ``is_shared`` if that is not known. A key
        that also serves a scope which lacks its own is not proven to be meant for either.
        """
        least = UNPROVEN if is_shared or self._shared else PROTECTED
        if lacks_own:
            least = ACCEPTED if self._shared == ACCEPTED else UNPROTECTED
        if self._judged < _SCOPE_PROOFS:
            least = max(least, UNPROVEN)
        return max(least, self._existing), max(least, self._planned)


class OrganizationProtection:
    """Counts the databases of one organization by how well they are protected.

    Single databases are known until ``fold`` has counted them; what is found later can only take
    proofs away.
    """

    __slots__ = (
        "_counts",
        "_elsewhere",
        "_expected",
        "_failing",
        "_is_folded",
        "_is_judged",
        "_is_late",
        "_protected_in",
        "_proven_by",
        "_scopes",
    )

    def __init__(self) -> None:
        """Start without databases."""
        self._expected: ExpectedDatabases | None = None
        self._scopes: dict[Place, ScopeProtection] = {}
        self._elsewhere: dict[str, int] = {}
        self._failing = IdSet()
        self._is_judged = self._is_folded = self._is_late = False
        self._counts: Counter[int] = Counter()
        self._proven_by: Counter[int] = Counter()
        self._protected_in: dict[Place, int] = {}

    def expect(self, expected: ExpectedDatabases) -> None:
        """Take note of what databases there are: one that nothing is found about is unproven."""
        self._expected = expected

    def add(self, finding: Finding) -> None:
        """Take a finding about the organization, or about anything in it."""
        rule, subject = finding.rule, finding.subject
        if rule == ORDER:
            if subject.database:
                self._add_database(finding)
        elif rule == COMPLETE:
            self._is_judged = True
        elif rule in _WHICH_KEY or rule in _SCOPE_PROOFS:
            if subject.region:
                self._scope(finding).add(finding)
                self._is_late |= self._is_folded
        elif subject.database and finding.severity != "advisory":
            self._add_failure(finding)

    def _scope(self, finding: Finding) -> ScopeProtection:
        place = place_of(finding)
        scope = self._scopes.get(place)
        if scope is None:
            scope = self._scopes[place] = ScopeProtection()
        return scope

    def _add_database(self, finding: Finding) -> None:
        self._is_late |= self._is_folded
        if finding.subject.region:
            self._scope(finding).add_database(finding)
        else:
            self._elsewhere[finding.subject.database] = min(_state_of(finding), UNPROTECTED)

    def add_series(self, series: PassSeries) -> None:
        """Take passes on the order of key and databases; as ``add`` with each."""
        self._is_late |= self._is_folded
        self._scope(series.pattern).add_series(series)

    def _add_failure(self, finding: Finding) -> None:
        """Take a failure of a database itself by a rule that proves no key, such as that of 04."""
        if finding.status in OPEN:
            self._failing.add(finding.subject.database)
        elif finding.status == "waived" and finding.subject.region:
            self._scope(finding).accepted.add(finding.subject.database)

    def fold(self, lacking: Container[Place], shared: Container[Place]) -> None:
        """Count the databases, and forget them.

        ``lacking`` are the key scopes whose only key is another's, and ``shared`` those of which
        that is not known.
        """
        if self._is_folded:
            return
        worst = dict(self._elsewhere)
        regions = dict(self._expected.regions) if self._expected else {}
        self._single_out(regions)
        series = 0
        for place, scope in self._scopes.items():
            limits = scope.limits(lacks_own=place in lacking, is_shared=place in shared)
            self._protected_in[place] = _add_states(scope, limits, worst, regions)
            series += self._count_series(place, max(PROTECTED, limits[0]))
        for database, missing in regions.items():
            if missing > 0:
                worst[database] = max(worst.get(database, PROTECTED), UNPROVEN)
        for database in self._failing:
            if worst.get(database) == ACCEPTED:
                worst[database] = UNPROTECTED
        self._count_kinds(worst)
        self._counts.update(worst.values())
        if self._expected:
            self._counts[UNPROVEN] += max(0, self._expected.total - len(worst) - series)
        self._forget()

    def _single_out(self, several: Iterable[str]) -> None:
        """Take out of the series what is not decided by one key scope alone.

        That is what is in ``several`` regions, what fails otherwise, and what was found elsewhere
        as well. All others count together: a fleet has little else.
        """
        special, seen = {*several, *self._failing, *self._elsewhere}, set[str]()
        for scope in self._scopes.values():
            special |= scope.databases.keys()
            for _, ids in scope.passing:
                own = set(ids)
                special |= own & seen
                seen |= own
        for scope in self._scopes.values():
            scope.single_out(special)

    def _count_series(self, place: Place, state: int) -> int:
        """Count the databases of the series of one scope, which have that ``state``."""
        total = 0
        for kind, ids in self._scopes[place].passing:
            total += len(ids)
            if state == PROTECTED:
                self._proven_by[kind] += len(ids)
        self._counts[state] += total
        self._protected_in[place] += total if state == PROTECTED else 0
        return total

    def _count_kinds(self, worst: dict[str, int]) -> None:
        """Count the protected databases, each by the weakest evidence of its regions."""
        weakest: dict[str, int] = {}
        for scope in self._scopes.values():
            for database, kind in scope.kinds.items():
                if worst[database] == PROTECTED:
                    weakest[database] = max(kind, weakest.get(database, 0))
        self._proven_by.update(weakest.values())

    def _forget(self) -> None:
        self._is_folded = True
        self._scopes, self._elsewhere = {}, {}
        self._failing, self._expected = IdSet(), None

    def protected_in(self, place: Place, *, is_doubtful: bool) -> int:
        """Return how many databases are protected in one key scope; as ``count``."""
        return 0 if self._is_unproven(is_doubtful=is_doubtful) else self._protected_in.get(place, 0)

    def count(self, *, is_doubtful: bool) -> Protection:
        """Return how many databases are protected.

        If it ``is_doubtful`` whether the organization was read in full, none is proven to be.
        """
        counts = self._counts
        protected, unproven = counts[PROTECTED], counts[UNPROVEN]
        if self._is_unproven(is_doubtful=is_doubtful):
            protected, unproven = 0, unproven + protected
        return {
            "protected": protected,
            "unprotected": counts[UNPROTECTED] + counts[ACCEPTED],
            "unproven": unproven,
            "astra_provided": counts[ASTRA_PROVIDED],
            "waived": counts[ACCEPTED],
        }

    def proven_by(self, *, is_doubtful: bool) -> dict[EvidenceKind, int]:
        """Return on which kind of evidence the protected databases rest; as ``count``."""
        known = Counter() if self._is_unproven(is_doubtful=is_doubtful) else self._proven_by
        return {kind: known[number] for number, kind in enumerate(EVIDENCE_KINDS)}

    def _is_unproven(self, *, is_doubtful: bool) -> bool:
        return is_doubtful or self._is_late or not self._is_judged


def place_of(finding: Finding) -> Place:
    """Return in which key scope of its organization ``finding`` is."""
    return _shared(cast("Place", finding.subject[3:6]))


@lru_cache(maxsize=4_096)
def _shared(place: Place) -> Place:
    """Return the same tuple for equal places: the organizations of a fleet have few of them."""
    return place


def _state_of(finding: Finding) -> int:
    """Return what a finding on the order of key and database says of the database."""
    if finding.status == "not-applicable":
        return _OF_REASON.get(finding.reason, UNPROVEN)
    return _OF_STATUS[finding.status]


def _add_states(
    scope: ScopeProtection, limits: tuple[int, int], worst: dict[str, int], regions: dict[str, int]
) -> int:
    """Add the states in one scope to the ``worst`` of each database; return how many are protected.

    ``regions`` are those of which nothing was found yet, of each database with several.
    """
    protected = 0
    for database, own in scope.databases.items():
        state = own
        if own == UNSUPPORTED:
            state = ACCEPTED if database in scope.accepted else UNPROTECTED
        elif own != ASTRA_PROVIDED:
            state = max(own, limits[database in scope.planned])
        protected += state == PROTECTED
        if state > worst.get(database, -1):
            worst[database] = state
        if database in regions:
            regions[database] -= 1
    return protected


def total_of_kinds(numbers: Iterable[dict[EvidenceKind, int]]) -> dict[EvidenceKind, int]:
    """Add up on which kinds of evidence the databases of several organizations rest."""
    result: dict[EvidenceKind, int] = dict.fromkeys(EVIDENCE_KINDS, 0)
    for row in numbers:
        for kind, number in row.items():
            result[kind] += number
    return result


def total(protections: Iterable[Protection]) -> Protection:
    """Add up the numbers of several organizations."""
    result: Protection = {
        "protected": 0,
        "unprotected": 0,
        "unproven": 0,
        "astra_provided": 0,
        "waived": 0,
    }
    for protection in protections:
        result["protected"] += protection["protected"]
        result["unprotected"] += protection["unprotected"]
        result["unproven"] += protection["unproven"]
        result["astra_provided"] += protection["astra_provided"]
        result["waived"] += protection["waived"]
    return result
