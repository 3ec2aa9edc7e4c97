"""CMEK-19: the key cannot be lost by one mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import MANAGE, Card, Quote
from checks.engine.context import day
from checks.engine.finding import (
    fails,
    inconclusive,
    key_subject,
    not_applicable,
    passes,
    planned_key_subject,
)
from checks.engine.outcome import report_outcome
from checks.shared.cloud_facts import fact_locations, facts_do_not_count, unread_finding
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.verdicts import COLLECT_KMS, with_databases_of
from inventory.model.key_ids import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.engine.actions import Action
    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.key import CustomerKey
    from inventory.model.kms import KmsFacts
    from inventory.model.planned_keys import PlannedKey
    from inventory.model.vocabulary import Provider

CARD = Card(
    id="CMEK-19",
    check="check_key_is_recoverable",
    title="The key cannot be lost by one mistake",
    basis="derived",
    severity="medium",
    subject="key, with facts of the cloud's key management",
    needs=("keys",),
    causes={
        "no-purge-protection": "The key's vault has no purge protection.",
        "no-delay": "What is destroyed cannot be recovered for a single day.",
        "imported-material": "The key's material was imported, and can be deleted at once.",
        "held-outside": "The key is held outside of the cloud's key management.",
    },
    rationale=(
        "Whatever a key encrypts is lost with it, in all databases of its key scope and in their "
        "backups. A cloud can delay the deletion of a key, so that a mistake is noticed in time."
    ),
    quotes=(
        Quote(
            sentence=(
                "If you want to delete an encryption key from your Astra organization, or use "
                "default Astra DB encryption instead of customer key encryption, you must contact "
                "IBM Support."
            ),
            page=MANAGE,
            heading="Delete customer keys or use default encryption",
        ),
    ),
    remediation=(
        "Switch on purge protection of the vault, or lengthen the time after which a destroyed "
        "version is gone. A key with imported material, or outside of the cloud, needs a copy "
        "that is kept elsewhere, or has to be replaced, through IBM Support."
    ),
    no_subject="The inventory holds no customer key.",
)

_PROTECT_VAULT = ActionKind(
    code="protect-vault",
    sentence="Switch on purge protection of the vault {vault}",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Switch on purge protection of {number} vaults",
    steps=(
        "Switch on soft delete, if it is off, and purge protection of the vault.",
        "Keep in mind that purge protection cannot be switched off again.",
        "Collect again, and run the audit with the new record.",
    ),
)
_DELAY_DESTRUCTION = ActionKind(
    code="delay-destruction",
    sentence="Have {key} replaced by a key whose versions are destroyed with a delay",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several=(
        "Have {number} keys replaced by keys whose versions are destroyed with a delay"
    ),
    steps=(
        "Create a key with a scheduled duration of destruction: it cannot be changed later.",
        "Have the registered key replaced with a case at IBM Support.",
    ),
)
_KEEP_COPY = ActionKind(
    code="keep-copy-of-key",
    sentence="Keep a copy of {key} where one mistake cannot delete it, or have the key replaced",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several=(
        "Keep copies of {number} keys where one mistake cannot delete them, or have them replaced"
    ),
    steps=(
        "Find out whether a copy of the key material is kept elsewhere, and try to restore it.",
        "If one is kept, accept the finding with a waiver that says where.",
        "If none is, have the key replaced by one that the cloud creates, with IBM Support.",
    ),
)

_OUTSIDE: Mapping[Provider, tuple[str, ...]] = {
    "aws": ("EXTERNAL_KEY_STORE", "AWS_CLOUDHSM"),
    "gcp": ("EXTERNAL", "EXTERNAL_VPC"),
}
"""Words in the kind of a key that is held outside of its cloud's key management."""

_HELD: Mapping[Provider, tuple[str, ...]] = {
    "aws": ("AWS_KMS",),
    "gcp": ("SOFTWARE", "HSM", "HSM_SINGLE_TENANT"),
}
"""Words in the kind of a key that was created and is held in its cloud's key management."""

