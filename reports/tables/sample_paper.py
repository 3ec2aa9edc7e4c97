"""The work paper of a sample: the words that all its forms share, and its form in CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from reports.presentation.sample import DEFAULT_SIZE
from reports.presentation.sample_table import (
    PURPOSES,
    command_to_list,
    command_to_reproduce,
    describe_method,
    take_sample,
)
from reports.tables.cells import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reports.model.head import Head
    from reports.presentation.sample import Conclusion
    from reports.presentation.sample_table import Sample

_COLUMNS = (
    "draw",
    "number",
    "organization",
    "organization id",
    "name",
    "id",
    "type",
    "provider",
    "regions",
    "key scopes",
    "keys",
    "state",
    "location",
    "note",
    "concluded",
    "result",
    "performed by",
    "date",
)

CONCLUSION = (
    "Exceptions found",
    "Conclusion",
    "Performed by, on",
    "Reviewed by, on",
)
"""What the auditor fills in below the sample."""


def facts_of(drawn: Sample) -> Iterator[tuple[str, str]]:
    """Yield what heads the work paper: each title with its text."""
    yield "Purpose", PURPOSES[drawn.kind]
    yield "Population", drawn.population
    yield "Source", f"{drawn.file}, SHA-256 {drawn.sha256}"
    yield "Seed", f"{drawn.seed} (the id of the report)"
    yield "Size", f"{len(drawn.rows):,} of {drawn.total:,}; asked for: {drawn.size:,}"


def concluded(conclusions: Sequence[Conclusion]) -> str:
    """Return what the suite concluded: each rule with its status and the ids of its findings."""
    return "; ".join(map(one_conclusion, conclusions)) or "nothing: no finding is about it"


def one_conclusion(conclusion: Conclusion) -> str:
    """Return what one rule concluded, with the ids of the first findings and their number."""
    more = conclusion.total - len(conclusion.ids)
    ids = f"{', '.join(conclusion.ids)}{f' and {more:,} more' if more else ''}"
    return f"{conclusion.rule} {conclusion.status} ({ids})"


# --- CSV ------------------------------------------------------------------------------------------


def paper_of(head: Head, lines: Iterable[bytes], population: Iterable[bytes]) -> list[str]:
    """Return the lines of the work paper that everybody gets who asks for nothing else."""
    return list(csv_lines(take_sample(head, lines, population, DEFAULT_SIZE, "databases")))


def csv_lines(drawn: Sample) -> Iterator[str]:
    """Yield the sample as a table, below the facts about it, each a row of two cells."""
    yield from (_csv_line(fact) for fact in facts_of(drawn))
    yield from (_csv_line(("Method", sentence)) for sentence in describe_method(drawn))
    yield _csv_line(("Numbers", command_to_reproduce(drawn)))
    yield from (_csv_line(("Lines", command_to_list(drawn))), "")
    yield _csv_line(_COLUMNS)
    for row in drawn.rows:
        texts = ("; ".join(cell) if isinstance(cell, tuple) else str(cell) for cell in row[:-1])
        yield _csv_line((*texts, concluded(row.conclusions), "", "", ""))
    yield ""
    yield from (_csv_line((title, "")) for title in CONCLUSION)


def _csv_line(cells: Sequence[str]) -> str:
    """Render one row; no cell is taken for a formula, and none breaks the line."""
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow(map(one_line, cells))
    return file.getvalue()
