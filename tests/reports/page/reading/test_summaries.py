"""Lanes that are counted by the head and the findings are those that are read from all lines."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from reports.page.reading.runs import Run, Wanted, hand_out
from reports.page.reading.summaries import CountedPopulation, LaneCounter, UnclearError
from reports.page.timeline.reader import TimelineReader
from tests.reports.page.reading.fleets import FLEET, ORDER
from tests.reports.samples import WAIVERS, Report, audit

if TYPE_CHECKING:
    from reports.page.timeline.lanes import OrganizationLanes
    from reports.page.timeline.reader import ReadLanes


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("fleet"), FLEET, WAIVERS)


def count(report: Report, limit: int = 100) -> ReadLanes:
    """Count the lanes of an audit."""
    population = CountedPopulation(report.head, report.population)
    counter = LaneCounter(population, limit, lambda _: None)

    def choose(run: Run) -> Wanted:
        return counter.wants(run, ()) if run.rule == ORDER else Wanted()

    hand_out(report.lines, choose)
    return counter.finish()


def read(report: Report, limit: int = 100) -> ReadLanes:
    """Read the lanes of an audit in whole."""
    reader = TimelineReader(report.population, limit)
    for _ in reader.watch(report.lines):
        pass
    return reader.finish()


def numbers(lanes: ReadLanes) -> list[tuple[int, int, str, dict[str, int]]]:
    """Return of each lane its rank, its organization, its region, and its databases by order."""
    return sorted(
        (one.rank[0], one.organization, one.lane.scope.region, dict(one.lane.databases.counts()))
        for one in lanes.kept
    )


@pytest.mark.parametrize("limit", [0, 100])
def test_counted_as_read(fleet: Report, limit: int) -> None:
    """Each organization and each lane has the same numbers, and the same are the worst."""
    counted, whole = count(fleet, limit), read(fleet, limit)
    assert counted.organizations == whole.organizations
    assert counted.terminated == whole.terminated == 1
    assert numbers(counted) == numbers(whole)


def _without_line(report: Report, status: str) -> Report:
    """Leave out the first finding about the order that has this status."""
    begin = f'{{"status":"{status}","rule":"{ORDER}",'.encode()
    first = next(line for line in report.lines if line.startswith(begin))
    return report._replace(lines=[line for line in report.lines if line != first])


def _with_head(report: Report, change: str) -> Report:
    """Change a number in the head, or drop an organization from it."""
    head: Any = copy.deepcopy(report.head)
    cells = [cell for row in head["coverage"] for cell in row["cells"] if cell["databases"]]
    if change == "fewer":
        cells[0]["databases"] = 0
    elif change == "more":
        cells[0]["databases"] += 1
    else:
        head["population"]["organizations"].pop()
    return report._replace(head=head)


@pytest.mark.parametrize("status", ["pass", "fail"])
def test_a_database_without_a_finding_is_not_counted(fleet: Report, status: str) -> None:
    """Where the order of a database was not judged, the counts show nothing of it."""
    with pytest.raises(UnclearError):
        count(_without_line(fleet, status))


@pytest.mark.parametrize("change", ["fewer", "more", "unlisted"])
def test_a_head_of_other_numbers_is_not_relied_on(fleet: Report, change: str) -> None:
    """Where the head has more databases than findings, or fewer, nothing is counted."""
    with pytest.raises(UnclearError):
        count(_with_head(fleet, change))


def test_an_organization_without_population_is_not_counted(fleet: Report) -> None:
    """Findings about an organization that the population does not list are read in whole."""
    with pytest.raises(UnclearError):
        count(fleet._replace(population=fleet.population[:2]))


@pytest.mark.parametrize("part", [b',"provider":"aws"', b"/us-east-1"])
def test_a_database_without_a_key_scope_is_not_counted(fleet: Report, part: bytes) -> None:
    """A finding that fails and names no key scope is read in whole."""
    begin = f'{{"status":"fail","rule":"{ORDER}",'.encode()
    lines = [line.replace(part, b"") if line.startswith(begin) else line for line in fleet.lines]
    with pytest.raises(UnclearError):
        count(fleet._replace(lines=lines))


def test_each_organization_is_handed_on_once(fleet: Report) -> None:
    """Whoever asks is given each organization, in the order of the population."""
    given: list[OrganizationLanes] = []
    counter = LaneCounter(CountedPopulation(fleet.head, fleet.population), 100, given.append)

    def choose(run: Run) -> Wanted:
        return counter.wants(run, ()) if run.rule == ORDER else Wanted()

    hand_out(fleet.lines, choose)
    counter.finish()
    assert [one.name for one in given] == [one["name"] for one in FLEET]
