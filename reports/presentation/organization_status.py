"""What an organization comes to, and which organization comes first in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from checks.engine.card import SEVERITIES
from reports.presentation.labels import Label
from reports.presentation.protection_text import expected, recorded_protection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.model.key_plan import CoverageRow, Reason
    from reports.model.protection import Protection

BROKEN = Label("error", "!", "check broke", "A check broke there, so not everything is known.")
NOT_PROTECTED = Label(
    "fail", "✕", "not protected", "A database there is not encrypted by a customer key."
)
FAILING = Label("fail", "✕", "fails a rule", "A rule fails there, and no database is unprotected.")
NOT_PROVEN = Label(
    "inconclusive", "?", "not proven", "Something could not be evaluated there, and nothing fails."
)
WAIVED = Label("waived", "§", "waived", "What fails there is accepted by a waiver.")
PROTECTED = Label(
    "pass", "✓", "protected", "Every database there is proven to be encrypted by a customer key."
)
DECLARED = Label(
    "not-applicable", "△", "Astra’s keys", "Its databases are declared to use Astra’s keys."
)
EMPTY = Label("nothing", "—", "no database", "No database is recorded there.")
IN_ORDER = (PROTECTED, DECLARED, EMPTY)
"""What an organization comes to of which nothing is open or waived."""

STATES = (BROKEN, NOT_PROTECTED, FAILING, NOT_PROVEN, WAIVED, PROTECTED, DECLARED, EMPTY)
"""What an organization comes to, the worst first."""


def worst_first(rows: Iterable[CoverageRow], *, is_partial: bool = False) -> list[CoverageRow]:
    """Return the organizations by what they come to, the worst first.

    Of a run that ``is_partial``, none is taken for complete.
    """
    doubted = ({**row, "complete": False} for row in rows) if is_partial else rows
    return sorted(cast("Iterable[CoverageRow]", doubted), key=_order)


def state_of(row: CoverageRow) -> Label:
    """Return what an organization comes to: no better than its worst finding or database."""
    protection, worst = recorded_protection(row), _above_advisory(row["worst"])
    status = worst["status"] if worst else ""
    unprotected, unproven, waived = _numbers(protection)
    conditions = (
        (status == "error", BROKEN),
        (unprotected > waived, NOT_PROTECTED),
        (status == "fail", FAILING),
        (unproven or status == "inconclusive" or not row["complete"], NOT_PROVEN),
        (waived or status == "waived", WAIVED),
        (protection and protection["protected"], PROTECTED),
        (protection and protection["astra_provided"], DECLARED),
    )
    return next((label for holds, label in conditions if holds), _without_numbers(row))


def _without_numbers(row: CoverageRow) -> Label:
    """Return the state of an organization without a database, or of an older record."""
    if "protection" in row:
        return EMPTY
    states = {cell["state"] for cell in row["cells"]}
    return PROTECTED if states == {"covered"} else NOT_PROVEN if states else EMPTY


def _numbers(protection: Protection | None) -> tuple[int, int, int]:
    if protection is None:
        return 0, 0, 0
    return protection["unprotected"], protection["unproven"], protection["waived"]


def _above_advisory(worst: Reason | None) -> Reason | None:
    return worst if worst and worst["severity"] != "advisory" else None


def _order(row: CoverageRow) -> tuple[int, int, int, int, str, str]:
    """Return what sorts the organizations with the worst first."""
    worst, counts = row["worst"], row["counts"]
    return (
        STATES.index(state_of(row)),
        SEVERITIES.index(worst["severity"]) if worst else len(SEVERITIES),
        -counts["error"] - counts["fail"],
        -counts["inconclusive"],
        row["name"],
        row["organization"],
    )


def protected_of(row: CoverageRow) -> str:
    """Return how many databases are proven to be encrypted, of those that are to be: ``3 of 4``."""
    protection = recorded_protection(row)
    if protection is None:
        return "not recorded"
    total = expected(protection)
    return f"{protection['protected']:,} of {total:,}" if total else "none expected"
