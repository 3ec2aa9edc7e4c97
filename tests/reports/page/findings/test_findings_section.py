"""The findings section: what it shows of an audit, and what the rows of findings need."""

from __future__ import annotations

import pytest

from checks.engine.finding import OPEN
from reports.page.findings.evidence_index import EvidenceIndex
from reports.page.findings.evidence_labels import CitedPopulation
from reports.page.findings.findings_section import FindingsSection, findings_section, shown_findings
from reports.page.waiver_list import list_waivers
from reports.presentation.selection import PageLimits
from tests.reports.samples import VIOLATIONS, WAIVERS, Report, audit, select_findings


@pytest.fixture(scope="module")
def waived(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("waived"), VIOLATIONS, WAIVERS)


def section(report: Report, **limits: int) -> FindingsSection:
    bounds = PageLimits(**limits)
    chosen = select_findings(report.lines, report.head["criteria"]["rules"], bounds)
    cited = CitedPopulation(shown_findings(chosen))
    for line in report.population:
        cited.add(line)
    return findings_section(
        report.head,
        chosen,
        cited=cited,
        index=EvidenceIndex([], set(), 0),
        limits=bounds,
        waiver_numbers=list_waivers(report.head["waivers"], bounds.waivers).numbers,
    )


def test_everything_is_shown(waived: Report) -> None:
    """Without a limit that is reached, every finding is shown in one of the groups."""
    made = section(waived)
    opened = {severity: count for severity, count in waived.head["open"].items() if count}
    assert {severity: len(group) for severity, group in made.open.items()} == opened
    assert len(made.shown) == made.total == waived.head["findings"]["count"]
    assert made.open_shown == made.open_total
    assert made.open_total == sum(waived.head["counts"][status] for status in OPEN)
    assert not made.is_brief
    assert not made.is_aged


def test_limits_hold(waived: Report) -> None:
    """What is beyond a limit is left out, and the totals still count it."""
    made = section(waived, open=2, waived=1, folded=0, full=1, organizations=1)
    assert (made.open_shown, len(made.waived), len(made.shown)) == (2, 1, 3)
    assert made.total == waived.head["findings"]["count"]
    assert made.is_brief


def test_databases_have_their_names(waived: Report) -> None:
    """A finding about a key scope names the database that it concerns."""
    shown = section(waived).shown.values()
    [view] = [
        view for view in shown if view.rule == "CMEK-01" and view.cause == "planned-without-key"
    ]
    assert view.affected == "1 database, planned: <b>next</b>"
    assert [item.what for item in view.evidence] == ["2 organizations, 3 keys, 7 databases"]


def test_waivers_without_room_are_no_links(waived: Report) -> None:
    """A waiver has the number under which the page lists it, and none beyond the limit."""
    made = section(waived, waivers=2)
    numbers = {name: number for name, (number, _) in made.waivers.items()}
    listed = list_waivers(waived.head["waivers"], 2).numbers
    assert numbers == dict.fromkeys(numbers, 0) | listed
    assert sum(map(bool, numbers.values())) == 2


def test_controls_are_grouped_by_framework(waived: Report) -> None:
    """Of each rule the controls are listed under the name of their framework."""
    made = section(waived)
    for rule in waived.head["criteria"]["rules"]:
        listed = [
            (framework, control)
            for framework, controls in made.controls[rule["id"]].items()
            for control in controls
        ]
        expected = [(control["framework"], control["id"]) for control in rule["controls"]]
        assert sorted(listed) == sorted(expected)
