"""The chart of the last audits: how many databases were protected, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reports.comparison.changes import summarize_changes
from reports.presentation.protection_text import expected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.model.changes import ChangesSummary
    from reports.model.head import Head
    from reports.model.protection import Protection
    from reports.model.trend import TrendEntry

BASELINE = 80
"""The foot of the columns in the chart, in its pixels from the top."""

_STEP, _WIDTH = 26, 18
_HIGHEST = 72  # a column is higher by the little that small numbers of databases are enlarged
_LEAST = 3
_NARROWEST = 150  # room for the two dates below the first and the last column


class TrendPiece(NamedTuple):
    """A part of a column: its state as a word of the style sheet, its top and its height."""

    css: str
    y: int
    height: int


class TrendColumn(NamedTuple):
    """An audit in the chart.

    Attributes:
        x: where its column begins.
        entry: the audit.
        pieces: the parts of the column from the bottom; none if there is no database.
        total: how many databases were to be protected; None if the record does not count them.
    """

    x: int
    entry: TrendEntry
    pieces: tuple[TrendPiece, ...]
    total: int | None


class Trend(NamedTuple):
    """What the page shows of the last audits.

    Attributes:
        columns: the audits, the oldest first and this one last; none without an earlier audit.
        width: the width of the chart.
        label: the chart in words.
        caution: why its columns cannot be compared as they are; empty if they can.
        changes: what changed since the baseline; empty if none was given.
    """

    columns: tuple[TrendColumn, ...]
    width: int
    label: str
    caution: str
    changes: str


def entry_of(head: Head) -> TrendEntry:
    """Return the audit of ``head`` as later records list it."""
    return {
        "report": head["report"],
        "as_of": head["settings"]["as_of"],
        "outcome": head["verdict"]["outcome"],
        "organizations": len(head["population"]["organizations"]),
        # The record of an older version does not count the databases.
        "protection": head.get("protection"),
        "open": head["open"],
        "counts": head["counts"],
    }


def trend_of(head: Head) -> Trend:
    """Return the trend that ends with the audit of ``head``; older records list no other audit."""
    return lay_out_trend(head.get("trend", ()), entry_of(head), head["changes"])


def lay_out_trend(
    earlier: Sequence[TrendEntry], current: TrendEntry, changes: ChangesSummary | None
) -> Trend:
    """Lay out the audits ``earlier``, oldest first, and the ``current`` one."""
    entries = (*earlier, current) if earlier else ()
    totals = [_total(entry["protection"]) for entry in entries]
    highest = max((total or 0 for total in totals), default=0)
    columns = tuple(
        TrendColumn(
            place * _STEP + (_STEP - _WIDTH) // 2, entry, tuple(_pieces(entry, highest)), total
        )
        for place, (entry, total) in enumerate(zip(entries, totals, strict=True))
    )
    return Trend(
        columns=columns,
        width=max(_NARROWEST, len(columns) * _STEP),
        label=_label(columns),
        caution=_caution(columns),
        changes=_changes(changes),
    )


def _total(protection: Protection | None) -> int | None:
    return None if protection is None else expected(protection)


def _pieces(entry: TrendEntry, highest: int) -> Iterator[TrendPiece]:
    """Stack the databases of an audit, the protected ones at the bottom."""
    numbers = entry["protection"]
    if numbers is None:
        return
    bad, doubtful = (_height(numbers[name], highest) for name in ("unprotected", "unproven"))
    # Whatever the others gain by being made visible, the protected part loses.
    whole = _height(expected(numbers), highest)
    good = max(whole - bad - doubtful, _LEAST) if numbers["protected"] else 0
    bottom = BASELINE
    for css, height in (("pass", good), ("inconclusive", doubtful), ("fail", bad)):
        if height:
            bottom -= height
            yield TrendPiece(css, bottom, height)


def _height(number: int, highest: int) -> int:
    """Return the height of ``number`` databases; of any there is something to see."""
    return max(_LEAST, round(_HIGHEST * number / highest)) if number else 0


# --- in words -------------------------------------------------------------------------------------


def _label(columns: Sequence[TrendColumn]) -> str:
    """Describe the chart, for those who do not see it."""
    if not columns:
        return ""
    begin, end = columns[0].entry["as_of"][:10], columns[-1].entry["as_of"][:10]
    shown = ", ".join(map(_share, columns))
    return (
        f"Databases proven to be encrypted with customer keys in {len(columns)} audits "
        f"from {begin} to {end}: {shown}"
    )


def _share(column: TrendColumn) -> str:
    protection = column.entry["protection"]
    if protection is None:
        return "not recorded"
    return f"{protection['protected']:,} of {column.total:,}"


def _caution(columns: Sequence[TrendColumn]) -> str:
    """Say what differs between the audits beside their results; empty if nothing does."""
    organizations = [column.entry["organizations"] for column in columns]
    databases = [column.total for column in columns if column.total is not None]
    counts = {"organizations": organizations, "databases": databases}
    differing = " and ".join(
        f"{min(numbers):,} to {max(numbers):,} {noun}"
        for noun, numbers in counts.items()
        if len(set(numbers)) > 1
    )
    return f"The audits are of {differing}, so compare them with care." if differing else ""


def _changes(changes: ChangesSummary | None) -> str:
    if not changes:
        return ""
    return f"Since {changes['baseline']['as_of'][:10]}: findings {summarize_changes(changes)}."
