"""Passes that differ in little: those of the databases of one key scope, judged in the same words.

A fleet has a pass for each of its databases, and little else. A series holds what they share once,
so that they can be counted together, and written without a ``Finding`` for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import Finding, deployment_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from inventory.model.base import SourceLocation


class PassSeries(NamedTuple):
    """Passes of one rule, each about another existing database in one key scope.

    Attributes:
        pattern: what all of them share, as a finding without the id and the name of a database. Its
            message is empty, and its evidence is what each has beside the database's own location.
        before: their message up to the time of the database.
        after: their message after that.
        ids: the ids of the databases, in the order of the findings.
        names: their names.
        locations: where they were read.
        times: the time that each message shows, in words.
    """

    pattern: Finding
    before: str
    after: str
    ids: Sequence[str]
    names: Sequence[str]
    locations: Sequence[SourceLocation]
    times: Sequence[str]

    def findings(self) -> Iterator[Finding]:
        """Yield the passes, one by one."""
        pattern, columns = self.pattern, (self.ids, self.names, self.locations, self.times)
        organization, region = pattern.subject.organization, pattern.subject.region
        for identity, name, location, time in zip(*columns, strict=True):
            path = deployment_path(organization, identity, region)
            yield pattern._replace(
                subject=pattern.subject._replace(path=path, database=identity),
                message=f"{self.before}{time}{self.after}",
                name=name,
                evidence=(location, *pattern.evidence),
            )


Found = Finding | PassSeries
"""What judging gives: single findings, and series of passes."""


def one_by_one(found: Iterable[Found]) -> Iterator[Finding]:
    """Yield every finding, those of a series one by one."""
    for entry in found:
        if isinstance(entry, Finding):
            yield entry
        else:
            yield from entry.findings()
