"""What the clouds show of keys: whether it counts, and what is asked for where it is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest

from checks.engine.finding import key_subject
from checks.engine.reasons import reasons
from checks.shared.cloud_facts import (
    FACT_NAMES,
    fact_locations,
    facts_do_not_count,
    unread_finding,
)
from inventory.model.gaps import CloudReason
from inventory.model.key import KeyScope
from inventory.model.kms import KmsFact, KmsFacts, KmsGap
from inventory.model.planned_keys import PlannedKey
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    ORGANIZATION,
    a_key,
    aws_key_id,
    azure_key_id,
    gcp_key_id,
    kms_facts,
)
from tests.checks.judging import CONTEXT, RULES

if TYPE_CHECKING:
    from checks.engine.finding import Finding
    from inventory.model.key import CustomerKey

CARD = RULES["CMEK-12"].card
REASONS: tuple[CloudReason, ...] = tuple(
    code for group in get_args(CloudReason) for code in get_args(group)
)
FACTS: tuple[KmsFact, ...] = get_args(KmsFact)


def nothing(*gaps: dict[str, Any], **over: object) -> KmsFacts:
    """Make facts of which only gaps are known."""
    return KmsFacts.model_validate({"observed_at": CAPTURED_AT, "unread": gaps} | over)


def judged(kms: KmsFacts, key: CustomerKey | None = None) -> Finding | None:
    """Return the finding if facts do not count; of the AWS key by default."""
    key = key or a_key()
    scope = KeyScope(ORGANIZATION, key.type, key.provider, key.region)
    return facts_do_not_count(CARD, key_subject(scope, key.key_id), key, kms, CONTEXT)


def unread(gap: KmsGap, key: CustomerKey | PlannedKey | None = None) -> Finding:
    """Return the finding for a fact of a key that could not be read."""
    key = key or a_key()
    scope = KeyScope(ORGANIZATION, key.type, key.provider, key.region)
    return unread_finding(CARD, key_subject(scope, key.key_id or ""), key, gap)


def test_every_fact_has_a_name() -> None:
    """Each fact that is asked of a cloud can be named in a sentence."""
    assert set(FACT_NAMES) == set(FACTS)


def test_a_refusal_names_fact_reason_and_permission() -> None:
    """A fact that was refused is inconclusive, with the permission that reading it takes."""
    gap = KmsGap(
        fact="policy", reason="refused", detail="AccessDenied", permission="kms:GetKeyPolicy"
    )
    finding = unread(gap)
    assert (finding.status, finding.reason, finding.cause) == (
        "inconclusive",
        "refused",
        "refused:policy",
    )
    assert finding.message == (
        "AWS did not show the policy of the key: refused (AccessDenied). "
        "Reading it takes kms:GetKeyPolicy."
    )
    assert finding.action == "Let the audit read keys of 111122223333: grant it kms:GetKeyPolicy"
    assert finding.action_id == (
        f"grant-key-permission:{ORGANIZATION}/aws/111122223333/kms.3aGetKeyPolicy"
    )


def test_a_refusal_without_a_known_permission_names_the_fact() -> None:
    """Where nobody knows which permission is missing, the step names what it is for."""
    finding = unread(KmsGap(fact="grants", reason="refused"))
    assert finding.message == "AWS did not show the grants of the key: refused."
    assert finding.action == (
        "Let the audit read keys of 111122223333: grant it the right to read the grants of the key"
    )


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("fact", FACTS)
def test_every_gap_is_inconclusive_with_a_step(fact: KmsFact, reason: CloudReason) -> None:
    """Each fact that is missing for any reason is inconclusive, by its own cause, with a step."""
    finding = unread(KmsGap(fact=fact, reason=reason))
    assert (finding.status, finding.cause) == ("inconclusive", f"{reason}:{fact}")
    assert finding.reason in reasons()
    assert "{" not in finding.action


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        ("library-missing", "install-cloud-library:{}/aws"),
        ("no-credentials", "give-cloud-credentials:{}/aws"),
        ("credentials-expired", "give-cloud-credentials:{}/aws"),
        ("not-requested", "map-key-account:{}/aws/111122223333"),
        ("foreign-key", "map-key-account:{}/aws/111122223333"),
    ],
)
def test_one_step_serves_all_keys_of_an_owner(reason: CloudReason, step: str) -> None:
    """What helps all keys of a cloud or of an account is one action, whatever the fact."""
    keys = [a_key(), a_key(region="us-west-2")]
    found = {
        unread(KmsGap(fact=fact, reason=reason), key).action_id for fact in FACTS for key in keys
    }
    assert found == {step.format(ORGANIZATION)}


def test_what_concerns_one_key_names_it() -> None:
    """A key that is not found is to be looked at, and one that did not answer is read again."""
    for reason, sentence in (
        ("not-found", "Check in its cloud that the key {} exists and can be read"),
        ("region-disabled", "Check in its cloud that the key {} exists and can be read"),
        ("timed-out", "Re-collect the KMS data of {}"),
        ("malformed", "Re-collect the KMS data of {}"),
    ):
        gap = KmsGap.model_validate({"fact": "key", "reason": reason})
        assert unread(gap).action == sentence.format(aws_key_id())


def test_a_planned_key_asks_for_the_same() -> None:
    """A fact that is missing of a planned key needs the same step as that of a registered one."""
    planned = PlannedKey(type="serverless", provider="aws", region="us-east-1")
    gap = KmsGap(fact="key", reason="refused", permission="kms:DescribeKey")
    assert unread(gap, planned.model_copy(update={"key_id": aws_key_id()})).action_id == (
        unread(gap).action_id
    )


def test_facts_of_now_and_of_the_owner_count() -> None:
    """Facts that are fresh, of the key's owner and not empty are judged."""
    assert judged(kms_facts(owner="111122223333")) is None
    assert judged(kms_facts()) is None
    assert judged(nothing()) is None


