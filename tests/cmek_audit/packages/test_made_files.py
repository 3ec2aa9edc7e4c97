"""The files that are made for a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmek_audit.packages import layout
from cmek_audit.packages.contents import gather
from cmek_audit.packages.index import render_page, render_sources, render_table
from cmek_audit.packages.made_files import render_made
from cmek_audit.packages.readme import render_readme
from inventory.errors import RecordError
from tests.cmek_audit.helpers import command

if TYPE_CHECKING:
    from pathlib import Path


def test_each_file_has_its_renderer(signed: Path) -> None:
    """README, indexes and list are as they are rendered; the work paper is that of the command."""
    contents = gather(signed)
    paper = command("sample", signed, "--format", "csv").stdout
    assert render_made(contents) == {
        layout.README: render_readme(contents),
        layout.INDEX_PAGE: render_page(contents),
        layout.INDEX_TABLE: render_table(contents),
        layout.WORK_PAPER: paper.replace("\n", "\r\n").encode(),
        layout.LISTED: render_sources(contents),
    }


def test_a_record_that_no_audit_writes_is_refused(signed: Path) -> None:
    """Of a head without its population nothing is made."""
    contents = gather(signed)
    del contents.record.head["report"]  # type: ignore[misc]
    with pytest.raises(RecordError):
        render_made(contents)
