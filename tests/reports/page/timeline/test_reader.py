"""Reading the lanes of a timeline from findings and population."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from reports.page.timeline.reader import SMALL, CountedOrganization, TimelineReader
from tests.reports.samples import VIOLATIONS, WAIVERS, Report, audit, database, key, organization

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reports.page.timeline.reader import ReadLanes


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS)


def read(report: Report, limit: int = 100, *, listed: bool = True) -> ReadLanes:
    """Read the lanes of an audit, with or without its population."""
    reader = TimelineReader(report.population if listed else (), limit)
    assert list(reader.watch(iter(report.lines))) == report.lines
    return reader.finish()


def _found(lanes: ReadLanes) -> list[tuple[str, str, dict[str, int]]]:
    return [
        (
            lanes.organizations[kept.organization].name,
            kept.lane.scope.region,
            dict(kept.lane.databases.counts()),
        )
        for kept in lanes.kept
    ]


def test_each_order_is_that_of_its_finding(violations: Report) -> None:
    """Each lane has the databases of its key scope, with what was found of each; worst first."""
    lanes = read(violations)
    assert _found(lanes) == [
        ("acme", "eu-west-1", {"without-key": 2}),
        ("acme", "us-west-2", {"without-key": 1}),
        ("labs", "r1", {"unknown": 1}),
        ("acme", "us-east-2", {"after": 1}),
        ("acme", "eu-central-1", {}),
        ("labs", "us-east-2", {}),
        ("acme", "europe-west1", {"astra-provided": 1}),
        ("acme", "westeurope", {"not-applicable": 1}),
    ]
    assert lanes.organizations == [
        CountedOrganization("acme", "acme", 6, 2, is_incomplete=False),
        CountedOrganization("labs", "labs", 2, 1, is_incomplete=False),
    ]
    assert lanes.terminated == 1


def test_each_organization_is_handed_on_once(violations: Report) -> None:
    """Whoever asks is given each organization, in the order of the population, with its lanes."""
    given: list[tuple[str, int]] = []
    reader = TimelineReader(
        violations.population, 100, lambda one: given.append((one.name, len(one.lanes)))
    )
    list(reader.watch(iter(violations.lines)))
    reader.finish()
    assert given == [("acme", 6), ("labs", 2)]


def test_every_status_and_cause_has_an_order(tmp_path: Path) -> None:
    """A waived failure, and a database that is older than its key, are shown as such."""
    late = {"at": "2026-05-01T00:00:00Z", "by": "Dana Reyes", "on": "2026-05-02"}
    waived = [WAIVERS[2] | {"expires_on": "2027-03-01"}]
    acme, labs = VIOLATIONS
    older = organization("old", [key("r1", 9, registered=late)], [database("orders", "r1")])
    lanes = read(audit(tmp_path, [acme, labs, older], waived))
    found = {(name, region): counts for name, region, counts in _found(lanes)}
    assert (found["acme", "us-west-2"], found["old", "r1"]) == (
        {"waived": 1},
        {"older-than-key": 1},
    )


def test_a_check_that_broke_shows_nothing_as_fine(violations: Report) -> None:
    """An error about a database is shown; one about an organization makes it incomplete."""
    order = b'"rule":"CMEK-05"'
    lines = [
        line.replace(b'{"status":"pass"', b'{"status":"error"', 1) if order in line else line
        for line in violations.lines
    ]
    found = _found(read(violations._replace(lines=lines)))
    assert ("acme", "us-east-2", {"broken": 1}) in found
    about = json.loads(lines[0]) | {"rule": "CMEK-05", "status": "error"}
    about["subject"] = {"kind": "organization", "path": "acme", "organization": "acme"}
    lines = [json.dumps(about, separators=(",", ":")).encode()]
    assert read(violations._replace(lines=lines)).organizations[0].is_incomplete


def test_what_was_not_judged_is_not_fine(tmp_path: Path) -> None:
    """Without findings of the rule, every order is shown as not evaluated."""
    lanes = read(audit(tmp_path, VIOLATIONS, only="CMEK-08"))
    codes = {code for *_, counts in _found(lanes) for code in counts}
    assert codes == {"not-judged"}


def test_findings_without_a_population_are_not_lost(violations: Report) -> None:
    """Databases that only findings know have a lane without key scope, time and keys."""
    lanes = read(violations, listed=False)
    assert _found(lanes) == [
        ("acme", "", {"without-key": 3, "after": 1, "astra-provided": 1, "not-applicable": 1}),
        ("labs", "", {"unknown": 1}),
    ]
    assert {kept.is_listed for kept in lanes.kept} == {False}


def test_a_population_without_findings_is_not_lost(violations: Report) -> None:
    """Organizations after the last finding, and between findings, are read, too."""
    only_labs = [line for line in violations.lines if b'"path":"labs/' in line]
    counted = [
        [(row.name, row.lanes) for row in read(violations._replace(lines=lines)).organizations]
        for lines in ([], only_labs)
    ]
    assert counted == [[("acme", 6), ("labs", 2)]] * 2


def test_only_the_worst_lanes_are_kept(tmp_path: Path) -> None:
    """However many lanes there are, a limited number is kept, and all of them are counted."""
    regions = [f"r{number:03}" for number in range(4 * SMALL)]
    keys = [key(region, number) for number, region in enumerate(regions) if number != 150]
    databases = [database(f"d-{region}", region) for region in regions]
    lanes = read(audit(tmp_path, [organization("many", keys, databases)]), limit=1)
    assert (len(lanes.kept), lanes.organizations) == (
        SMALL,
        [CountedOrganization("many", "many", 4 * SMALL, 1, is_incomplete=False)],
    )
    assert _found(lanes)[0] == ("many", "r150", {"without-key": 1})


def _population(organizations: int) -> Iterator[bytes]:
    for number in range(organizations):
        own = f'"path":"o{number}","id":"o{number}","name":"o{number}"'
        yield f'{{"kind":"organization",{own}}}\n'.encode()
        for place in range(10):
            region = f'{{"name":"r1","scope":"o{number}/serverless/aws/r1","state":"existing"}}'
            path = f"o{number}/database/d{place}"
            own = f'"path":"{path}","state":"existing","name":"d{place}"'
            yield f'{{"kind":"database",{own},"regions":[{region}]}}\n'.encode()


def _findings(organizations: int) -> Iterator[bytes]:
    for number in range(organizations):
        for place in range(10):
            subject = f'{{"kind":"database-region","path":"o{number}/database/d{place}/r1"}}'
            own = f'"id":"{number:020x}","severity":"high","subject":{subject}'
            yield f'{{"status":"pass","rule":"CMEK-05",{own}}}\n'.encode()


def _peak(organizations: int) -> int:
    """Return the most memory that reading a fleet takes, in bytes."""
    tracemalloc.start()
    reader = TimelineReader(_population(organizations), SMALL)
    assert sum(1 for _ in reader.watch(_findings(organizations))) == 10 * organizations
    assert sum(counted.lanes for counted in reader.finish().organizations) == organizations
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_the_memory_does_not_grow_with_the_fleet() -> None:
    """Four times as many organizations take hardly more memory: one of them is read at a time."""
    _peak(1)
    assert _peak(400) < 1.6 * _peak(100)
