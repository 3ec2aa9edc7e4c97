"""The pages that are made from code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmek_audit.docs_pages import options_page, rules_page, tables_page, write_pages
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
