"""CMEK-11, as far as it differs from CMEK-12: the fact of rotation, and who says it."""

from __future__ import annotations

from typing import Any

from checks.engine.context import Context
from tests.builders import (
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    kms_facts,
)
from tests.checks.judging import CONTEXT, judged, judged_once

BY: dict[str, Any] = {"by": "acme-security", "on": "2026-11-01"}
ATTESTED = {"CMEK-11": "rotation", "CMEK-12": "usable"}
WORDS = {"CMEK-11": "automatic", "CMEK-12": "usable"}


def attested(rule: str, *, well: bool, **over: object) -> dict[str, Any]:
    return {ATTESTED[rule]: BY | {WORDS[rule]: well} | over}


def judge(rule: str, context: Context = CONTEXT, **key: object) -> tuple[str, str]:
    """Return the status and the reason of the first finding about a key."""
    finding = judged(rule, an_organization(keys=[a_key(**key)]), context=context)[0]
    return finding.status, finding.reason


def test_rotation_is_a_fact_of_its_own() -> None:
    """A cloud that says nothing of rotation leaves it to the attestation; old facts do not bar."""
    silent = kms_facts(rotation_enabled=None, observed_at="2026-01-01T00:00:00Z")
    assert judge("CMEK-11", kms=silent) == ("inconclusive", "not-recorded")
    attestation = attested("CMEK-11", well=True)
    assert judge("CMEK-11", kms=silent, **attestation) == ("pass", "")


def test_a_key_that_does_not_rotate_says_who_said_so() -> None:
    """A failure tells whether the cloud or a person said that the key does not rotate."""
    by_cloud = a_key(kms=kms_facts(rotation_enabled=False))
    by_person = a_key(**attested("CMEK-11", well=False))
    found = [
        judged_once("CMEK-11", an_organization(keys=[key])).message for key in (by_cloud, by_person)
    ]
    assert found == [
        "Automatic rotation is off.",
        "acme-security attested on 2026-11-01: the key does not rotate automatically.",
    ]


def test_rotation_is_shown_at_the_key_with_its_databases() -> None:
    """Each answer about rotation has its code, its action, and the place of the key."""
    off = f"Switch on automatic rotation for {aws_key_id()}"
    again = f"Attest again whether {aws_key_id()} rotates"
    old = {"rotation": BY | {"automatic": True, "due": "2026-11-20"}}
    for over, cause, action in (
        ({"kms": kms_facts()}, "", ""),
        ({"kms": kms_facts(rotation_enabled=False)}, "rotation-off", off),
        (attested("CMEK-11", well=True), "", ""),
        (attested("CMEK-11", well=False), "rotation-off", off),
        (old, "attestation-not-current", again),
    ):
        key = a_key(**over).at("keys.yaml", 3)
        databases = [a_database(), a_planned_database()]
        finding = judged_once("CMEK-11", an_organization(keys=[key], databases=databases))
        assert (finding.cause, finding.action, finding.evidence) == (
            cause,
            action,
            (("keys.yaml", 3),),
        )
        assert (finding.databases, finding.existing) == (2, 1)
    key = a_key(**attested("CMEK-11", well=True))
    assert judged_once("CMEK-11", an_organization(keys=[key])).message == (
        "acme-security attested on 2026-11-01: the key rotates automatically."
    )
