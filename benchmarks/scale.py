"""Computes what a night of a very large fleet takes, on paper: ``python benchmarks/scale.py``.

Nothing is measured here. What was measured elsewhere is at the top, with where; change it there,
run this, and put the tables into ``docs/scale.md``. A test compares the two.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# --- measured -------------------------------------------------------------------------------------

REQUEST = 0.0017 + 0.003
"""Seconds of the processor a request, and what TLS adds: ``benchmarks/live.py``."""

COLLECTING = 0.00021
"""Seconds a database to read, redact, compare and record its answers: ``benchmarks/live.py``."""

JUDGING = 21e-6
"""Seconds of the processor a database to audit it, with all reports: ``benchmarks/growth.py``."""

FINDINGS = 1.07
FINDING_BYTES = 660
"""Findings a database of a fleet that complies, and the size of one: ``benchmarks/growth.py``."""

EVIDENCE_BYTES = 6_300
COMPRESSED_BYTES = 300
"""The evidence of one night a database, of two readings of each list, as it is and compressed."""

ORGANIZATION_BYTES = 30_000
"""Memory an organization with 6 keys and 1,000 databases takes in the step that adds everything up:
``benchmarks/memory.py``, between 1,000 and 10,000 of them."""

# --- assumed --------------------------------------------------------------------------------------

SCOPES = 6
"""Key scopes of an organization."""

RATES = (10, 100, 1_000, 10_000)
"""Requests a second that Astra answers in all. Its limits are not documented."""

NIGHT_HOURS = 6
USED = 0.7
"""The part of its time that a processor works: the rest waits for stragglers and for answers."""

NIGHTS_WHOLE = 30
"""Nights that are kept whole; older ones are a summary."""

FULL_PAGE, SECOND_PAGE = 100, 99
MINUTE, HOUR, YEAR = 60, 3_600, 365


class Fleet(NamedTuple):
    """A fleet: how many organizations, each with how many databases."""

    organizations: int
    databases_each: int

    @property
    def databases(self) -> int:
        """Return the databases of all organizations."""
        return self.organizations * self.databases_each

    @property
    def name(self) -> str:
        """Describe it for a row."""
        return f"{self.organizations:,} x {self.databases_each:,}"

    @property
    def requests_each(self) -> int:
        """Return the requests for an organization, as ``docs/live-audits.md`` lists them."""
        first, second = (ceil(self.databases_each / page) + 1 for page in (FULL_PAGE, SECOND_PAGE))
        whose, keys, terminated, views = 1, 2, 1, 2 * min(SCOPES, self.databases_each)
        return whose + keys + first + second + terminated + views

    @property
    def collecting(self) -> float:
        """Return the seconds of the processor to collect it."""
        return self.requests * REQUEST + self.databases * COLLECTING

    @property
    def judging(self) -> float:
        """Return the seconds of the processor to audit it."""
        return self.databases * JUDGING

    @property
    def processors(self) -> int:
        """Return how many processors do both in a night."""
        return ceil((self.collecting + self.judging) / (NIGHT_HOURS * HOUR * USED))

    @property
    def requests(self) -> int:
        """Return the requests for all organizations."""
        return self.organizations * self.requests_each


FLEETS = (
    Fleet(500, 200),
    Fleet(1_000, 1_000),
    Fleet(10_000, 1_000),
    Fleet(100_000, 1_000),
    Fleet(1_000_000, 1_000),
)
"""From what one machine does in minutes to a thousand million databases."""


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Render a table in Markdown, with its title before it."""
    lines = [list(columns), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join([f"**{title}**", "", *(f"| {' | '.join(line)} |" for line in lines)])


def requests_table() -> str:
    """Return how many requests a night takes, and how long at each rate."""
    columns = ["organizations x databases", "requests each", "requests"]
    return table(
        "Requests, and the time at so many a second in all",
        [*columns, *(f"{rate:,}/s" for rate in RATES)],
        (
            [
                fleet.name,
                f"{fleet.requests_each:,}",
                f"{fleet.requests:,}",
                *(_time(fleet.requests / rate) for rate in RATES),
            ]
            for fleet in FLEETS
        ),
    )


def processors_table() -> str:
    """Return what collecting and judging take, and the processors for one night."""
    return table(
        f"Time of one processor, and processors for a night of {NIGHT_HOURS} hours",
        ["organizations x databases", "collecting", "judging", "processors", "memory to add up"],
        (
            [
                fleet.name,
                _time(fleet.collecting),
                _time(fleet.judging),
                f"{fleet.processors:,}",
                _size(fleet.organizations * ORGANIZATION_BYTES),
            ]
            for fleet in FLEETS
        ),
    )


def storage_table() -> str:
    """Return what a night and a year leave on disk."""
    return table(
        f"Storage: a night, and a year of which {NIGHTS_WHOLE} nights are kept whole",
        [
            "organizations x databases",
            "evidence, as it is",
            "compressed",
            "findings",
            "a year of evidence",
            f"{NIGHTS_WHOLE} nights",
        ],
        (
            [
                fleet.name,
                _size(fleet.databases * EVIDENCE_BYTES),
                _size(compressed := fleet.databases * COMPRESSED_BYTES),
                _size(fleet.databases * FINDINGS * FINDING_BYTES),
                _size(compressed * YEAR),
                _size(compressed * NIGHTS_WHOLE),
            ]
            for fleet in FLEETS
        ),
    )


def _time(seconds: float) -> str:
    """Render seconds in the largest unit of which there are at least two."""
    units = ((HOUR, "h"), (MINUTE, "min"), (1, "s"))
    size, name = next((unit for unit in units if seconds >= 2 * unit[0]), units[-1])
    return f"{seconds / size:,.0f} {name}"


def _size(count: float) -> str:
    """Render bytes in the unit that fits."""
    unit, name = next(
        (unit, name) for unit, name in ((1e12, "TB"), (1e9, "GB"), (0, "MB")) if count >= unit
    )
    return f"{count / (unit or 1e6):,.1f} {name}"


def main() -> None:
    """Print the tables."""
    print(requests_table(), processors_table(), storage_table(), sep="\n\n")


if __name__ == "__main__":
    main()
