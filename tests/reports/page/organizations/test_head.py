"""The head of a record, reduced to one organization."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from checks.engine.finding import OPEN, STATUSES
from reports.aggregation.protection import total_of_kinds
from reports.model.head import Head
from reports.page.organizations.head import HeadIndex, count
from reports.page.organizations.lines import part
from tests.reports.samples import VIOLATIONS, WAIVERS, Report, audit

WHOLE = {"schema", "title", "tool", "verdict", "settings", "evidence", "population_file", "report"}
"""What is about the audit, and the same on every page."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return audit(tmp_path_factory.mktemp("waived"), VIOLATIONS, WAIVERS)


@pytest.fixture(scope="module")
def reduced(report: Report) -> dict[str, Head]:
    index, head = HeadIndex(report.head), report.head
    names = {row["id"]: row["name"] for row in head["population"]["organizations"]}
    return {
        lines.organization: index.head_of(lines.organization, lines.findings, [])
        for lines in part(report.lines, report.population, names)
    }


def test_findings_are_counted() -> None:
    """Findings are counted by status, rule and severity, of which only the open ones count."""
    line = '{{"status":"{}","rule":"R-{}","id":"1","severity":"high","subject":{{}}}}'
    lines = [line.format(*parts).encode() for parts in (("fail", 1), ("fail", 1), ("pass", 2))]
    tally = count(lines)
    assert tally.by_rule == {("fail", "R-1"): 2, ("pass", "R-2"): 1}
    assert tally.open == {"high": 2}
    assert tally.by_status() == dict.fromkeys(STATUSES, 0) | {"fail": 2, "pass": 1}


def test_the_parts_add_up_to_the_whole(report: Report, reduced: dict[str, Head]) -> None:
    """Counts, open findings and databases of all organizations are those of the audit."""
    across = [json.loads(line) for line in report.lines if b'"organization":""' in line]
    for status in STATUSES:
        others = sum(finding["status"] == status for finding in across)
        assert (
            sum(head["counts"][status] for head in reduced.values()) + others
            == (report.head["counts"][status])
        )
    opened = Counter(row["severity"] for row in across if row["status"] in OPEN)
    for severity, number in report.head["open"].items():
        assert sum(head["open"][severity] for head in reduced.values()) == (
            number - opened[severity]
        )
    for name, number in report.head["protection"].items():
        assert sum(head["protection"][name] for head in reduced.values()) == number  # type: ignore[literal-required]
    kinds = [head["evidence_kinds"]["databases"] for head in reduced.values()]
    assert total_of_kinds(kinds) == report.head["evidence_kinds"]["databases"]
    for name, number in report.head["population"]["totals"].items():
        totals = [head["population"]["totals"] for head in reduced.values()]
        assert sum(total[name] for total in totals) == number  # type: ignore[literal-required]


@pytest.mark.parametrize("block", ["coverage", "waivers", "attestations", "not_evaluated"])
def test_each_entry_is_on_the_page_of_its_organization(
    report: Report, reduced: dict[str, Head], block: str
) -> None:
    """Every entry of a block that names an organization is on that organization's page alone."""
    entries = [entry for head in reduced.values() for entry in head[block]]  # type: ignore[literal-required]
    expected = [entry for entry in report.head[block] if entry.get("organization", "x")]
    assert sorted(map(json.dumps, entries)) == sorted(map(json.dumps, expected))


def test_the_key_plan_is_that_of_the_organization(report: Report, reduced: dict[str, Head]) -> None:
    """Numbers and lists of the key plan are those of one organization, without the steps."""
    plan = report.head["key_plan"]
    for row in plan["organizations"]:
        own = reduced[row["organization"]]["key_plan"]
        assert own["organizations"] == [row]
        assert own["missing"] == row["missing"]
        assert own["steps"] == []
    listed = [row for head in reduced.values() for row in head["key_plan"]["lists"]["missing"]]
    assert listed == plan["lists"]["missing"]


def test_what_is_about_the_audit_stays(report: Report, reduced: dict[str, Head]) -> None:
    """The run, the criteria and the files of the record are those of the whole audit."""
    for head in reduced.values():
        assert {name: head[name] for name in WHOLE} == {name: report.head[name] for name in WHOLE}  # type: ignore[literal-required]
        assert head["findings"]["sha256"] == report.head["findings"]["sha256"]
        assert set(head) == {*report.head}
