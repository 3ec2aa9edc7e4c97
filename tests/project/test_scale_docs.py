"""The page on scale has the tables of its script, which counts requests as an audit makes them."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING

from tests.wiring.runs import ROOT

if TYPE_CHECKING:
    import pytest

SCRIPT = str(ROOT / "benchmarks/scale.py")


def test_tables_are_those_of_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    """Each table of the page is what the script prints, and no other is there."""
    runpy.run_path(SCRIPT, run_name="__main__")
    printed = capsys.readouterr().out.strip().split("\n\n")
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8").split("\n\n")
    own = next(part for part in page if part.startswith("| from about |"))
    assert [part for part in page if part.startswith(("**", "|")) and part != own] == printed


def test_requests_are_counted_as_documented() -> None:
    """An organization takes as many requests on paper as the page on live audits says it does."""
    fleet = runpy.run_path(SCRIPT)["Fleet"](organizations=1, databases_each=105)
    live = (ROOT / "docs/live-audits.md").read_text(encoding="utf-8")
    assert f"105 databases in 6 key scopes takes {fleet.requests_each} requests." in live
