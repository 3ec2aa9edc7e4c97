"""CMEK-11: the key's versions rotate automatically."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import MANAGE, Card, Quote
from checks.engine.finding import fails, key_subject, locations_of, passes
from checks.engine.outcome import report_outcome
from checks.shared.verdicts import facts_too_old, not_current, with_databases_of, without_kms_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.model.attestations import RotationAttestation
    from inventory.model.key import CustomerKey, KeyScope
    from inventory.model.organization_index import OrganizationIndex

CARD = Card(
    id="CMEK-11",
    check="check_key_rotation",
    title="The key's versions rotate automatically",
    basis="derived",
    severity="medium",
    subject="key, with facts of the cloud's key management or an attestation",
    needs=("keys",),
    causes={
        "rotation-off": "Automatic rotation is off.",
    },
    rationale=(
        "Astra does not rotate customer keys; the provider's versioning does, if it is switched "
        "on. A key that never rotates protects ever more data with the same material."
    ),
    quotes=(
        Quote(
            sentence=(
                "Customer key cloud providers provide automatic rotation through key versioning."
            ),
            page=MANAGE,
            heading="Rotate customer keys",
        ),
    ),
    remediation=(
        "Switch automatic rotation on in the provider's console. The key id stays the same: "
        "nothing has to be changed in Astra."
    ),
    no_subject="The inventory holds no customer key.",
)

_ATTEST_ROTATION = ActionKind(
    code="attest-rotation",
    sentence="Attest again whether {key} rotates",
    purpose="prove",
    who="we",
    sentence_for_several="Attest again whether {number} keys rotate",
    steps=(
        "Look in the cloud's console whether automatic rotation is on.",
        "Attest what you see, with name and day.",
    ),
)
_SWITCH_ROTATION_ON = ActionKind(
    code="switch-rotation-on",
    sentence="Switch on automatic rotation for {key}",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Switch on automatic rotation for {number} keys",
    steps=(
        "Switch on automatic rotation of the key in its cloud's console.",
        "Change nothing in Astra: the key id stays the same.",
        "Record the key's new state, or attest it with name and day.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by the KMS data, and where that is missing by the attestation."""
    for scope, keys in index.keys.items():
        for key in keys:
            finding = _judge_key(scope, key, context)
            yield with_databases_of(finding, index, [scope])


def _judge_key(scope: KeyScope, key: CustomerKey, context: Context) -> Finding:
    subject, kms = key_subject(scope, key.key_id), key.kms
    if kms is not None and kms.rotation_enabled is not None:
        if old := facts_too_old(CARD, subject, key, kms, context):
            return old
        if kms.rotation_enabled:
            return passes(CARD, subject, "Automatic rotation is on.", locations_of([key]))
        return _does_not_rotate(subject, key, "Automatic rotation is off.")
    if key.rotation is not None:
        return _judge_attested(subject, key, key.rotation, context)
    return without_kms_facts(CARD, subject, key, context, "whether the key rotates")


def _judge_attested(
    subject: Subject, key: CustomerKey, rotation: RotationAttestation, context: Context
) -> Finding:
    again = _ATTEST_ROTATION.on(key.key_id, key=key.key_id)
    if old := not_current(rotation, context, again):
        return old.on_subject(CARD, subject, locations_of([key]))
    attested = f"{rotation.by} attested on {rotation.on}: the key "
    if rotation.automatic:
        message = f"{attested}rotates automatically."
        return passes(CARD, subject, message, locations_of([key]), attested_by=(rotation.by,))
    return _does_not_rotate(subject, key, f"{attested}does not rotate automatically.")


def _does_not_rotate(subject: Subject, key: CustomerKey, message: str) -> Finding:
    action = _SWITCH_ROTATION_ON.on(key.key_id, key=key.key_id)
    return fails(CARD, subject, "rotation-off", message, locations_of([key]), action)


def check_key_rotation(group: FindingGroup) -> None:
    """The key's versions rotate automatically."""
    report_outcome(group)
