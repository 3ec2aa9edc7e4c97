"""How much of what passes rests on attestations alone, and on how many people's."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from reports.aggregation.coverage_states import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.engine.finding import Finding
    from checks.engine.pass_series import PassSeries


class AttestedPasses:
    """Counts passes that would be none without somebody's word.

    Attributes:
        rules: how many such passes there are of each rule, but that of the order of key and
            database, which is counted by databases.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.rules: Counter[str] = Counter()
        self._attesters: set[str] = set()
        self._attesters_of_order: set[str] = set()
        self._organization = ""
        self._every: set[str] = set()
        self._attested: set[str] = set()
        self._before = (0, 0)

    def add(self, finding: Finding) -> None:
        """Count ``finding`` if it is a pass that matters here."""
        if finding.status != "pass":
            return
        if finding.rule == ORDER:
            if finding.existing:
                self._add_databases(finding, [finding.subject.database])
        elif finding.evidence_kind == "attested":
            self.rules[finding.rule] += 1
            self._attesters.update(map(person_key, finding.attested_by))

    def add_series(self, series: PassSeries) -> None:
        """Count the passes of ``series``; as ``add`` with each."""
        pattern = series.pattern
        if pattern.rule == ORDER and pattern.existing:
            self._add_databases(pattern, series.ids)
        elif pattern.rule != ORDER and pattern.evidence_kind == "attested":
            self.rules[pattern.rule] += len(series.ids)
            self._attesters.update(map(person_key, pattern.attested_by))

    def _add_databases(self, finding: Finding, databases: Iterable[str]) -> None:
        """Count each database once, and as attested if it is so in any of its regions.

        Findings come organization by organization, so only the databases of one are remembered.
        """
        organization = finding.subject.organization
        if organization != self._organization:
            self._before = self.databases
            self._organization, self._every, self._attested = organization, set(), set()
        self._every.update(databases)
        if finding.evidence_kind == "attested":
            self._attested.update(databases)
            self._attesters_of_order.update(map(person_key, finding.attested_by))

    def merge(self, other: AttestedPasses) -> None:
        """Add the passes of ``other``: they are of other organizations, and came after these."""
        self.rules.update(other.rules)
        self._attesters |= other._attesters
        self._attesters_of_order |= other._attesters_of_order
        if other._organization:
            attested, every = self.databases
            self._before = attested + other._before[0], every + other._before[1]
            self._organization = other._organization
            self._every, self._attested = other._every, other._attested

    @property
    def databases(self) -> tuple[int, int]:
        """Return how many existing databases rest on an attestation alone, and of how many.

        These are the databases whose key is shown to have been registered before them.
        """
        attested, every = self._before
        return attested + len(self._attested), every + len(self._every)

    @property
    def people(self) -> int:
        """Return how many people's word the passes of ``rules`` rest on."""
        return len(self._attesters)

    @property
    def people_of_all(self) -> int:
        """Return how many people's word the passes and the databases rest on, together."""
        return len(self._attesters | self._attesters_of_order)

    @property
    def people_of_databases(self) -> int:
        """Return how many people's word the databases rest on."""
        return len(self._attesters_of_order)


def person_key(name: str) -> str:
    """Take two spellings of a name for one person: so that one never looks like two."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