_SHORTEST: Mapping[Provider, int] = {"aws": 7, "gcp": 1, "azure": 7}
"""The fewest days that a cloud lets one choose, in which what is deleted can be recovered."""


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by the KMS data, registered ones and those planned of which there is any."""
    for scope, keys in index.keys.items():
        for key in keys:
            finding = _judge_key(key_subject(scope, key.key_id), key, context)
            yield with_databases_of(finding, index, [scope])
    for scope, planned in planned_keys(index):
        if planned.kms is not None:
            subject = planned_key_subject(scope, planned)
            yield as_planned(_judge_key(subject, planned, context), CARD, index, planned)


def _judge_key(subject: Subject, key: CustomerKey | PlannedKey, context: Context) -> Finding:
    kms, where = key.kms, fact_locations(key, "key")
    if context.kms == "none":
        message = "This audit leaves KMS data out."
        return not_applicable(CARD, subject, message, where, "clouds-left-out")
    if kms is None or not _is_about_recovery(kms):
        message = "No KMS data shows whether a deleted key can be recovered."
        return not_applicable(CARD, subject, message, where, "recovery-not-shown")
    if refused := facts_do_not_count(CARD, subject, key, kms, context):
        return refused
    return _judge_facts(subject, key, kms)


def _is_about_recovery(kms: KmsFacts) -> bool:
    """Say whether anybody asked the cloud for what this rule needs."""
    facts = (kms.purge_protected, kms.recoverable_days, kms.kind, kms.gap("key"))
    return any(fact is not None for fact in facts)


def _judge_facts(subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts) -> Finding:
    where = fact_locations(key, "key")
    if fault := _fault(key, kms):
        cause, text, action = fault
        return fails(CARD, subject, cause, text, where, action)
    if missing := _missing(key, kms):
        if gap := kms.gap("key"):
            return unread_finding(CARD, subject, key, gap)
        message = f"The KMS data does not show {missing}."
        action = COLLECT_KMS.on(key.key_id or "", key=key.key_id or "")
        return inconclusive(CARD, subject, "not-recorded", message, where, action)
    return passes(
        CARD, subject, f"{_protection(key, kms)}{_note(key, kms)}", where, rests_on="cloud"
    )


def _fault(key: CustomerKey | PlannedKey, kms: KmsFacts) -> tuple[str, str, Action] | None:
    """Return cause, text and step if one mistake is enough; else None."""
    key_id, words = key.key_id or "", _words(kms)
    if kms.purge_protected is False:
        text = "The vault has no purge protection: who may purge erases a deleted key at once."
        return "no-purge-protection", text, _PROTECT_VAULT.on(_vault(key_id), vault=_vault(key_id))
    if not words.isdisjoint(_OUTSIDE.get(key.provider, ())):
        text = (
            "The key is held outside of the cloud's key management, which neither delays nor "
            "undoes its loss there."
        )
        return "held-outside", text, _KEEP_COPY.on(key_id, key=key_id)
    if key.provider == "aws" and "EXTERNAL" in words:
        text = "The key's material was imported: it can be deleted at once, without a delay."
        return "imported-material", text, _KEEP_COPY.on(key_id, key=key_id)
    if key.provider != "aws" and kms.recoverable_days == 0:
        text = "What is deleted cannot be recovered for a single day."
        return "no-delay", text, _DELAY_DESTRUCTION.on(key_id, key=key_id)
    return None


def _words(kms: KmsFacts) -> set[str]:
    return set((kms.kind or "").replace(",", " ").split())


def _vault(key_id: str) -> str:
    return owner_of(key_id) or key_id


def _missing(key: CustomerKey | PlannedKey, kms: KmsFacts) -> str:
    """Return which fact is missing without which nothing is shown, in words; else empty."""
    if key.provider == "azure":
        return "" if kms.purge_protected else "whether the vault has purge protection"
    if _words(kms).isdisjoint(_HELD[key.provider]):
        return "whether the cloud's key management created the key and holds it"
    is_delay_unknown = key.provider == "gcp" and kms.recoverable_days is None
    return "after how many days a destroyed version is gone" if is_delay_unknown else ""


def _protection(key: CustomerKey | PlannedKey, kms: KmsFacts) -> str:
    """Return what protects the key, in a sentence."""
    days = kms.recoverable_days
    if key.provider == "aws":
        return "AWS deletes a key after a waiting period of 7 to 30 days, in which it can be kept."
    if key.provider == "gcp":
        return f"A destroyed version can be restored for {_days(days)}."
    within = "" if days is None else f", and a deleted key can be recovered for {_days(days)}"
    return f"The vault has purge protection{within}."


def _days(days: int | None) -> str:
    return f"{days} day{'' if days == 1 else 's'}"


def _note(key: CustomerKey | PlannedKey, kms: KmsFacts) -> str:
    """Return what else to know, in sentences: a deletion that is under way, the shortest delay."""
    days, note = kms.recoverable_days, ""
    if kms.deletion_at is not None:
        note = f" It is scheduled for deletion on {day(kms.deletion_at)}: CMEK-12 judges that."
    if days is not None and days <= _SHORTEST[key.provider]:
        note += f" {_days(days)} is the shortest time that its cloud allows."
    return note


def check_key_is_recoverable(group: FindingGroup) -> None:
    """The key cannot be lost by one mistake."""
    report_outcome(group)
