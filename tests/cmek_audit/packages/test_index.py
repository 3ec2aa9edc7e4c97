"""The index of a package by framework and control."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from cmek_audit.packages import layout
from cmek_audit.packages.contents import gather
from cmek_audit.packages.index import render_page, render_sources, render_table
from cmek_audit.run.option_values import parse_options
from inventory.errors import RecordError
from reports.page.frameworks import view_frameworks
from tests.reports.samples import AS_OF, HOSTILE, VIOLATIONS, Page, audit, run_rules, save_inventory

if TYPE_CHECKING:
    from cmek_audit.packages.contents import Contents


def page_of(contents: Contents) -> Page:
    return Page(render_page(contents).decode())


def test_every_control_is_on_the_page_and_in_the_table(signed: Path) -> None:
    """Page and table have each framework and control that rules give evidence to, alike."""
    contents = gather(signed)
    views = view_frameworks(contents.record.head)
    expected = [
        (framework.name, control.words["id"], control.state.word)
        for framework in views
        for control in framework.controls
    ]
    rows = [*csv.DictReader(io.StringIO(render_table(contents).decode()))]
    assert [(row["framework"], row["control"], row["state"]) for row in rows] == expected
    assert rows[0]["fail"] == str(views[0].controls[0].tally.fail)
    text = page_of(contents).text
    assert all(framework.name in text for framework in views)
    assert "Customer-managed encryption keys in Astra" in text


def test_every_link_leads_to_what_is_in_the_package(signed: Path) -> None:
    """Each link of the page is of a file in the package, and of a place that this file has."""
    contents = gather(signed)
    page = page_of(contents)
    made = {layout.README, layout.INDEX_PAGE, layout.INDEX_TABLE, layout.WORK_PAPER}
    names = {*contents.files, *made, layout.LISTED, layout.SUMS}
    anchors = set(Page((signed / "audit.html").read_text()).values("id"))
    links = [link.partition("#") for link in page.values("href", "a")]
    assert {unquote(name) for name, _, _ in links} <= names
    assert {anchor for _, mark, anchor in links if mark} <= anchors
    assert len(links) > 50


def test_without_the_page_of_the_report_nothing_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit that wrote its record alone has an index without links into a page."""
    monkeypatch.chdir(tmp_path)
    path = save_inventory(Path("inventory.json"), VIOLATIONS)
    values: dict[str, Any] = {"inventory": (str(path),), "as_of": AS_OF, "report_dir": "r"}
    run_rules(parse_options(values | {"formats": ("json",)}))
    contents = gather(Path("r"))
    links = page_of(contents).values("href", "a")
    assert not [link for link in links if "audit.html" in link]
    assert "none: nothing shows who made this report" in page_of(contents).text


def test_what_is_missing_is_at_the_top_of_the_sources(signed: Path) -> None:
    """A source that is not in the package is named with the reason."""
    Path("waivers.json").unlink()
    text = page_of(gather(signed)).text
    assert "1 source of 2 is not in this package." in text
    assert "waivers.json" in text.partition("Path in the record")[2]
    assert "not here: missing; verify where the audit was run" in " ".join(text.split("\u2069"))


def test_sources_are_listed_for_programs(signed: Path) -> None:
    """Programs read where each source is in the package, or why it is not."""
    Path("waivers.json").unlink()
    first, second = json.loads(render_sources(gather(signed)))["sources"]
    assert first == {
        "path": "inventory.json",
        "role": "inventory",
        "place": "sources/inventory.json",
        "note": "",
    }
    assert (second["place"], second["note"][:7]) == ("", "missing")


def test_hostile_texts_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of an inventory, paths and controls are text, whatever they hold."""
    monkeypatch.chdir(tmp_path)
    report = audit(Path(), HOSTILE)
    evil = '<img src=x onerror="window.__pwned=1">'
    frameworks = report.head["criteria"]["frameworks"]
    frameworks[0]["name"] = evil
    frameworks[0]["controls"][0]["id"] = "=HYPERLINK(1)"
    for rule in report.head["criteria"]["rules"]:
        for control in rule["controls"]:
            control["framework"] = evil
            control["id"] = "=HYPERLINK(1)"
    contents = gather(Path("report"))
    contents = contents._replace(record=contents.record._replace(head=report.head))
    page = page_of(contents)
    assert not [tag for tag, _ in page.tags if tag in {"img", "script", "svg"}]
    policy = next(value for value in page.values("content") if "default-src" in value)
    assert re.fullmatch(
        "default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'", policy
    )
    rows = [*csv.reader(io.StringIO(render_table(contents).decode()))]
    assert rows[1][1] == "'=HYPERLINK(1)"


def test_a_record_that_no_audit_writes_is_refused(signed: Path) -> None:
    """A head of which something is missing gives no index."""
    contents = gather(signed)
    del contents.record.head["criteria"]["rules"]  # type: ignore[misc]
    with pytest.raises(RecordError):
        render_page(contents)
    with pytest.raises(RecordError):
        render_table(contents)
