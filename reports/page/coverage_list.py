"""The coverage as a list: a row for each organization, worst first, which opens to its key scopes.

Only key scopes in use are shown, a block for each provider. No organization with anything open is
left out: without room for its key scopes, its row has its worst finding in words.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.finding import NOT_COMPLYING, STATUSES
from reports.page.bars import Piece, lay_out_bar
from reports.presentation.labels import CELL, PROVIDER, STATUS, TYPE, Label
from reports.presentation.organization_status import IN_ORDER, state_of, worst_first
from reports.presentation.protection_text import expected, recorded_protection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from checks.engine.card import Severity
    from reports.model.key_plan import CoverageCell, CoverageRow, Reason
    from reports.model.protection import Protection


class CellView(NamedTuple):
    """A key scope.

    Attributes:
        label: its state.
        type: its database type.
        region: its region; still to be escaped.
        data: what the record holds of it.
        is_bad: whether it has to show the finding because of which it is not covered.
    """

    label: Label
    type: str
    region: str
    data: CoverageCell
    is_bad: bool


class ProviderBlock(NamedTuple):
    """The key scopes of an organization with one provider, and how many are in which state."""

    provider: str
    cells: list[CellView]
    states: list[tuple[Label, int]]


class OrganizationView(NamedTuple):
    """An organization.

    Attributes:
        id: its id; still to be escaped, as is its name.
        name: its name.
        label: what it comes to.
        protection: how many of its databases are protected; None in a record of an older version.
        expected: how many databases are to be encrypted by a customer key.
        bar: the same as a bar.
        open: how many findings are open, by severity; None in a record of an older version.
        worst: its worst finding; None if none is open or waived.
        blocks: its key scopes; empty if there is no room for them.
        cells: how many key scopes it has.
        is_complete: whether all of it was read and judged.
    """

    id: str
    name: str
    label: Label
    protection: Protection | None
    expected: int
    bar: list[Piece]
    open: dict[Severity, int] | None
    worst: Reason | None
    blocks: list[ProviderBlock]
    cells: int
    is_complete: bool


class FoldedOrganizations(NamedTuple):
    """Organizations that only have their id and name shown, and what they come to."""

    label: Label
    organizations: list[tuple[str, str]]


class CoverageList(NamedTuple):
    """The rows, worst first, and the organizations without anything open that are folded."""

    shown: list[OrganizationView]
    folded: list[FoldedOrganizations]


def lay_out_coverage(
    coverage: Sequence[CoverageRow], *, most_cells: int, most_whole: int, is_partial: bool
) -> CoverageList:
    """List organizations, the worst first, with the key scopes of the first ``most_cells``.

    Above ``most_whole`` organizations, those that are in order are folded; of a run that
    ``is_partial``, none is.
    """
    is_folding = len(coverage) > most_whole
    folded: dict[Label, list[tuple[str, str]]] = {}
    shown: list[OrganizationView] = []
    room = most_cells
    for row in worst_first(coverage, is_partial=is_partial):
        label = state_of(row)
        if is_folding and label in IN_ORDER:
            folded.setdefault(label, []).append((row["organization"], row["name"]))
            continue
        room -= len(row["cells"])
        shown.append(_view(row, label, has_room=room >= 0))
    return CoverageList(shown, [FoldedOrganizations(*group) for group in folded.items()])


def _view(row: CoverageRow, label: Label, *, has_room: bool) -> OrganizationView:
    protection = recorded_protection(row)
    return OrganizationView(
        id=row["organization"],
        name=row["name"],
        label=label,
        protection=protection,
        expected=expected(protection) if protection else 0,
        bar=protection_bar(protection) if protection else [],
        open=row.get("open"),
        worst=row["worst"],
        blocks=list(_blocks(row)) if has_room else [],
        cells=len(row["cells"]),
        is_complete=row["complete"],
    )


def protection_bar(protection: Protection) -> list[Piece]:
    """Return a bar of databases by what is proven of their encryption."""
    return lay_out_bar(by_outcome(protection))


def by_outcome(protection: Protection) -> dict[str, int]:
    """Return the numbers of databases by the class that colours them, each database in one."""
    return {
        "pass": protection["protected"],
        "fail": protection["unprotected"] - protection["waived"],
        "waived": protection["waived"],
        "inconclusive": protection["unproven"],
        "not-applicable": protection["astra_provided"],
    }


def _blocks(row: CoverageRow) -> Iterator[ProviderBlock]:
    for provider, name in PROVIDER.items():
        cells = sorted(
            (_cell(cell) for cell in row["cells"] if cell["provider"] == provider), key=_urgency
        )
        if cells:
            states = Counter(cell.label for cell in cells)
            yield ProviderBlock(name, cells, list(states.items()))


def _urgency(cell: CellView) -> tuple[int, str, str]:
    statuses = [status for status in STATUSES if STATUS[status].css == cell.label.css]
    rank = STATUSES.index(statuses[0]) if statuses else len(STATUSES)
    return rank, cell.region, cell.type


def _cell(data: CoverageCell) -> CellView:
    label = CELL[data["state"]]
    is_open = data["status"] in NOT_COMPLYING and data["severity"] != "advisory"
    if is_open:
        label = _worse(label, STATUS[data["status"]])
    is_bad = is_open or data["state"] == "unproven"
    return CellView(label, TYPE[data["type"]], data["region"], data, is_bad)


_RANKED = ("fail", "inconclusive")
"""The colours of states that rank; any other gives way to the status of a finding."""


def _worse(state: Label, status: Label) -> Label:
    """Return the label of the ``state`` in the colour and shape of ``status``, if that is worse."""
    rank = STATUSES.index(state.css) if state.css in _RANKED else len(STATUSES)
    if rank <= STATUSES.index(status.css):
        return state
    return state._replace(css=status.css, shape=status.shape)
