"""CMEK-19: whether one mistake is enough to lose a key."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model.kms import KmsFacts
from inventory.model.planned_keys import PlannedKey
from inventory.model.terraform_managed import ManagedResources
from tests.builders import (
    CAPTURED_AT,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    azure_key_id,
)
from tests.checks.judging import CONTEXT, judged, judged_once
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from checks.engine.finding import Finding

AWS = {"provider": "aws", "region": "us-east-1"}
GOOGLE = {"provider": "gcp", "region": "us-east1"}
AZURE = {"provider": "azure", "region": "eastus"}
OF_AWS = "SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT, AWS_KMS, CUSTOMER"
OF_GOOGLE = "ENCRYPT_DECRYPT, SOFTWARE"
WAITS = "AWS deletes a key after a waiting period of 7 to 30 days, in which it can be kept."
SOON = CAPTURED_AT + timedelta(days=7)
OUTSIDE = (
    "The key is held outside of the cloud's key management, which neither delays nor undoes its "
    "loss there."
)


HELD = "whether the cloud's key management created the key and holds it"


def facts(**shown: object) -> KmsFacts:
    return KmsFacts.model_validate({"observed_at": CAPTURED_AT} | shown)


def found(of: dict[str, str], **shown: object) -> Finding:
    """Return the finding about a key of which its cloud showed this, and no more."""
    return judged_once("CMEK-19", an_organization(keys=[a_key(kms=facts(**shown), **of)]))


@pytest.mark.parametrize(
    ("of", "shown", "message"),
    [
        (AWS, {"kind": OF_AWS}, WAITS),
        (
            AWS,
            {"kind": OF_AWS, "deletion_at": SOON, "recoverable_days": 7},
            (
                f"{WAITS} It is scheduled for deletion on 2026-11-27: CMEK-12 judges that. "
                "7 days is the shortest time that its cloud allows."
            ),
        ),
        (
            GOOGLE,
            {"kind": OF_GOOGLE, "recoverable_days": 30},
            "A destroyed version can be restored for 30 days.",
        ),
        (
            GOOGLE,
            {"kind": OF_GOOGLE, "recoverable_days": 1},
            (
                "A destroyed version can be restored for 1 day. "
                "1 day is the shortest time that its cloud allows."
            ),
        ),
        (AZURE, {"purge_protected": True}, "The vault has purge protection."),
        (
            AZURE,
            {"purge_protected": True, "recoverable_days": 90},
            "The vault has purge protection, and a deleted key can be recovered for 90 days.",
        ),
    ],
)
def test_a_protected_key_passes_and_says_by_what(
    of: dict[str, str], shown: dict[str, Any], message: str
) -> None:
    """A pass names what protects the key, and notes the shortest delay and a deletion under way."""
    finding = found(of, **shown)
    assert (finding.status, finding.cause, finding.message) == ("pass", "", message)
    assert finding.rests_on == "cloud"


@pytest.mark.parametrize(
    ("of", "shown", "cause", "message", "action"),
    [
        (
            AZURE,
            {"purge_protected": False, "recoverable_days": 90},
            "no-purge-protection",
            "The vault has no purge protection: who may purge erases a deleted key at once.",
            "Switch on purge protection of the vault acme-vault.vault.azure.net",
        ),
        (
            AZURE,
            {"purge_protected": True, "recoverable_days": 0},
            "no-delay",
            "What is deleted cannot be recovered for a single day.",
            (f"Have {azure_key_id()} replaced by a key whose versions are destroyed with a delay"),
        ),
        (
            AWS,
            {"kind": OF_AWS.replace("AWS_KMS", "EXTERNAL")},
            "imported-material",
            "The key's material was imported: it can be deleted at once, without a delay.",
            (
                f"Keep a copy of {aws_key_id()} where one mistake cannot delete it, or have the "
                "key replaced"
            ),
        ),
        (
            AWS,
            {"kind": OF_AWS.replace("AWS_KMS", "AWS_CLOUDHSM")},
            "held-outside",
            OUTSIDE,
            (
                f"Keep a copy of {aws_key_id()} where one mistake cannot delete it, or have the "
                "key replaced"
            ),
        ),
    ],
)
def test_a_key_that_one_mistake_loses_fails(
    of: dict[str, str], shown: dict[str, Any], cause: str, message: str, action: str
) -> None:
    """A failure says what is missing, and what to do about it."""
    finding = found(of, **shown)
    assert (finding.status, finding.severity) == ("fail", "medium")
    assert (finding.cause, finding.message, finding.action) == (cause, message, action)


def test_google_holds_keys_outside_and_destroys_at_once() -> None:
    """An external key fails whatever delay its versions have, and so does a delay of no day."""
    external = found(GOOGLE, kind="ENCRYPT_DECRYPT, EXTERNAL_VPC", recoverable_days=30)
    assert (external.cause, external.message) == ("held-outside", OUTSIDE)
    assert found(GOOGLE, kind=OF_GOOGLE, recoverable_days=0).cause == "no-delay"


def test_keys_of_one_vault_need_one_step() -> None:
    """Purge protection is switched on once for all keys of a vault."""
    keys = [
        a_key(kms=facts(purge_protected=False), key_id=azure_key_id(name), **AZURE)
        for name in ("one", "two")
    ]
    actions = {finding.action_id for finding in judged("CMEK-19", an_organization(keys=keys))}
    assert len(actions) == 1


@pytest.mark.parametrize(
    ("of", "shown", "missing"),
    [
        (AWS, {"recoverable_days": 7}, HELD),
        (AWS, {"kind": "SYMMETRIC_DEFAULT, UNHEARD_OF"}, HELD),
        (GOOGLE, {"recoverable_days": 30}, HELD),
        (GOOGLE, {"kind": OF_GOOGLE}, "after how many days a destroyed version is gone"),
        (AZURE, {"recoverable_days": 90}, "whether the vault has purge protection"),
        (AZURE, {"kind": "RSA"}, "whether the vault has purge protection"),
    ],
)
def test_a_missing_fact_is_no_pass(of: dict[str, str], shown: dict[str, Any], missing: str) -> None:
    """What the cloud did not show is inconclusive; what could not be read names its reason."""
    finding = found(of, **shown)
    assert (finding.status, finding.cause) == ("inconclusive", "not-recorded")
    assert finding.message == f"The KMS data does not show {missing}."
    gap = {"fact": "key", "reason": "malformed", "detail": "no such member"}
    assert found(of, **shown, unread=[gap]).cause == "malformed:key"


def test_nothing_is_judged_that_nobody_asked_for() -> None:
    """Without facts about recovery the rule does not apply, and says so."""
    silent = "No KMS data shows whether a deleted key can be recovered."
    bare = judged_once("CMEK-19", an_organization())
    for finding in (bare, found(AWS, enabled=True), found(AZURE, enabled=True)):
        assert (finding.status, finding.reason) == ("not-applicable", "recovery-not-shown")
        assert finding.message == silent
    left_out = CONTEXT._replace(kms="none")
    organization = an_organization(keys=[a_key(kms=facts(purge_protected=False), **AZURE)])
    finding = judged_once("CMEK-19", organization, context=left_out)
    assert (finding.status, finding.reason) == ("not-applicable", "clouds-left-out")


def test_facts_that_do_not_count_are_inconclusive() -> None:
    """Old facts, facts about another account's key and refused ones show nothing."""
    old = found(AWS, kind=OF_AWS, observed_at="2026-01-01T00:00:00Z")
    assert (old.status, old.cause) == ("inconclusive", "facts-not-current")
    foreign = found(AWS, kind=OF_AWS, owner="999988887777")
    assert (foreign.status, foreign.cause) == ("inconclusive", "foreign-key")
    refused = found(
        AWS, unread=[{"fact": "key", "reason": "refused", "permission": "kms:DescribeKey"}]
    )
    assert (refused.status, refused.cause) == ("inconclusive", "refused:key")
    assert "Reading it takes kms:DescribeKey." in refused.message


