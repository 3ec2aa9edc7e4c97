"""The table of findings: every finding with all of its fields."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES
from checks.engine.finding import ACROSS, STATUSES, Finding
from reports.model.finding_record import FindingRecord, SubjectRecord
from reports.presentation.labels import reason
from reports.tables.cells import FindingCell, harmless
from reports.tables.findings import FINDINGS
from tests.builders import ORGANIZATION
from tests.hypothesis_profile import examples
from tests.reports.recording import RULES, a_finding, findings, record
from tests.reports.samples import VIOLATIONS, WAIVERS, Report, audit
from tests.reports.tables.reading import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

RENAMED = {"organization": "organization_id", "path": "subject"}
"""Fields of a subject whose columns have other names."""

SHOWN_OTHERWISE = {"subject", "evidence"}


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Audit failures of many kinds, with waivers."""
    return audit(tmp_path_factory.mktemp("violations"), VIOLATIONS, WAIVERS)


def _expected(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a finding that hold its own fields."""
    fields = {name: value for name, value in finding.items() if name not in SHOWN_OTHERWISE}
    fields = {"databases": 0, "existing": 0} | fields
    fields |= {RENAMED.get(name, name): value for name, value in finding["subject"].items()}
    return {name: harmless(value) for name, value in fields.items() if value != ""}


def _rows(*given: Finding) -> tuple[Any, list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the head, the findings and the rows of a record of ``given`` alone."""
    with TemporaryDirectory() as folder:
        made = record(Path(folder), given)
    lines = made.findings.splitlines(keepends=True)
    return made.head, [json.loads(line) for line in lines], rows_of(FINDINGS, made.head, lines)


def test_every_field_has_its_column() -> None:
    """The table has a column for each field of a finding and of its subject."""
    own = set(get_type_hints(FindingRecord)) - {"subject"}
    subject = {RENAMED.get(name, name) for name in get_type_hints(SubjectRecord)}
    assert own | subject <= set(FINDINGS.header)


def test_every_finding_is_a_row(violations: Report) -> None:
    """Each line of the record is a row, with the same values in the same order."""
    rows = rows_of(FINDINGS, violations.head, violations.lines)
    assert len(rows) == violations.head["findings"]["count"]
    for line, row in zip(violations.lines, rows, strict=True):
        expected = _expected(json.loads(line))
        assert {name: row[name] for name in expected} == expected


@examples(30)
@given(st.lists(findings(), max_size=4))
def test_any_finding_is_a_row(given: list[Finding]) -> None:
    """Whatever a finding holds, its row has it; what cannot be seen is named."""
    _, written, rows = _rows(*given)
    assert len(written) == len(given)
    for finding, row in zip(written, rows, strict=True):
        expected = _expected(finding)
        assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_shown_as_it_is(status: Any) -> None:  # noqa: ANN401 (a status)
    """No status is shown as another, least of all as a pass."""
    over: dict[str, Any] = (
        {} if status in {"pass", "fail", "waived"} else {"reason": "not-recorded"}
    )
    _, _, [row] = _rows(a_finding(status, **over))
    assert row["status"] == status


@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_severity_is_shown(severity: Any) -> None:  # noqa: ANN401 (a severity)
    """A severity is shown in its own word."""
    _, _, [row] = _rows(a_finding(severity=severity))
    assert row["severity"] == severity


@pytest.mark.parametrize("rule", [rule.card for rule in RULES], ids=lambda card: card.id)
def test_every_rule_has_its_title(rule: Any) -> None:  # noqa: ANN401 (a card)
    """A row says what complies with its rule."""
    _, _, [row] = _rows(a_finding(rule=rule.id))
    assert (row["rule"], row["rule_title"]) == (rule.id, rule.title)


def test_a_rule_that_the_head_does_not_know_has_no_title() -> None:
    """A record of another suite has its rows all the same."""
    head, written, _ = _rows(a_finding())
    head["criteria"]["rules"] = []
    [row] = rows_of(FINDINGS, head, [json.dumps(finding).encode() for finding in written])
    assert (row["rule"], "rule_title" in row) == ("CMEK-01", False)


def test_a_reason_has_its_meaning() -> None:
    """What could not be judged says why, by code and in words."""
    _, _, [row] = _rows(a_finding("inconclusive", reason="not-recorded"))
    assert row["reason_meaning"] == reason("not-recorded").meaning
    _, _, [without] = _rows(a_finding())
    assert "reason_meaning" not in without


def test_a_waived_finding_names_its_waiver(violations: Report) -> None:
    """The row of a waived finding says who accepted it, why, and until when."""
    rows = rows_of(FINDINGS, violations.head, violations.lines)
    waived = [row for row in rows if row["status"] == "waived"]
    known = {waiver["id"]: waiver for waiver in violations.head["waivers"]}
    assert waived
    for row in waived:
        waiver = known[row["waiver"]]
        expected = {
            "waiver_reason": harmless(waiver["reason"]),
            "waiver_approved_by": waiver["approved_by"],
            "waiver_expires_on": waiver["expires_on"],
        }
        assert {name: row[name] for name in expected} == expected
    others = [name for row in rows if row["status"] != "waived" for name in row]
    assert not [name for name in others if name.startswith("waiver")]


def test_evidence_is_places() -> None:
    """Evidence is file and line, with the address of what Terraform manages."""
    evidence = (("a.yaml", 3), ("main.tf", 7, "astra_db.x"), ("", 0, "module.y"), ("", 1))
    _, _, [row] = _rows(a_finding(evidence=evidence))
    assert row["evidence"] == "a.yaml:3; main.tf:7 (astra_db.x); (module.y)"


def test_organizations_are_named(violations: Report) -> None:
    """A row names the organization, or says that its subject is in several."""
    head, written, [row] = _rows(a_finding())
    assert row["organization"] == row["organization_id"] == ORGANIZATION
    across = written[0] | {"subject": written[0]["subject"] | {"organization": ""}}
    [row] = rows_of(FINDINGS, head, [json.dumps(across).encode()])
    assert (row["organization"], "organization_id" in row) == (ACROSS, False)
    names = {entry["id"]: entry["name"] for entry in violations.head["population"]["organizations"]}
    for line, named in zip(
        violations.lines, rows_of(FINDINGS, violations.head, violations.lines), strict=True
    ):
        organization = json.loads(line)["subject"]["organization"]
        assert named["organization"] == (names[organization] if organization else ACROSS)


def test_an_id_knows_its_page() -> None:
    """The cell of an id has what it takes to find the page that shows the finding."""
    with TemporaryDirectory() as folder:
        made = record(Path(folder), [a_finding("waived", waiver="W-1")])
    [row] = FINDINGS.rows(made.head, made.findings.splitlines(), ())
    identity = json.loads(made.findings)["id"]
    assert FindingCell(identity, ORGANIZATION, "waived") in row
