"""The files that are made for a package: README, indexes, work paper and the list of sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.packages import layout
from cmek_audit.packages.index import render_page, render_sources, render_table
from cmek_audit.packages.readme import render_readme
from inventory.text.secrets import without_secrets
from reports.record.reader import relying_on
from reports.tables.sample_paper import paper_of

if TYPE_CHECKING:
    from cmek_audit.packages.contents import Contents


def render_made(contents: Contents) -> dict[str, bytes]:
    """Return the content of each file that is made for a package, by its name.

    The same contents give the same bytes. Raises RecordError if the record holds what no audit
    writes.
    """
    return {
        layout.README: render_readme(contents),
        layout.INDEX_PAGE: render_page(contents),
        layout.INDEX_TABLE: render_table(contents),
        layout.WORK_PAPER: _render_paper(contents),
        layout.LISTED: render_sources(contents),
    }


def _render_paper(contents: Contents) -> bytes:
    record = contents.record
    with relying_on(record):
        paper = paper_of(record.head, record.lines(), record.population_lines())
    lines = "\n".join(paper).splitlines()
    return "".join(f"{without_secrets(line)}\r\n" for line in lines).encode()
