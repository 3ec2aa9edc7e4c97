"""The open findings as GitHub's workflow commands: each shown at its line of a change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from reports.presentation import labels
from reports.presentation.banners import banners
from reports.presentation.locations import LocationFinder
from reports.presentation.messages import TITLE, SubjectNames, outcome, sentence
from reports.presentation.sanitize import plain
from reports.presentation.selection import (
    Urgent,
    count_open,
    open_lines,
    recorded_gate,
    stops,
    urgency,
)
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import days_left, urgent_waivers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head
    from reports.presentation.locations import FileLocation


Level = Literal["error", "warning", "notice"]
LEVELS: tuple[Level, ...] = get_args(Level)

MOST = 10
"""How many annotations of each level GitHub shows for a step; it drops the others silently."""

_LONGEST = 1_000


class Annotation(NamedTuple):
    """One annotation; its texts are not escaped yet.

    Attributes:
        level: its level.
        title: its heading.
        text: its text.
        location: where it is shown; None if it is in no file of the repository.
    """

    level: Level
    title: str
    text: str
    location: FileLocation | None = None


def render(head: Head, lines: Iterable[bytes], root: Path | None = None) -> str:
    """Render annotations of an audit from its head and the lines of its findings, read once.

    ``root`` is the repository's folder; None is the working directory. The last annotation has the
    verdict, and the number of annotations that are not shown.
    """
    by_level = _by_level(head, lines)
    names, locations = SubjectNames(head), LocationFinder(head, root)
    banners, waivers = [*_banners(head), *_notes(head)], list(_waivers(head, locations))
    findings = [
        _finding(level, json.loads(line), names, locations)
        for level, urgent in by_level.items()
        for line in urgent.lines()
    ]
    shown = list(_first([*banners, *findings, *waivers]))
    total = len(banners) + len(waivers) + sum(urgent.total for urgent in by_level.values())
    return "".join(map(_command, [*shown, _last(head, total - len(shown))]))


def _first(annotations: Sequence[Annotation]) -> Iterator[Annotation]:
    """Yield the annotations that are shown, by level; one notice is left for the verdict."""
    for level, limit in zip(LEVELS, (MOST, MOST, MOST - 1), strict=True):
        yield from [annotation for annotation in annotations if annotation.level == level][:limit]


def _by_level(head: Head, lines: Iterable[bytes]) -> dict[Level, Urgent]:
    gate = recorded_gate(head)
    by_level = {level: Urgent(MOST) for level in LEVELS}
    for status, severity, line in open_lines(lines, count_open(head)):
        milder: Level = "notice" if severity == "advisory" else "warning"
        level = "error" if stops(gate, status, severity, line) else milder
        by_level[level].add(urgency(status, severity), line)
    return by_level


def _banners(head: Head) -> Iterator[Annotation]:
    for text in banners(head):
        title, _, reason = text.partition(": ")
        yield Annotation("warning", title, reason)


def _notes(head: Head) -> Iterator[Annotation]:
    for note in first_notes(head)[0]:
        yield Annotation("notice", f"Note on {note.source}", note.text)


def _finding(
    level: Level, finding: FindingRecord, names: SubjectNames, locations: LocationFinder
) -> Annotation:
    title = f"{finding['rule']} {outcome(finding)} ({finding['severity']})"
    location = locations.of(finding) if finding["evidence"] else None
    return Annotation(level, title, sentence(finding, names), location)


def _waivers(head: Head, locations: LocationFinder) -> Iterator[Annotation]:
    for waiver in urgent_waivers(head):
        level: Level = "notice" if waiver["state"] == "requested" else "warning"
        title = f"Waiver {waiver['id']}: {labels.WAIVER[waiver['state']].word}"
        due = days_left(waiver, head["settings"]["as_of"])
        text = f"It {due}: {waiver['rule']} {waiver['subject']}"
        yield Annotation(level, title, text, locations.at(waiver["file"], waiver["line"]))


def _last(head: Head, left_out: int) -> Annotation:
    more = f" {left_out:,} more: see the report." if left_out else ""
    return Annotation(
        "notice", f"{TITLE}: {head['verdict']['outcome']}", head["verdict"]["text"] + more
    )


# --- the command ----------------------------------------------------------------------------------


def _command(annotation: Annotation) -> str:
    """Render an annotation as a line; it names a file only if the repository has it."""
    level, title, text, location = annotation
    properties = {"title": title}
    if location and location.kind == "file":
        properties = {"file": location.path, "line": str(location.line), **properties}
    rendered = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {rendered}::{_data(text)}\n"


def _data(text: str) -> str:
    return plain(text, _LONGEST).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
