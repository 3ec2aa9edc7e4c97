"""CMEK-12: the key is enabled, symmetric, in its region, and granted to Astra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.card import OVERVIEW, Card, Quote
from checks.common import facts_too_old, not_current, without_kms_facts
from checks.finding import fails, of_key, passes, places
from checks.group import settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from checks.context import Context
    from checks.finding import Finding, Subject
    from checks.group import Group
    from inventory.estate import Estate
    from inventory.models import CustomerKey, KeyScope, KmsFacts, UsableAttestation

CARD = Card(
    id="CMEK-12",
    check="check_key_is_usable",
    title="The key is enabled, symmetric, in its region, and granted to Astra",
    force="derived",
    severity="high",
    subject="key, with facts of the cloud's key management or an attestation",
    needs=("keys",),
    rationale=(
        "Astra can register a key that it cannot use. A key that is disabled, of the wrong kind, "
        "in another region or not granted to the vendor's account encrypts nothing, or makes "
        "databases unreadable."
    ),
    quotes=(
        Quote(
            sentence=(
                "After you determine how many keys you need, you must create and register those "
                "keys in your Astra organization before you deploy the databases that will use "
                "those keys for encryption."
            ),
            page=OVERVIEW,
            heading="Configure customer key encryption",
        ),
    ),
    remediation=(
        "Enable the key, or grant it to the vendor's account as the vendor's page for its provider "
        "says. A key of the wrong kind or region has to be replaced, through IBM Support."
    ),
    no_subject="The inventory holds no customer key.",
)

_WRONG = {
    "enabled": "it is disabled",
    "symmetric": "it is not symmetric",
    "granted_to_astra": "it is not granted to Astra",
}


def judge(estate: Estate, context: Context) -> Iterator[Finding]:
    """Judge each key by what the cloud says, and where that is silent by the attestation."""
    for scope, keys in estate.keys.items():
        for key in keys:
            yield _judge_key(scope, key, context)


def _judge_key(scope: KeyScope, key: CustomerKey, context: Context) -> Finding:
    subject = of_key(scope, key.key_id)
    if key.kms is not None:
        if old := facts_too_old(CARD, subject, key, key.kms, context):
            return old
        if wrong := _wrong(key.kms, scope):
            says = f"The cloud says that {', and '.join(wrong)}."
            action = f"Make the key {key.key_id} usable for Astra"
            return fails(CARD, subject, says, places([key]), action)
        if not _silent(key.kms):
            says = "Enabled, symmetric, in its region, and granted to Astra."
            return passes(CARD, subject, says, places([key]))
    if key.usable is not None:
        return _judge_attested(subject, key, key.usable, context)
    silent = _silent(key.kms) if key.kms else ["whether it is usable"]
    return without_kms_facts(CARD, subject, key, context, ", ".join(silent))


def _wrong(kms: KmsFacts, scope: KeyScope) -> list[str]:
    wrong = [text for name, text in _WRONG.items() if getattr(kms, name) is False]
    if kms.region not in {None, scope.region}:
        wrong.append(f"it lives in {kms.region}")
    return wrong


def _silent(kms: KmsFacts) -> list[str]:
    return [name for name in (*_WRONG, "region") if getattr(kms, name) is None]


def _judge_attested(
    subject: Subject, key: CustomerKey, usable: UsableAttestation, context: Context
) -> Finding:
    where = places([key])
    again = f"Attest anew whether {key.key_id} is usable"
    if old := not_current(usable, context, again):
        return old.about(CARD, subject, where)
    said = f"{usable.by} attested on {usable.on}: it is "
    if usable.usable:
        return passes(CARD, subject, f"{said}usable for Astra.", where)
    action = f"Make the key {key.key_id} usable for Astra"
    return fails(CARD, subject, f"{said}not usable for Astra.", where, action)


def check_key_is_usable(group: Group) -> None:
    """The key is enabled, symmetric, in its region, and granted to Astra."""
    settle(group)
