"""``cmek-audit sample``: draws a sample of an audit, as a work paper for an auditor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cmek_audit import parameters
from cmek_audit.console import wrapped, write_json, write_lines
from cmek_audit.exit_codes import ExitCode, interruptible
from inventory.text.display import printable
from reports.presentation.markdown_text import code, prose, table
from reports.presentation.sample import DEFAULT_SIZE, KINDS
from reports.presentation.sample_table import (
    Sample,
    command_to_list,
    command_to_reproduce,
    describe_method,
    take_sample,
)
from reports.record.reader import read_record, relying_on
from reports.tables.sample_paper import CONCLUSION, concluded, csv_lines, facts_of, one_conclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reports.presentation.sample import Conclusion, Kind
    from reports.presentation.sample_table import SampledRow
    from reports.record.reader import Record

_LINE = "_" * 20
_LONGEST = 1_000_000
"""Longer than any row, in characters."""


@click.command(context_settings=parameters.SETTINGS)
@parameters.report
@click.option(
    "--size",
    "-n",
    type=click.IntRange(min=1),
    default=DEFAULT_SIZE,
    metavar="N",
    help="How many to draw; all if there are fewer.",
)
@click.option(
    "--kind", "-k", type=parameters.Word(KINDS), default="databases", help="What to draw from."
)
@click.option(
    "--format",
    "-f",
    "format_name",
    type=parameters.Word(["table", "csv", "json", "markdown"]),
    default="table",
    help="How to print it.",
)
@parameters.as_json
@interruptible("nothing was drawn")
@click.pass_context
def sample(context: click.Context, /, report: str, *, as_json: bool, **values: Any) -> ExitCode:  # noqa: ANN401 (as click passes them)
    """Draw a sample of an audit, to be performed again by hand.

    REPORT is a report folder or its audit.json; without it, audit-report. The record is checked
    before it is used. The report's id is the seed, so everybody draws the same sample. What is
    printed is a work paper: population, method, the sample with what the suite concluded, and
    empty columns for your results.

    \b
    Exit codes:
      0  drawn
      2  interrupted; nothing was drawn
      3  internal error
      4  no record, or a changed one
    """
    format_name = parameters.choose_format(context, values["format_name"], as_json=as_json)
    drawn = _draw(read_record(report), values["size"], values["kind"])
    if format_name == "json":
        write_json(_as_json(drawn))
    else:
        # Each cell is cut by itself: a row that is cut as a whole loses its last columns.
        write_lines(_render(drawn, format_name), width=_LONGEST)
    return ExitCode.DONE


def _render(drawn: Sample, format_name: str) -> str:
    printers = {"table": _text, "csv": csv_lines, "markdown": _markdown}
    return "\n".join(printers[format_name](drawn))


def _draw(record: Record, size: int, kind: Kind) -> Sample:
    with relying_on(record):
        return take_sample(record.head, record.lines(), record.population_lines(), size, kind)


def _as_json(drawn: Sample) -> dict[str, Any]:
    """Return the sample with what it takes to draw it again, by the names of its fields."""
    rows = [
        row._asdict() | {"conclusions": [one._asdict() for one in row.conclusions]}
        for row in drawn.rows
    ]
    again = {"numbers": command_to_reproduce(drawn), "lines": command_to_list(drawn)}
    method = list(describe_method(drawn))
    return drawn._asdict() | {"method": method, "commands": again, "rows": rows}


def _cut(texts: Iterable[str]) -> list[str]:
    """Return those of ``texts`` that are not empty, each harmless and on one line."""
    return [printable(" ".join(text.splitlines())) for text in texts if text]


# --- text -----------------------------------------------------------------------------------------


def _text(drawn: Sample) -> Iterator[str]:
    yield from ("Sample for re-performance", "")
    for title, text in facts_of(drawn):
        yield f"{title + ':':<12}{text}"
    yield from ("", "Method:")
    for sentence in describe_method(drawn):
        yield from wrapped(sentence, "  ")
    yield from ("", "The numbers of the sample, drawn again:", f"  {command_to_reproduce(drawn)}")
    yield from ("The lines of the population, numbered:", f"  {command_to_list(drawn)}")
    for row in drawn.rows:
        yield from ("", *_text_of_row(row))
    if not drawn.rows:
        yield from ("", "The population is empty: nothing can be drawn.")
    yield ""
    yield from (f"{title + ':':<20}{_LINE}" for title in CONCLUSION)


def _text_of_row(row: SampledRow) -> Iterator[str]:
    name = printable(" ".join((row.name or row.id).splitlines()))
    yield f"{row.draw}. Number {row.number:,}: {name}, {row.state}"
    facts = (
        ("Organization", (row.organization, row.organization_id)),
        ("Id", (row.id,)),
        ("Type", (" on ".join(filter(None, (row.type, row.provider))),)),
        ("Regions", row.regions),
        ("Key scopes", row.scopes),
        ("Keys", row.keys),
        ("Location", (row.location,)),
        ("Note", (row.note,)),
        ("Concluded", tuple(map(one_conclusion, row.conclusions)) or (concluded(()),)),
    )
    for title, texts in facts:
        for place, text in enumerate(_cut(texts)):
            yield f"   {'' if place else title:<14}{text}"
    yield f"   {'Result':<14}{_LINE}  By {_LINE}  On {_LINE}"


# --- Markdown -------------------------------------------------------------------------------------


def _markdown(drawn: Sample) -> Iterator[str]:
    yield from ("## Sample for re-performance", "")
    for title, text in facts_of(drawn):
        yield f"- **{title}**: {prose(text)}"
    yield from ("", "### Method", "")
    for sentence in describe_method(drawn):
        yield f"- {prose(sentence, 1_000)}"
    yield from ("", "```sh", command_to_reproduce(drawn), command_to_list(drawn), "```")
    yield from ("", "### Sample", "")
    columns = ("No.", "Member", "Organization", "Places", "Keys", "Location")
    titles = (*columns, "Concluded", "Result", "By", "Date")
    yield from table(titles, map(_markdown_row, drawn.rows))
    yield from ("", "### Conclusion", "")
    yield from (f"- **{title}**:" for title in CONCLUSION)


def _markdown_row(row: SampledRow) -> Sequence[str]:
    kind = " on ".join(filter(None, (row.type, row.provider)))
    member = " ".join(code(text) for text in (row.name, row.id) if text)
    note = f"{row.state}; {row.note}" if row.note else row.state
    return (
        f"{row.number}",
        f"{member} {prose(note, 1_000)}",
        " ".join(code(text) for text in (row.organization, row.organization_id) if text),
        " ".join(filter(None, (kind, *map(code, row.regions), *map(code, row.scopes)))) or "none",
        " ".join(map(code, row.keys)) or "none",
        code(row.location),
        "; ".join(map(_markdown_conclusion, row.conclusions)) or concluded(()),
        *("", "", ""),
    )


def _markdown_conclusion(conclusion: Conclusion) -> str:
    more = conclusion.total - len(conclusion.ids)
    ids = f"{' '.join(map(code, conclusion.ids))}{f' and {more:,} more' if more else ''}"
    return f"{code(conclusion.rule)} {conclusion.status} {ids}"
