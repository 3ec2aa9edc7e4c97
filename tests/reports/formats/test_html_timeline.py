"""The timeline on the auditor's page: what its lines, its table and its notes show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reports.formats import html
from reports.presentation.selection import PageLimits
from tests.reports.samples import (
    HOSTILE,
    VIOLATIONS,
    Page,
    Report,
    audit,
    database,
    key,
    organization,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


def section(page: str) -> str:
    """Return the section with the timeline."""
    return page[page.index('<section id="timeline">') :].partition("</section>")[0]


def words(source: str) -> str:
    """Return the text of a section, its white space joined."""
    return " ".join(Page(source).text.split())


def test_each_key_scope_has_a_line_with_its_words(violations: Report) -> None:
    """Each picture has a text, and the worst order links to its finding."""
    source = section(violations.page)
    images = re.findall(r'role="img" aria-label="([^"]*)"', source)
    assert len(images) == 8
    assert images[:2] == [
        "No key is recorded. 2 databases without a key.",
        "No key is recorded. 1 database without a key.",
    ]
    assert re.search(
        r'<span class="worst fail"><a href="#f-[0-9a-f]{20}"><i aria-hidden="true">✕</i> '
        r"without a key \(2\)</a>",
        source,
    )


def test_the_table_names_every_database_with_its_order(violations: Report) -> None:
    """The table says the same as the lines, database by database."""
    table = words(section(violations.page).partition("The same as a table")[2])
    for row in (
        "acme / Serverless on AWS / eu-west-1 No key is recorded.",
        "orders, 2025-03-01 12:00:00: ✕ without a key",
        "next, planned: ✕ planned without a key",
        "registered 2025-01-10 09:00:00, attested by Dana Reyes",
        "orders, 2025-03-01 12:00:00: ✓ after its key",
        "sandbox, 2025-03-01 12:00:00: △ Astra’s keys",
        "t, time not known: ? order not known",
    ):
        assert row in table


def test_what_is_left_out_is_said(violations: Report) -> None:
    """A terminated database is in no lane, and the page says so."""
    assert "1 terminated database is left out." in words(section(violations.page))


def test_a_page_without_lanes_says_why(violations: Report) -> None:
    """A record of nothing has no line, and no empty legend."""
    shown = words(section(html.render(violations.head, [])))
    assert "No key and no database is recorded." in shown
    assert "The same as a table" not in shown


def test_many_key_scopes_are_folded(tmp_path: Path) -> None:
    """Beyond forty, only the lanes with a doubt are shown, and the others counted by name."""
    regions = [f"r{number:02}" for number in range(50)]
    keys = [key(region, number) for number, region in enumerate(regions) if number > 1]
    databases = [database(f"d-{region}", region) for region in regions]
    report = audit(tmp_path, [organization("many", keys, databases)])
    source = section(report.page)
    assert source.count('<li class="lane">') == 2
    assert "48 more key scopes without a failure or a doubt" in words(source)
    assert "many: 48 key scopes without failure or doubt" in words(source)
    limited = words(
        section(
            html.render(
                report.head, report.lines, PageLimits(lanes=1), population=report.population
            )
        )
    )
    assert "49 more key scopes, 1 of them with a failure or a doubt" in limited
    assert "many: 1 key scope with a failure or a doubt, 48 key scopes without" in limited


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """Names make no element of the timeline, in its pictures, its lists and its table."""
    source = section(audit(tmp_path, HOSTILE).page)
    names = {tag for tag, _ in Page(source).tags}
    assert names.isdisjoint({"script", "style", "img", "iframe"})
    attributes = {name for _, found in Page(source).tags for name in found}
    assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", source)


def test_every_limit_of_the_timeline_is_said(tmp_path: Path) -> None:
    """Organizations beyond the limit of a list are counted."""
    regions = [f"r{number:02}" for number in range(15)]
    fleet = [
        organization(f"o{number}", [key(region, number) for region in regions], [])
        for number in range(3)
    ]
    report = audit(tmp_path, fleet)
    shown = words(
        section(
            html.render(
                report.head, report.lines, PageLimits(organizations=2), population=report.population
            )
        )
    )
    assert "2 more organizations are listed in population.ndjson." not in shown
    assert re.search(r"\d+ more organizations? (is|are) listed in population\.ndjson\.", shown)
