"""The terminal: what is audited, what to do, and the verdict."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Protocol

from checks.engine.context import utc
from checks.engine.finding import ACROSS
from checks.engine.grouping import MOST_ITEMS
from cmek_audit.run.audit import first_page, without_file
from cmek_audit.run.pytest_options import used_settings
from cmek_audit.run.pytest_reports import unavailable
from cmek_audit.run.pytest_results import NO_AUDIT
from inventory.text.display import pluralize, printable
from inventory.text.secrets import without_secrets
from reports.comparison.changes import summarize_changes
from reports.presentation.action_groups import first, group_actions
from reports.presentation.banners import OUTSIDE, banners
from reports.presentation.evidence_text import rests_on
from reports.presentation.messages import count_records, describe_items, number_of
from reports.presentation.protection_text import answer
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import notice, urgent_waivers
from reports.record.verdict import ENDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from cmek_audit.run.judging import Judged
    from cmek_audit.run.option_values import Options
    from reports.model.head import Head
    from reports.presentation.action_groups import ActionGroup

MOST_SHOWN = 12
MOST_ACTIONS = 5
MOST_LINES = 3
MANY_ITEMS = 3_000
"""More test items than these take so long that a run warns before it makes them."""

_QUIET = -2
"""From which verbosity of pytest's an audit shows its verdict alone: that of ``-qq``."""

_ITEM_SECONDS = 0.0005, 0.0008
_ITEM_MEGABYTES = 0.006
_PAIR_SECONDS = 2e-6
"""pytest's summary of failures looks at all reports for each failure."""

_INDENT = 9
_LABEL = len("Findings: ")
_NARROWEST = 40
_LONGEST_SETTING = 400
_MORE = " … more in the report"


def is_quiet(config: pytest.Config) -> bool:
    """Return whether only the verdict is shown, and what limits it."""
    return int(getattr(config.option, "verbose", 0)) <= _QUIET


def header(judged: Judged) -> list[str]:
    """Return what is audited, as of when, and how it is grouped."""
    files = ", ".join(printable(source.path, 200) for source in judged.sources)
    lines = [
        f"audit: {files}",
        f"as of: {utc(judged.setup.context.as_of)}, grouped by {judged.grouping}",
    ]
    if baseline := judged.setup.criteria.baseline:
        about = baseline.about
        lines.append(f"baseline: {printable(about.path, 200)}, as of {utc(about.as_of)}")
    lines += [f"shards: {printable(note, 400)}" for note in judged.notes]
    return lines


def warn_of_items(config: pytest.Config, judged: Judged) -> None:
    """Print how long pytest will take, if it is to make very many test items; the audit goes on."""
    groups = list(judged.all_groups())
    if len(groups) > MANY_ITEMS:
        style = getattr(config.option, "tbstyle", "no")
        failing = 0 if style in {"no", "line"} else sum(bool(group.stopping) for group in groups)
        text = _items_warning(judged.grouping, len(groups), failing, style)
        _writer(config).line(text, yellow=True)


def _items_warning(grouping: str, items: int, failing: int, style: str) -> str:
    """Describe what ``items`` cost; ``failing`` of them are summarized in a slow ``style``."""
    shortest, longest = (_duration(items * seconds) for seconds in _ITEM_SECONDS)
    text = (
        f"--cmek-group={grouping} makes {items:,} test items. pytest takes {shortest} to {longest} "
        f"and {items * _ITEM_MEGABYTES:,.0f} MB for them. --cmek-group=auto makes at most "
        f"{MOST_ITEMS:,}, with the same findings."
    )
    more = failing * items * _PAIR_SECONDS
    if more > 1:
        text += (
            f" Its summary of {failing:,} failures with --tb={style} takes about {_duration(more)} "
            "more. --tb=no leaves it out."
        )
    return text


def _duration(seconds: float) -> str:
    """Render a duration roughly."""
    units = (("hour", 3_600), ("minute", 60))
    name, size = next((unit for unit in units if seconds >= 2 * unit[1]), ("second", 1))
    return pluralize(max(1, round(seconds / size)), name)


def summarize(reporter: pytest.TerminalReporter, head: Head) -> None:
    """Print the most urgent actions: their purpose, what to do, where, and who must act."""
    groups = group_actions(head["actions"], head["population"]["organizations"])
    if not groups or is_quiet(reporter.config):
        return
    reporter.section("fix first", sep="-")
    width = max(_NARROWEST, reporter.config.get_terminal_writer().fullwidth - _INDENT)
    shown = first(groups, MOST_ACTIONS)
    for group in shown:
        start = f"{group.purpose:<{_INDENT}}"
        for text in _wrap(group, width):
            reporter.write_line(f"{start}{text}")
            start = " " * _INDENT
    more = head["actions_total"] - sum(len(group.actions) for group in shown)
    if more:
        reporter.write_line(f"… and {pluralize(more, 'more action')} in the report")


def warn_of_waivers(reporter: pytest.TerminalReporter, head: Head) -> None:
    """Print the waivers that expire soon, have expired, or await approval."""
    urgent = urgent_waivers(head)
    if not urgent or is_quiet(reporter.config):
        return
    reporter.section("waivers that need attention", sep="-")
    for waiver in urgent[:MOST_SHOWN]:
        reporter.write_line(printable(notice(waiver, head["settings"]["as_of"])), yellow=True)
    if len(urgent) > MOST_SHOWN:
        reporter.write_line(f"… and {len(urgent) - MOST_SHOWN:,} more waivers in the report")