def test_stale_facts_do_not_count() -> None:
    """Facts older than the audit allows say nothing, whatever they show."""
    finding = judged(kms_facts(observed_at=AS_OF - timedelta(days=31), owner="999988887777"))
    assert finding is not None
    assert finding.cause == "facts-not-current"


@pytest.mark.parametrize(
    ("key_id", "owner", "is_own"),
    [
        (aws_key_id(), "111122223333", True),
        (aws_key_id(), "999988887777", False),
        (aws_key_id(), "", False),
        (gcp_key_id(), "acme-prod", True),
        (gcp_key_id(version=2), "acme-prod", True),
        (gcp_key_id(), "acme-prod.example", False),
        (gcp_key_id(), "123456789", False),
        (azure_key_id(), "acme-vault", True),
        (azure_key_id(), "Acme-Vault.vault.azure.net", True),
        (azure_key_id(), "https://acme-vault.vault.azure.net/", True),
        (azure_key_id(), "acme-vault.evil.example", False),
        (azure_key_id(), "acme", False),
        ("acme", "acme", False),
    ],
)
def test_facts_of_another_owner_are_refused(key_id: str, owner: str, *, is_own: bool) -> None:
    """Facts count only if they are about the account, project or vault that the key id names."""
    provider = {"a": "aws", "p": "gcp", "h": "azure"}[key_id[0]]
    kms = kms_facts().model_copy(update={"owner": owner})
    finding = judged(kms, a_key(provider=provider, key_id=key_id))
    assert (finding is None) is is_own
    if finding is not None:
        assert (finding.status, finding.cause) == ("inconclusive", "foreign-key")


def test_the_other_owner_is_named() -> None:
    """What was shown and what the key id names are both in the message."""
    finding = judged(kms_facts(owner="999988887777"))
    assert finding is not None
    assert finding.message == (
        "The facts are about a key of 999988887777, the key id names 111122223333."
    )
    assert finding.action == "Name a profile or a role of 111122223333 in the organizations file"


def test_a_key_of_which_nothing_was_read_has_one_finding() -> None:
    """Seven facts that are missing for one reason are one finding, that of the key itself."""
    gaps = [{"fact": fact, "reason": "no-credentials"} for fact in FACTS]
    finding = judged(nothing(*reversed(gaps), owner="111122223333", region="us-east-1"))
    assert finding is not None
    assert (finding.status, finding.cause) == ("inconclusive", "no-credentials:key")
    assert finding.message == (
        "AWS did not show the state of the key: no-credentials. Nothing else of the key was shown."
    )


def test_what_could_be_read_is_judged_beside_a_gap() -> None:
    """A gap does not hide what else the cloud showed."""
    assert judged(nothing({"fact": "key", "reason": "refused"}, grants=[])) is None


def test_evidence_is_the_key_and_the_answer() -> None:
    """A missing fact is shown where the key was read, and where its answer was recorded."""
    answer = ("bundle/exchanges/0001/0001.json", 4)
    kms = kms_facts().located({"policy": answer})
    key = a_key(kms=kms).at("keys.yaml", 3)
    assert fact_locations(key, "policy") == (("keys.yaml", 3), answer)
    assert fact_locations(key, "grants") == (("keys.yaml", 3),)
    assert fact_locations(a_key().at("keys.yaml", 3), "policy") == (("keys.yaml", 3),)
    assert unread(KmsGap(fact="policy", reason="refused"), key).evidence == (
        ("keys.yaml", 3),
        answer,
    )
