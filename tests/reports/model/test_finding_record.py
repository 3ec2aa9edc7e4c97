"""A finding as the record holds it: its type, its schema, and what an audit writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from checks.engine.finding import Finding, Subject
from reports.model.finding_record import FindingRecord, SubjectRecord
from reports.record.encoding import encode_finding
from tests.hypothesis_profile import examples
from tests.reports.everything import differences, schema, validator
from tests.reports.recording import a_finding, findings

FINDING = schema("finding")
LINES = validator("finding")


def test_the_schema_is_that_of_the_type() -> None:
    """Every field of a finding has in the schema the type that it has in code, and no other."""
    assert list(differences(FindingRecord, FINDING, FINDING)) == []


def test_a_finding_is_recorded_with_all_it_says() -> None:
    """A line has the fields of a finding and its id, but for those who attested it."""
    fields = {*Finding._fields, "id"} - {"attested_by"}
    assert set(FindingRecord.__annotations__) == fields
    assert set(SubjectRecord.__annotations__) == set(Subject._fields)


@examples(200)
@given(finding=findings())
def test_every_line_fits_the_schema(finding: Finding) -> None:
    """The line of any finding that a judge can give is valid by the published schema."""
    line = json.loads(encode_finding(finding))
    assert [error.message for error in LINES.iter_errors(line)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"status": "ok"},
        {"rule": "CMEK-1"},
        {"id": "0123"},
        {"severity": "severe"},
        {"message": ""},
        {"reason": "Not a code"},
        {"name": 1},
        {"databases": 0},
        {"databases": "1"},
        {"existing": None},
        {"waiver": "W-1"},
        {"evidence": [["acme.yaml"]]},
        {"evidence": [["acme.yaml", 1, 2]]},
        {"evidence": [["acme.yaml", -1]]},
        {"evidence": [[1, "acme.yaml"]]},
        {"subject": "acme"},
        {"subject": {"kind": "organization", "path": "acme"}},
        {"subject": {"kind": "thing", "path": "acme", "organization": "acme"}},
        {"subject": {"kind": "organization", "path": "a b", "organization": "acme"}},
        {"subject": {"kind": "organization", "path": "a", "organization": "a", "region": ""}},
        {"subject": {"kind": "organization", "path": "a", "organization": "a", "more": 1}},
    ],
    ids=str,
)
def test_a_line_that_was_tampered_with_does_not_fit(change: dict[str, Any]) -> None:
    """The schema refuses a line with a field too many, or of another type or form."""
    line = json.loads(encode_finding(a_finding(action="Act", databases=1, existing=1)))
    assert (LINES.is_valid(line), LINES.is_valid(line | change)) == (True, False)


@pytest.mark.parametrize(
    "name", ["status", "rule", "id", "severity", "subject", "message", "evidence"]
)
def test_a_line_without_what_every_line_has_does_not_fit(name: str) -> None:
    """The schema refuses a line that lacks one of the fields that all lines have."""
    line = json.loads(encode_finding(a_finding(action="Act")))
    del line[name]
    assert not LINES.is_valid(line)


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("pass", {"reason": "not-recorded"}),
        ("inconclusive", {}),
        ("not-applicable", {}),
        ("error", {}),
        ("waived", {}),
        ("fail", {"waiver": "W-1"}),
    ],
)
def test_a_status_asks_for_its_fields(status: str, over: dict[str, str]) -> None:
    """A line has a reason if it was not judged, a waiver if it is waived, and else neither."""
    line = json.loads(encode_finding(a_finding("fail", action="Act")))
    assert not LINES.is_valid(line | {"status": status} | over)