def _wrap(group: ActionGroup, width: int) -> list[str]:
    """Return the lines of an action: what to do, and in brackets its organization and who acts."""
    about = f" ({printable(group.name or ACROSS, 80)}; {group.who})"
    lines = _fold(printable(group.title) + about, width)
    if len(lines) <= MOST_LINES:
        return lines
    return [*_cut(_fold(printable(group.title), width)[:MOST_LINES], width), about.strip()]


def _cut(lines: list[str], width: int) -> list[str]:
    """Return ``lines`` with a note that there is more, in place of the last line's last words."""
    *first, last = lines
    kept = _fold(last, width - len(_MORE))
    return (
        [*first, f"{kept[0]}{_MORE}"]
        if len(kept[0]) + len(_MORE) <= width
        else [*lines, _MORE.strip()]
    )


def _fold(text: str, width: int, further: str = "") -> list[str]:
    """Fold ``text`` to ``width``, but break no word: somebody may search for an id, or copy it."""
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _notes(head: Head, width: int) -> Iterator[str]:
    """Yield the lines of the notes on the sources, folded to the width of the terminal."""
    shown, more = first_notes(head)
    for note in shown:
        yield from _fold(printable(f"Note:     {note}"), max(_NARROWEST, width), " " * _LABEL)
    if more:
        yield f"… and {more:,} more notes in the report"


def conclude(config: pytest.Config, options: Options, head: Head | None, failure: str = "") -> None:
    """Print the verdict as the last lines, or the ``failure`` that left no audit."""
    writer = _writer(config)
    if not is_quiet(config):
        writer.line()
    for text in failure.splitlines():
        writer.line(printable(text, 2_000), red=True)
    if head is None:
        writer.line(NO_AUDIT, red=True)
        return
    for label, text in () if is_quiet(config) else _facts(options, head):
        writer.line(f"{f'{label}:':<{_LABEL}}{text}")
    _print_settings(config, writer)
    for report in unavailable(config, options):
        writer.line(f"{report.file} was not written: {report.plugin} is not loaded.", yellow=True)
    for row in without_file(options):
        writer.line(f"{row.place} was not written: {row.no_file}.")
    _print_verdict(writer, head)
    writer.line(f"Report: {printable(first_page(options))}")


class _Writer(Protocol):
    """Writes lines to a terminal."""

    @property
    def fullwidth(self) -> int: ...

    def line(self, s: str = "", **markup: bool) -> None: ...


class _PlainWriter:
    """Writes lines to stdout if pytest's own reporter is off."""

    fullwidth = 80

    def line(self, s: str = "", **_: bool) -> None:
        sys.stdout.write(f"{s}\n")


def _writer(config: pytest.Config) -> _Writer:
    is_there = config.pluginmanager.has_plugin("terminalreporter")
    return config.get_terminal_writer() if is_there else _PlainWriter()


def _facts(options: Options, head: Head) -> Iterator[tuple[str, str]]:
    """Yield each number that is shown before the verdict, with its label."""
    yield "Items", f"pytest counts test items; {describe_items(head['settings']['grouping'])}"
    yield "Findings", number_of(head)
    if head["waivers"]:
        states = Counter(waiver["state"] for waiver in head["waivers"])
        counts = ", ".join(f"{states[state]:,} {state}" for state in sorted(states))
        yield "Waivers", f"{len(head['waivers']):,}, of which {counts}"
    if options.history:
        sources = head["population"]["sources"]
        earlier = sum(count_records(source) for source in sources if source["role"] == "history")
        reports = len(head["settings"]["history_files"])
        also = f", {pluralize(reports, 'earlier audit')}" if reports else ""
        yield "History", f"{pluralize(earlier, 'earlier record')}{also}"
    if head["changes"]:
        baseline = head["changes"]["baseline"]["as_of"]
        yield "Changes", f"findings {summarize_changes(head['changes'])}, since {baseline}"


def _print_settings(config: pytest.Config, writer: _Writer) -> None:
    """Print what variables and files set, as it may weaken the gate and nobody typed it."""
    label = "Settings: "
    for given in used_settings(config):
        line = printable(without_secrets(f"{label}{given}"), _LONGEST_SETTING)
        writer.line(line, yellow=given.option.weakens)
        label = " " * _LABEL


def _print_verdict(writer: _Writer, head: Head) -> None:
    """Print banners and notes, the answer, the verdict, and what the exit code means."""
    for text in [*banners(head), *_notes(head, writer.fullwidth)]:
        writer.line(printable(text), yellow=True)
    verdict = head["verdict"]
    stops, complies = bool(verdict["exit_code"]), verdict["outcome"] == "compliant"
    colours = {"red": stops, "green": complies, "yellow": not (stops or complies)}
    writer.line(answer(head), bold=True, **colours)
    if text := rests_on(head):
        writer.line(text)
    writer.line(verdict["text"], bold=True, **colours)
    if code := head["run"]["exit_code"]:
        outcome = verdict["outcome"]
        why = ENDS.get(outcome, outcome) if code == verdict["exit_code"] else OUTSIDE
        writer.line(f"Exit code {code}: {why}.")
