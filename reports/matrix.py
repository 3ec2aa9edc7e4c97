"""The coverage matrix laid out in tables that fit a page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.looks import CELL, NO_DATABASE, NOT_KNOWN, PROVIDER, TYPE, Look

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    Place = tuple[str, str, str]

WIDEST = 6
"""How many regions stand beside each other."""

_TYPES = ("serverless", "managed-clusters")


class Cell(NamedTuple):
    """One key scope in the matrix.

    Attributes:
        look: how its state looks.
        finding: the id of the finding that tells its state; empty if none does.
        databases: how many databases it concerns.
        keys: how many keys are registered for it.
    """

    look: Look
    finding: str = ""
    databases: int = 0
    keys: int = 0


class Row(NamedTuple):
    """A database type with a provider, and its cells, one for each region of the table."""

    type: str
    provider: str
    cells: list[Cell]


class Table(NamedTuple):
    """Some regions of an organization side by side; ``part`` says which, if these are not all."""

    part: str
    regions: list[str]
    rows: list[Row]


class Matrix(NamedTuple):
    """All tables of one organization, and whether not all of it was read and judged."""

    organization: str
    name: str
    tables: list[Table]
    is_doubtful: bool


class Coverage(NamedTuple):
    """The matrices that are shown, and of those left out how many cells are in which state."""

    shown: list[Matrix]
    left_out: int
    left_cells: dict[str, int]


def lay_out(coverage: Sequence[Mapping[str, Any]], most: int, doubtful: Container[str]) -> Coverage:
    """Lay out organizations until ``most`` cells are reached, those that lack a key first.

    The ones that are shown keep their order. Of those that are ``doubtful`` not all was read or
    judged, so that where nothing is known nothing is claimed.
    """
    room, shown = most, set()
    for place in sorted(range(len(coverage)), key=lambda place: _calm(coverage[place])):
        room -= _size(coverage[place])
        if room < 0:
            break
        shown.add(place)
    left = [each for place, each in enumerate(coverage) if place not in shown]
    states = Counter(cell["state"] for each in left for cell in each["cells"])
    counted = {CELL[state].word: states[state] for state in CELL if states[state]}
    matrices = [
        _matrix(coverage[place], is_doubtful=coverage[place]["organization"] in doubtful)
        for place in sorted(shown)
    ]
    return Coverage(matrices, len(left), counted)


def _calm(organization: Mapping[str, Any]) -> int:
    """Return 0 if a key is missing, 1 if that is not known, else 2."""
    states = {cell["state"] for cell in organization["cells"]}
    return 0 if "missing" in states else 1 if "undetermined" in states else 2


def _size(organization: Mapping[str, Any]) -> int:
    types, bands = _types(organization), _bands(organization)
    cells = sum(len(types) * len(providers) * len(regions) for _, providers, regions in bands)
    return max(cells, 1)


def _matrix(organization: Mapping[str, Any], *, is_doubtful: bool) -> Matrix:
    known = {
        (each["type"], each["provider"], each["region"]): each for each in organization["cells"]
    }
    types = _types(organization)
    empty = Cell(CELL[NOT_KNOWN if is_doubtful else NO_DATABASE])
    tables = []
    for part, providers, regions in _bands(organization):
        rows = [
            Row(
                TYPE[kind],
                PROVIDER[provider],
                [_cell(known.get((kind, provider, region)), empty) for region in regions],
            )
            for provider in providers
            for kind in types
        ]
        tables.append(Table(part, regions, rows))
    return Matrix(organization["organization"], organization["name"], tables, is_doubtful)


def _types(organization: Mapping[str, Any]) -> Sequence[str]:
    strange = any(cell["type"] == "unknown" for cell in organization["cells"])
    return (*_TYPES, "unknown") if strange else _TYPES


def _bands(organization: Mapping[str, Any]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield what stands in one table: all of it if it fits, else each provider by itself."""
    of_provider: dict[str, set[str]] = {}
    for cell in organization["cells"]:
        of_provider.setdefault(cell["provider"], set()).add(cell["region"])
    providers = [each for each in PROVIDER if each in of_provider]
    every = list(
        dict.fromkeys(region for each in providers for region in sorted(of_provider[each]))
    )
    if not every:
        return
    if len(every) <= WIDEST:
        yield "", providers, every
        return
    for provider in providers:
        regions = sorted(of_provider[provider])
        for start in range(0, len(regions), WIDEST):
            some = regions[start : start + WIDEST]
            part = f", regions {start + 1} to {start + len(some)} of {len(regions)}"
            whole = len(some) == len(regions)
            yield f"{PROVIDER[provider]}{'' if whole else part}", [provider], some


def _cell(cell: Mapping[str, Any] | None, empty: Cell) -> Cell:
    if cell is None:
        return empty
    return Cell(CELL[cell["state"]], cell["finding"], cell["databases"], cell["keys"])
