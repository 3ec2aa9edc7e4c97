"""What several rules have in common: answers before they are said of a subject."""

from __future__ import annotations

import pytest

from checks.common import Answer
from checks.finding import of_organization
from tests.builders import ORGANIZATION, an_organization
from tests.checks.judging import RULES, judged_once, of_unknown_type

CARD = RULES["CMEK-01"].card


@pytest.mark.parametrize(
    ("answer", "cause", "planned"),
    [
        (Answer("pass", ""), "", ""),
        (Answer("pass", "", reason="refused", cause="without-key"), "", ""),
        (Answer("not-applicable", "", reason="astra-provided"), "", ""),
        (Answer("fail", "", cause="without-key"), "without-key", "planned-without-key"),
        (Answer("inconclusive", "", reason="refused"), "refused", "planned-refused"),
        (
            Answer("inconclusive", "", reason="refused", cause="refused:a"),
            "refused:a",
            "planned-refused:a",
        ),
    ],
)
def test_only_what_is_open_has_a_cause(answer: Answer, cause: str, planned: str) -> None:
    """A failure has its cause, what is inconclusive has its reason if no cause; a pass has none."""
    assert answer.cause_for() == cause
    assert answer.cause_for(is_planned=True) == planned
    subject, where = of_organization(ORGANIZATION), (("now.yaml", 1),)
    finding = answer.about(CARD, subject, where, is_planned=True)
    assert (finding.status, finding.cause, finding.reason, finding.evidence) == (
        answer.status,
        planned,
        answer.reason,
        where,
    )
    assert answer.about(CARD, subject, where).cause == cause


def test_an_unknown_type_is_said_with_its_tier() -> None:
    """A database whose tier has no type is inconclusive, and the tier is named."""
    finding = judged_once("CMEK-05", an_organization(databases=[of_unknown_type()]))
    assert (finding.reason, finding.says) == (
        "unknown-type",
        "The tier 'developer' tells no database type.",
    )
