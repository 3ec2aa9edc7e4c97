"""What several rules have in common: answers before they are said of a subject."""

from __future__ import annotations

import pytest

from checks.engine.finding import organization_subject
from checks.shared.verdicts import Verdict
from tests.builders import ORGANIZATION, a_key, an_organization, aws_key_id, kms_facts
from tests.checks.judging import CONTEXT, RULES, judged_once, of_unknown_type

CARD = RULES["CMEK-01"].card


@pytest.mark.parametrize(
    ("answer", "cause", "planned"),
    [
        (Verdict("pass", ""), "", ""),
        (Verdict("pass", "", reason="refused", cause="without-key"), "", ""),
        (Verdict("not-applicable", "", reason="astra-provided"), "", ""),
        (Verdict("fail", "", cause="without-key"), "without-key", "planned-without-key"),
        (Verdict("inconclusive", "", reason="refused"), "refused", "planned-refused"),
        (
            Verdict("inconclusive", "", reason="refused", cause="refused:a"),
            "refused:a",
            "planned-refused:a",
        ),
    ],
)
def test_only_what_is_open_has_a_cause(answer: Verdict, cause: str, planned: str) -> None:
    """A failure has its cause, what is inconclusive has its reason if no cause; a pass has none."""
    assert answer.cause_for() == cause
    assert answer.cause_for(is_planned=True) == planned
    subject, where = organization_subject(ORGANIZATION), (("now.yaml", 1),)
    finding = answer.on_subject(CARD, subject, where, is_planned=True)
    assert (finding.status, finding.cause, finding.reason, finding.evidence) == (
        answer.status,
        planned,
        answer.reason,
        where,
    )
    assert answer.on_subject(CARD, subject, where).cause == cause


def test_an_unknown_type_is_said_with_its_tier() -> None:
    """A database whose tier has no type is inconclusive, and the tier is named."""
    finding = judged_once("CMEK-05", an_organization(databases=[of_unknown_type()]))
    assert (finding.reason, finding.message) == (
        "unknown-type",
        "Tier 'developer' does not identify the database type.",
    )


@pytest.mark.parametrize("rule", ["CMEK-11", "CMEK-12"])
def test_what_the_clouds_do_not_say_is_shown_at_the_key(rule: str) -> None:
    """Facts that are too old, missing or left out are shown where the key was read."""
    place = ("keys.yaml", 3)
    old = a_key(kms=kms_facts(observed_at="2026-01-01T00:00:00Z")).at(*place)
    finding = judged_once(rule, an_organization(keys=[old]))
    assert (finding.reason, finding.evidence) == ("facts-not-current", (place,))
    assert finding.message == (
        "The KMS data is of 2026-01-01T00:00:00Z, the audit of 2026-11-21T02:00:00Z."
    )
    assert finding.action == f"Re-collect the KMS data of {aws_key_id()}"
    organization = an_organization(keys=[a_key().at(*place)])
    finding = judged_once(rule, organization)
    assert (finding.reason, finding.evidence) == ("not-recorded", (place,))
    assert finding.action == (f"Collect the KMS data of {aws_key_id()}, or attest it")
    finding = judged_once(rule, organization, context=CONTEXT._replace(kms="none"))
    assert (finding.reason, finding.evidence) == ("clouds-left-out", (place,))
