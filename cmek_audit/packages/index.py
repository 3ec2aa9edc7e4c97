"""The index of a package by framework and control: a page for people, and a table."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from cmek_audit.packages.layout import REPORT
from cmek_audit.packages.readme import guide
from cmek_audit.run.provenance import version_of
from reports.formats.registry import PAGE
from reports.page.assets import style_of
from reports.page.environment import environment
from reports.page.frameworks import TALLY, view_frameworks
from reports.presentation.banners import banners
from reports.record.reader import relying_on
from reports.record.writer import TOOL
from reports.tables.cells import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cmek_audit.packages.contents import Contents
    from reports.page.frameworks import ControlView

_COLUMNS = ("framework", "control", "title", "state", "strength", *TALLY, "rules")


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
                writer.writerow(map(one_line, _row(framework.name, control)))
    return file.getvalue().encode("utf-8", "backslashreplace")


def packed_by() -> str:
    """Return the tool that packs here, and its version."""
    return f"{TOOL} {version_of(TOOL)}"


def render_sources(contents: Contents) -> bytes:
    """Render the list of sources for programs: packed ones with their place, others with a note."""
    listed = {
        "packed_by": packed_by(),
        "sources": [source._asdict() for source in contents.sources],
        "not_packed": list(contents.others),
    }
    return (json.dumps(listed, indent=1) + "\n").encode()


def _row(framework: str, control: ControlView) -> Sequence[str]:
    words = control.words
    rules = " ".join(given.rule for given in control.rules)
    numbers = map(str, control.tally)
    state = control.state.word
    return (framework, words["id"], words["title"], state, control.strength, *numbers, rules)
