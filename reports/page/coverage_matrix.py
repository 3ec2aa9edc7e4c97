"""The coverage matrix laid out in tables that fit a page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.engine.card import SEVERITIES
from checks.engine.finding import NOT_COMPLYING, STATUSES
from reports.presentation.labels import CELL, NO_DATABASE, NOT_KNOWN, PROVIDER, STATUS, TYPE, Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.model.key_plan import CoverageCell, CoverageRow

    Location = tuple[str, str, str]

WIDEST = 6
"""The most regions that a table shows side by side."""

_TYPES = ("serverless", "managed-clusters")


class MatrixCell(NamedTuple):
    """One key scope in the matrix.

    Attributes:
        label: its state, as the page shows it.
        data: the worst finding about it, its databases and its keys, as the record holds them;
            None if nothing is known of it.
        is_bad: whether the cell has to show the finding because of which it is not covered.
    """

    label: Label
    data: CoverageCell | None = None
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

    No organization that fails is left out: without room for its matrix, it is listed. If not all of
    it was read and judged, as in a run that ``is_partial``, nothing is claimed of unknown cells.
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
    worst, counts, identity = row["worst"], row["counts"], (row["name"], row["organization"])
    if worst is None:
        return (len(STATUSES), *identity)
    rank = STATUSES.index(worst["status"]), SEVERITIES.index(worst["severity"])
    fails = counts["error"] + counts["fail"]
    if worst["severity"] == "advisory":
        # Behind every other finding, as an advisory stops nothing; advisories by their status.
        rank = len(STATUSES) - 1, rank[0]
    return (*rank, -fails, -counts["inconclusive"], *identity)


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
    """Yield the content of each table: everything if it fits, else each provider by itself."""
    of_provider: dict[str, set[str]] = {}
    for cell in organization["cells"]:
        of_provider.setdefault(cell["provider"], set()).add(cell["region"])
    providers = [provider for provider in PROVIDER if provider in of_provider]
    # Two providers may give regions the same name: such regions share a column.
    in_order = (region for provider in providers for region in sorted(of_provider[provider]))
    columns = list(dict.fromkeys(in_order))
    if not columns:
        return
    if len(columns) <= WIDEST:
        yield "", providers, columns
        return
    for provider in providers:
        regions = sorted(of_provider[provider])
        for start in range(0, len(regions), WIDEST):
            some = regions[start : start + WIDEST]
            part = f", regions {start + 1} to {start + len(some)} of {len(regions)}"
            whole = len(some) == len(regions)
            yield f"{PROVIDER[provider]}{'' if whole else part}", [provider], some


def _cell(data: CoverageCell | None, empty: MatrixCell) -> MatrixCell:
    if data is None:
        return empty
    label = CELL[data["state"]]
    if data["status"] in NOT_COMPLYING and data["severity"] != "advisory":
        return MatrixCell(_worse(label, STATUS[data["status"]]), data, is_bad=True)
    return MatrixCell(label, data, is_bad=data["state"] == "unproven")


def _worse(state: Label, status: Label) -> Label:
    """Return the label of the ``state`` in the colour and shape of ``status``, if that is worse."""
    # Only failing and inconclusive states rank. Any other, such as an unused key in the colour of
    # a waiver, gives way to every status.
    rank = NOT_COMPLYING.index(state.css) if state.css in NOT_COMPLYING[1:3] else len(NOT_COMPLYING)
    if rank <= NOT_COMPLYING.index(status.css):
        return state
    return state._replace(css=status.css, shape=status.shape)
