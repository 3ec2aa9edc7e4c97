"""The pages that are made from code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmek_audit.docs_pages import (
    CHECK_SCHEMAS,
    options_page,
    rules_page,
    tables_page,
    with_files,
    write_pages,
    write_schemas,
    write_shown_files,
)
from tests.cmek_audit.helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_pages_are_those_in_the_documents(tmp_path: Path) -> None:
    """What would be written is what is kept in ``docs``."""
    write_pages(tmp_path)
    written = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    assert written == {
        "rules.md": rules_page(),
        "options.md": options_page(),
        "tables.md": tables_page(),
    }
    assert written == {name: (ROOT / "docs" / name).read_text("utf-8") for name in written}


def test_the_schemas_are_those_that_are_shipped(tmp_path: Path) -> None:
    """What would be written of the schemas of waivers and control ids is what is kept."""
    (tmp_path / "checks").mkdir()
    write_schemas(tmp_path)
    for name, schema in CHECK_SCHEMAS.items():
        kept = (ROOT / name).read_text("utf-8")
        assert kept == schema.text == (tmp_path / name).read_text("utf-8"), (
            f"{name}: run python -m cmek_audit.docs_pages"
        )


PAGE = """\
# A page

<!-- file: docs/{name} -->
{shown}<!-- end of file -->

The end.
"""


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.service", "ini"), ("a.cron", "crontab"), ("a.sh", "sh"), ("a.yml", "yaml")],
)
def test_files_are_shown_as_they_are(tmp_path: Path, name: str, language: str) -> None:
    """A page shows a file as it is now, whatever it showed before, and nothing else changes."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / name).write_text("one\\1\ntwo\n")
    current = PAGE.format(name=name, shown=f"```{language}\none\\1\ntwo\n```\n")
    for shown in ("", "```\nearlier\n```\n"):
        page = tmp_path / "docs/page.md"
        page.write_text(PAGE.format(name=name, shown=shown))
        assert with_files(page.read_text(), tmp_path) == current
        write_shown_files(tmp_path)
        assert page.read_text() == current