def test_databases_of_the_scope_are_counted() -> None:
    """A finding says how many databases depend on the key."""
    key = a_key(kms=facts(kind=OF_AWS))
    databases = [a_database(), a_planned_database()]
    finding = judged_once("CMEK-19", an_organization(keys=[key], databases=databases))
    assert (finding.databases, finding.existing) == (2, 1)


def test_planned_keys_are_judged_where_their_cloud_was_asked() -> None:
    """A planned key has its own causes, and none at all if nobody asked its cloud."""
    place = {"type": "serverless", "provider": "azure", "region": "eastus"}
    for kms, expected in (
        (None, []),
        (facts(purge_protected=True), [("pass", "")]),
        (facts(purge_protected=False), [("fail", "planned-no-purge-protection")]),
    ):
        data = place | {"key_id": azure_key_id("planned"), "kms": kms}
        planned = PlannedKey.model_validate(data).at("plan.json", 1, "astra_customer_key.a")
        managed = ManagedResources(planned_keys=(planned,))
        organization = an_organization(keys=[], databases=[]).with_managed(managed)
        findings = judged("CMEK-19", organization)
        assert [(finding.status, finding.cause) for finding in findings] == expected


@examples(300)
@given(
    of=st.sampled_from([AWS, GOOGLE, AZURE]),
    protected=st.sampled_from([True, False, None]),
    days=st.none() | st.integers(0, 100),
    kind=st.none()
    | st.lists(
        st.sampled_from(
            ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS", "EXTERNAL", "SOFTWARE"]
        ),
        min_size=1,
    ).map(", ".join),
    unread=st.booleans(),
)
def test_only_what_is_protected_passes(
    *,
    of: dict[str, str],
    protected: bool | None,
    days: int | None,
    kind: str | None,
    unread: bool,
) -> None:
    """Whatever a cloud shows, a pass rests on the fact that protects the key in that cloud."""
    gaps = [{"fact": "key", "reason": "malformed"}] if unread else []
    finding = found(of, purge_protected=protected, recoverable_days=days, kind=kind, unread=gaps)
    if finding.status != "pass":
        return
    assert protected is not False
    assert of is not AZURE or protected
    assert of is AZURE or "EXTERNAL" not in str(kind)
    assert of is AZURE or {AWS["provider"]: "AWS_KMS"}.get(of["provider"], "SOFTWARE") in str(kind)
    assert of is not GOOGLE or days
