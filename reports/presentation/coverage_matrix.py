"""The coverage matrix laid out in tables that fit a page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.card import SEVERITIES
from checks.engine.finding import STATUSES
from reports.presentation.labels import CELL, NO_DATABASE, NOT_KNOWN, PROVIDER, STATUS, TYPE, Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.model.key_plan import CoverageCell, CoverageRow

    Location = tuple[str, str, str]

WIDEST = 6
"""How many regions stand beside each other."""

_TYPES = ("serverless", "managed-clusters")


_BAD = ("error", "fail", "inconclusive", "waived")
"""The statuses of which a cell takes the colour, the worst first."""


class MatrixCell(NamedTuple):
    """One key scope in the matrix.

    Attributes:
        look: how its state looks.
        told: the worst finding about it, its databases and its keys, as the record holds them;
            None if nothing is known of it.
        is_bad: whether it has to say which finding keeps it from looking well.
    """

    look: Label
    told: CoverageCell | None = None
    is_bad: bool = False


class MatrixRow(NamedTuple):
    """A database type with a provider, and its cells, one for each region of the table."""

    type: str
    provider: str
    cells: list[MatrixCell]


class MatrixTable(NamedTuple):
    """Some regions of an organization side by side; ``part`` says which, if these are not all."""

    part: str
    regions: list[str]
    rows: list[MatrixRow]


class CoverageMatrix(NamedTuple):
    """All tables of one organization, and whether not all of it was read and judged."""

    organization: str
    name: str
    tables: list[MatrixTable]
    is_doubtful: bool


class CoverageTables(NamedTuple):
    """The coverage of all organizations, those with the worst findings first.

    Attributes:
        shown: organizations with their matrices.
        failing: those that fail and for whose matrices there is no room.
        left_out: how many others there are.
        left_cells: how many of their cells are in which state.
    """

    shown: list[CoverageMatrix]
    failing: list[CoverageRow]
    left_out: int
    left_cells: dict[str, int]


def lay_out(coverage: Sequence[CoverageRow], most: int, *, is_partial: bool) -> CoverageTables:
    """Lay out organizations until ``most`` cells are reached, those with the worst findings first.

    Of those that fail none is left out: where there is no room for its matrix, it is listed. Where
    not all was read and judged, so in a run that ``is_partial``, nothing is claimed.
    """
    room, shown = most, 0
    ordered = sorted(coverage, key=_order)
    for row in ordered:
        room -= _size(row)
        if room < 0:
            break
        shown += 1
    failing = [row for row in ordered[shown:] if _fails(row)]
    left = [row for row in ordered[shown:] if not _fails(row)]
    states = Counter(cell["state"] for row in left for cell in row["cells"])
    counted = {CELL[state].word: states[state] for state in CELL if states[state]}
    matrices = [
        _matrix(row, is_doubtful=is_partial or not row["complete"]) for row in ordered[:shown]
    ]
    return CoverageTables(matrices, failing, len(left), counted)


def _order(row: CoverageRow) -> tuple[Any, ...]:
    """Return what sorts the organizations with the worst findings first."""
    worst, counts, named = row["worst"], row["counts"], (row["name"], row["organization"])
    if worst is None:
        return (len(STATUSES), *named)
    place = STATUSES.index(worst["status"]), SEVERITIES.index(worst["severity"])
    fails = counts["error"] + counts["fail"]
    if worst["severity"] == "advisory":
        place = len(STATUSES) - 1, place[0]
    return (*place, -fails, -counts["inconclusive"], *named)


def _fails(row: CoverageRow) -> bool:
    """Say whether an organization has a failure above an advisory, or a check broke there."""
    worst = row["worst"]
    return bool(worst and worst["status"] in {"error", "fail"} and worst["severity"] != "advisory")


def _size(organization: CoverageRow) -> int:
    types, bands = _types(organization), _bands(organization)
    cells = sum(len(types) * len(providers) * len(regions) for _, providers, regions in bands)
    return max(cells, 1)


def _matrix(organization: CoverageRow, *, is_doubtful: bool) -> CoverageMatrix:
    known: dict[Location, CoverageCell] = {
        (cell["type"], cell["provider"], cell["region"]): cell for cell in organization["cells"]
    }
    types = _types(organization)
    empty = MatrixCell(CELL[NOT_KNOWN if is_doubtful else NO_DATABASE])
    tables = []
    for part, providers, regions in _bands(organization):
        rows = [
            MatrixRow(
                TYPE[kind],
                PROVIDER[provider],
                [_cell(known.get((kind, provider, region)), empty) for region in regions],
            )
            for provider in providers
            for kind in types
        ]
        tables.append(MatrixTable(part, regions, rows))
    return CoverageMatrix(organization["organization"], organization["name"], tables, is_doubtful)


def _types(organization: CoverageRow) -> Sequence[str]:
    strange = any(cell["type"] == "unknown" for cell in organization["cells"])
    return (*_TYPES, "unknown") if strange else _TYPES


def _bands(organization: CoverageRow) -> Iterator[tuple[str, list[str], list[str]]]:
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


def _cell(told: CoverageCell | None, empty: MatrixCell) -> MatrixCell:
    if told is None:
        return empty
    look = CELL[told["state"]]
    if told["status"] in _BAD and told["severity"] != "advisory":
        return MatrixCell(_worse(look, STATUS[told["status"]]), told, is_bad=True)
    return MatrixCell(look, told, is_bad=told["state"] == "unproven")


def _worse(look: Label, status: Label) -> Label:
    """Return ``look`` in the colour and shape of ``status``, if that is worse."""
    own = _BAD.index(look.css) if look.css in _BAD[1:3] else len(_BAD)
    if own <= _BAD.index(status.css):
        return look
    return look._replace(css=status.css, shape=status.shape)
