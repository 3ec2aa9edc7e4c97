"""The sentences about a finding that terminal, summary and formats for pipelines share."""

from __future__ import annotations

from typing import Any

import pytest

from checks.engine.finding import OPEN, STATUSES
from reports.presentation.messages import (
    SubjectNames,
    count_records,
    counts_of,
    describe_items,
    gate_of,
    number_of,
    outcome,
    sentence,
    statement,
    step,
)

HEAD: Any = {
    "findings": {"count": 1_009},
    "counts": dict.fromkeys(STATUSES, 0) | {"fail": 1, "pass": 1_008},
    "population": {"organizations": [{"id": "o", "name": "acme"}]},
}
SCOPE = {
    "kind": "key-scope",
    "path": "o/serverless/aws/us-east-1",
    "organization": "o",
    "type": "serverless",
    "provider": "aws",
    "region": "us-east-1",
}


def test_findings_are_counted_by_status() -> None:
    """Only statuses that occur are counted, and nothing is added if there is no finding."""
    assert counts_of(HEAD) == "1,009 findings, of which 1 fail, 1,008 pass"
    assert number_of(HEAD) == "1,009, of which 1 fail, 1,008 pass"
    none: Any = {"findings": {"count": 0}, "counts": dict.fromkeys(STATUSES, 0)}
    assert counts_of(none) == "0 findings"


@pytest.mark.parametrize("grouping", ["subject", "organization", "rule"])
def test_test_items_are_explained(grouping: str) -> None:
    """For each grouping it is explained what pytest counts."""
    text = describe_items(grouping)
    assert text.startswith("one test item covers the findings of one rule about ")


def test_every_open_status_has_an_outcome() -> None:
    """Each status that is open has its outcome in words, all of them different."""
    findings: Any = [{"status": status} for status in OPEN]
    assert len(set(map(outcome, findings))) == len(OPEN)


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (SCOPE, "acme / Serverless on AWS / us-east-1"),
        ({"kind": "organization", "path": "o", "organization": "o"}, "acme"),
        ({"kind": "organization", "path": "unknown", "organization": "unknown"}, "unknown"),
        (
            {"kind": "key-id", "path": "./key-id/k", "organization": "", "key": "k"},
            "across organizations / k",
        ),
        (
            {**SCOPE, "kind": "database-region", "database": "d"},
            "acme / d / Serverless on AWS / us-east-1",
        ),
    ],
)
def test_a_subject_is_named_for_people(subject: dict[str, str], name: str) -> None:
    """The name of a subject begins with its organization and leaves out what it does not have."""
    finding: Any = {"subject": subject}
    assert SubjectNames(HEAD).subject(finding) == name


def test_a_sentence_ends_with_the_step() -> None:
    """A finding is its subject, what was found, and what to do if a step is known."""
    finding: Any = {
        "subject": SCOPE,
        "message": "No key is registered.",
        "action": "Register a key.",
    }
    subject = "acme / Serverless on AWS / us-east-1"
    found = f"{subject}: No key is registered."
    assert sentence(finding, SubjectNames(HEAD)) == f"{found} To do: Register a key."
    without: Any = {**finding, "action": ""}
    assert step(without) == ""
    assert sentence(without, SubjectNames(HEAD)) == found


def test_a_statement_begins_with_an_outcome_that_is_no_failure() -> None:
    """What was not judged is never taken for a failure, as its outcome comes first."""
    finding: Any = {"subject": SCOPE, "message": "No key is registered."}
    said = {status: statement(finding | {"status": status}, SubjectNames(HEAD)) for status in OPEN}
    found = "acme / Serverless on AWS / us-east-1: No key is registered."
    assert said == {
        "fail": found,
        "inconclusive": f"Inconclusive: {found}",
        "error": f"Check broke: {found}",
    }


@pytest.mark.parametrize(
    ("fail_on", "allow_inconclusive", "fail_on_new", "text"),
    [
        ("low", False, False, "failures of severity low or higher and inconclusive findings"),
        ("critical", True, False, "failures of severity critical"),
        (
            "high",
            True,
            True,
            "failures of severity high or higher, if they are new since the baseline",
        ),
    ],
)
def test_the_gate_is_described(
    fail_on: str, *, allow_inconclusive: bool, fail_on_new: bool, text: str
) -> None:
    """What stops a pipeline is described as the settings have it."""
    settings = {
        "fail_on": fail_on,
        "allow_inconclusive": allow_inconclusive,
        "fail_on_new": fail_on_new,
    }
    head: Any = {"settings": settings}
    assert gate_of(head) == text


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ({"format": "yaml"}, 1),
        ({"format": "bundle"}, 1),
        ({"format": "bundle", "chain": {"records": 365}}, 364),
        ({"format": "summary", "chain": {"records": 30}}, 30),
    ],
)
def test_records_are_counted(source: Any, count: int) -> None:  # noqa: ANN401 (a record)
    """Each record is counted once: the first of many in a row is a source of its own."""
    assert count_records(source) == count
