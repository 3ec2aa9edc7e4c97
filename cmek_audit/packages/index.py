"""The index of a package by framework and control: a page for people, and a table."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from cmek_audit.packages.layout import REPORT
from cmek_audit.packages.readme import guide
from inventory.text.display import printable
from reports.formats.registry import PAGE
from reports.page.assets import style_of
from reports.page.environment import environment
from reports.page.frameworks import TALLY, view_frameworks
from reports.presentation.banners import banners
from reports.record.reader import relying_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmek_audit.packages.contents import Contents
    from reports.page.frameworks import ControlView

_COLUMNS = ("framework", "control", "title", "state", "strength", *TALLY, "rules")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_CELL = 10_000


def render_page(contents: Contents) -> bytes:
    """Render the page, which leads into the report and to the sources.

    Raises RecordError if the record holds what no audit writes.
    """
    head = contents.record.head
    page = f"{REPORT}/{PAGE}"
    with relying_on(contents.record):
        text: str = (
            environment()
            .get_template("package.html.j2")
            .render(
                head=head,
                style=style_of(head),
                banners=banners(head),
                is_signed=contents.is_signed,
                guide=guide(contents),
                frameworks=view_frameworks(head),
                tally_words=TALLY,
                page=page if page in contents.files else "",
                sources=contents.sources,
                missing=len(contents.missing),
            )
        )
    return text.encode("utf-8", "backslashreplace")


def render_table(contents: Contents) -> bytes:
    """Render the same as a table in CSV; raises as ``render_page``."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    with relying_on(contents.record):
        for framework in view_frameworks(contents.record.head):
            for control in framework.controls:
                writer.writerow(map(_cell, _row(framework.name, control)))
    return file.getvalue().encode("utf-8", "backslashreplace")


def render_sources(contents: Contents) -> bytes:
    """Render the list of sources for programs: packed ones with their place, others with a note."""
    sources = [source._asdict() for source in contents.sources]
    return (json.dumps({"sources": sources}, indent=1) + "\n").encode()


def _row(framework: str, control: ControlView) -> Sequence[str]:
    words = control.words
    rules = " ".join(given.rule for given in control.rules)
    numbers = map(str, control.tally)
    state = control.state.word
    return (framework, words["id"], words["title"], state, control.strength, *numbers, rules)


def _cell(text: str) -> str:
    """Return a cell that no program takes for a formula."""
    shown = printable(" ".join(text.splitlines()), _LONGEST_CELL)
    is_formula = text.startswith(_FORMULA) or shown.lstrip().startswith(_FORMULA)
    return f"'{shown}" if is_formula else shown
