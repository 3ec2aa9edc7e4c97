"""The open findings as GitHub's workflow commands: each shown at its line of a change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from checks.engine.finding import KNOWN
from checks.engine.outcome import Gate
from reports.presentation import labels
from reports.presentation.banners import banners
from reports.presentation.locations import LocationFinder
from reports.presentation.messages import TITLE, Names, outcome, sentence
from reports.presentation.sanitize import plain
from reports.presentation.selection import Urgent, open_lines, urgency
from reports.presentation.source_notes import first_notes
from reports.presentation.waiver_notices import days_left, urgent_waivers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reports.model.finding_record import FindingRecord
    from reports.model.head import Head
    from reports.presentation.locations import FileLocation


Level = Literal["error", "warning", "notice"]
LEVELS: tuple[Level, ...] = get_args(Level)

MOST = 10
"""How many annotations of each level GitHub shows of one step; it drops the others unsaid."""

_LONGEST = 1_000
_KNOWN = f',"change":"{KNOWN}",'.encode("ascii")


class Annotation(NamedTuple):
    """One annotation; its texts are still to be escaped.

    Attributes:
        level: what it is shown as.
        title: its heading.
        text: what it says.
        spot: where it is shown; None for what stands in no file of the repository.
    """

    level: Level
    title: str
    text: str
    spot: FileLocation | None = None


def render(head: Head, lines: Iterable[bytes], root: Path | None = None) -> str:
    """Render annotations of an audit from its head and the lines of its findings, read once.

    ``root`` is the repository's folder; None is where the process works. The last one says the
    verdict, and how many there is no room for.
    """
    shelves = _shelves(head, lines)
    names, places = Names(head), LocationFinder(head, root)
    banners, waivers = [*_banners(head), *_notes(head)], list(_waivers(head, places))
    findings = [
        _finding(level, json.loads(line), names, places)
        for level, shelf in shelves.items()
        for line in shelf.lines()
    ]
    shown = list(_first([*banners, *findings, *waivers]))
    total = len(banners) + len(waivers) + sum(shelf.total for shelf in shelves.values())
    return "".join(map(_command, [*shown, _last(head, total - len(shown))]))


def _first(annotations: Iterable[Annotation]) -> Iterator[Annotation]:
    """Yield those that are shown, by their level; one notice is kept for the last word."""
    every = list(annotations)
    for level, room in zip(LEVELS, (MOST, MOST, MOST - 1), strict=True):
        yield from [each for each in every if each.level == level][:room]


def _shelves(head: Head, lines: Iterable[bytes]) -> dict[Level, Urgent]:
    settings = head["settings"]
    gate = Gate(settings["fail_on"], settings["allow_inconclusive"], settings["fail_on_new"])
    shelves = {level: Urgent(MOST) for level in LEVELS}
    for status, severity, line in open_lines(lines):
        stops = gate.stops(status, severity, KNOWN if _KNOWN in line else "")
        milder: Level = "notice" if severity == "advisory" else "warning"
        shelves["error" if stops else milder].add(urgency(status, severity), line)
    return shelves


def _banners(head: Head) -> Iterator[Annotation]:
    for text in banners(head):
        title, _, told = text.partition(": ")
        yield Annotation("warning", title, told)


def _notes(head: Head) -> Iterator[Annotation]:
    for note in first_notes(head)[0]:
        yield Annotation("notice", f"Note on {note.source}", note.text)


def _finding(
    level: Level, finding: FindingRecord, names: Names, places: LocationFinder
) -> Annotation:
    title = f"{finding['rule']} {outcome(finding)} ({finding['severity']})"
    spot = places.of(finding) if finding["evidence"] else None
    return Annotation(level, title, sentence(finding, names), spot)


def _waivers(head: Head, places: LocationFinder) -> Iterator[Annotation]:
    for waiver in urgent_waivers(head):
        level: Level = "notice" if waiver["state"] == "requested" else "warning"
        title = f"Waiver {waiver['id']}: {labels.WAIVER[waiver['state']].word}"
        told = days_left(waiver, head["settings"]["as_of"])
        text = f"It {told}: {waiver['rule']} {waiver['subject']}"
        yield Annotation(level, title, text, places.at(waiver["file"], waiver["line"]))


def _last(head: Head, left_out: int) -> Annotation:
    more = f" {left_out:,} more: see the report." if left_out else ""
    return Annotation(
        "notice", f"{TITLE}: {head['verdict']['outcome']}", head["verdict"]["text"] + more
    )


# --- the command ----------------------------------------------------------------------------------


def _command(annotation: Annotation) -> str:
    """Render an annotation as a line; only a file of the repository is named."""
    level, title, text, spot = annotation
    properties = {"title": title}
    if spot and spot.kind == "file":
        properties = {"file": spot.path, "line": str(spot.line), **properties}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {told}::{_data(text)}\n"


def _data(text: str) -> str:
    return plain(text, _LONGEST).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
