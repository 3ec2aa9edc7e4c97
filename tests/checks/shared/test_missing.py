"""What an audit misses of an earlier one is read from the cause of one rule alone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from checks.engine.catalogue import rule_of
from checks.engine.identity import cause_of
from checks.shared.missing import ORGANIZATION_MISSING, UNSEEN, VANISHED, missing_database
from tests.reports.recording import a_finding


@dataclass(frozen=True)
class Case:
    """A cause, and the database that it misses."""

    cause: str
    database: str


@pytest.mark.parametrize(
    "case",
    [
        Case(cause_of(VANISHED, "d 1/%"), "d 1/%"),
        Case(cause_of(UNSEEN, "d1"), "d1"),
        Case(ORGANIZATION_MISSING, ""),
        Case(cause_of("stale", "d1"), ""),
        Case("", ""),
    ],
    ids=lambda case: case.cause or "none",
)
def test_a_cause_names_the_missing_database(case: Case) -> None:
    """Only the causes of a database that is gone or unseen name one, whatever its id holds."""
    finding = a_finding("inconclusive", rule_of("population"), cause=case.cause)
    assert missing_database(finding) == case.database


def test_the_same_cause_of_another_rule_misses_nothing() -> None:
    """A cause of that name under another rule is not about the population."""
    assert missing_database(a_finding(cause=cause_of(VANISHED, "d1"))) == ""
