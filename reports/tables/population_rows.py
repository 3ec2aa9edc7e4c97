"""What the tables of keys and databases share: the lines of the population, by organization."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.record.layout import ORGANIZATION_LINE
from reports.tables.cells import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reports.model.head import Head
    from reports.model.population_summary import GapEntry

NOT_READ = "not-read"
"""The state of the row that a list has which could not be read, or not whole."""


class OrganizationFacts(NamedTuple):
    """An organization, by id and name, and which of its lists could not be read."""

    id: str
    name: str
    gaps: tuple[GapEntry, ...]


def entries(
    head: Head, population: Iterable[bytes], begin: bytes
) -> Iterator[tuple[OrganizationFacts, Any]]:
    """Yield each organization with None, and then with each of its lines that ``begin`` so, parsed.

    The other lines are not parsed.
    """
    gaps = {row["id"]: tuple(row["gaps"]) for row in head["population"]["organizations"]}
    current = OrganizationFacts("", "", ())
    for line in population:
        if line.startswith(ORGANIZATION_LINE):
            parsed = json.loads(line)
            identity = parsed["id"]
            current = OrganizationFacts(identity, parsed["name"], gaps.get(identity, ()))
            yield current, None
        elif line.startswith(begin):
            yield current, json.loads(line)


def gap_text(gap: GapEntry) -> str:
    """Say which list could not be read, and why."""
    detail = f" ({gap['detail']})" if gap["detail"] else ""
    return f"{gap['fact']}: {gap['reason']}{detail}"


def not_known(*texts: str | None) -> str | None:
    """Return the texts on what is not known, joined; None if there are none."""
    return joined(text or "" for text in texts) or None
