"""The styles and scripts of the page."""

from __future__ import annotations

import pytest

from reports.page import assets
from tests.reports.samples import VIOLATIONS, Page, Report, audit


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


@pytest.mark.parametrize(
    ("folder", "names"), [("styles", assets.STYLES), ("scripts", assets.SCRIPTS)], ids=str
)
def test_every_style_and_script_is_in_the_page(
    folder: str, names: tuple[str, ...], violations: Report
) -> None:
    """Every style sheet and every script of the templates is part of the page, once."""
    files = {file.stem: file for file in (assets.TEMPLATES / folder).iterdir()}
    assert sorted(names) == sorted(files)
    for file in files.values():
        assert violations.page.count(file.read_text(encoding="utf-8")) == 1


def test_each_printed_page_carries_the_report(violations: Report) -> None:
    """The corners of a printed page have the report's short id, and the names of the banners."""
    style = assets.style_of(violations.head).text
    assert f'@bottom-left{{content:"Report {violations.head["report"][:12]}"}}' in style
    partial = {**violations.head, "settings": {**violations.head["settings"], "left_out": "x"}}
    assert '@top-center{content:"PARTIAL RUN, NOT AUDIT EVIDENCE"}' in (
        assets.style_of(partial).text  # type: ignore[arg-type]
    )


def test_the_policy_allows_just_these(violations: Report) -> None:
    """The page's policy names the hashes of its one style sheet and its one script."""
    [policy] = [
        attrs["content"]
        for tag, attrs in Page(violations.page).tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert f"style-src '{assets.style_of(violations.head).hash}'" in policy
    assert f"script-src '{assets.script().hash}'" in policy
