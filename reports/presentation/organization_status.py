"""The organizations of an audit in a list: the worst first, each with the status it deserves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.card import SEVERITIES
from checks.engine.finding import STATUSES
from reports.presentation.labels import STATUS, Label
from reports.presentation.protection_text import expected, recorded_protection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.engine.finding import Status
    from reports.model.key_plan import CoverageRow

_PARTIAL = STATUS["inconclusive"]._replace(word="not judged in full")


def worst_first(rows: Iterable[CoverageRow]) -> list[CoverageRow]:
    """Return the organizations, those with the worst findings first."""
    return sorted(rows, key=_urgency)


def _urgency(row: CoverageRow) -> tuple[bool, int, int, int, int, str, str]:
    worst, counts = row["worst"], row["counts"]
    fails = counts.get("error", 0) + counts.get("fail", 0)
    return (
        worst is None or worst["severity"] == "advisory",
        STATUSES.index(worst["status"]) if worst else len(STATUSES),
        SEVERITIES.index(worst["severity"]) if worst else len(SEVERITIES),
        -fails,
        -counts.get("inconclusive", 0),
        row["name"],
        row["organization"],
    )


def status_of(row: CoverageRow, *, is_partial: bool = False) -> Label:
    """Return the status of an organization: that of its worst finding, and never a better one.

    What was not judged in full is shown as inconclusive at best, as is a database that is not
    proven to be encrypted; one that is not encrypted is shown as failing, or as waived. An advisory
    is named for what it is.
    """
    worst = row["worst"]
    found = worst["status"] if worst else "pass"
    if worst and worst["severity"] == "advisory":
        label = STATUS[worst["status"]]
        found, shown = "pass", label._replace(word=f"advisory {label.word}")
    else:
        shown = STATUS[found]
    floor = _floor(row)
    if STATUSES.index(floor) < STATUSES.index(found):
        found, shown = floor, STATUS[floor]
    is_doubtful = is_partial or not row["complete"]
    if is_doubtful and STATUSES.index(found) > STATUSES.index("inconclusive"):
        return _PARTIAL
    return shown


def _floor(row: CoverageRow) -> Status:
    """Return the status that is the best that the databases of an organization allow."""
    protection = recorded_protection(row)
    if protection is None:
        return "pass"
    if protection["unprotected"] > protection["waived"]:
        return "fail"
    if protection["unproven"]:
        return "inconclusive"
    return "waived" if protection["waived"] else "pass"


def protected_of(row: CoverageRow) -> str:
    """Return how many databases are proven to be encrypted, of those that are to be: ``3 of 4``."""
    protection = recorded_protection(row)
    if protection is None:
        return "not recorded"
    total = expected(protection)
    return f"{protection['protected']:,} of {total:,}" if total else "none expected"
