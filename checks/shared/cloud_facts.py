"""What the clouds show of keys: whether it counts now, and what is missing of it.

Every rule on keys asks here first, so that a fact which could not be read, is too old or is about
another owner's key has the same cause and the same action in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.finding import inconclusive, locations_of
from checks.engine.identity import cause_of
from checks.shared.verdicts import COLLECT_KMS, facts_too_old
from inventory.model.key_ids import owner_of
from inventory.model.vocabulary import PROVIDER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.engine.actions import Action
    from checks.engine.card import Card
    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from inventory.model.base import SourceLocation
    from inventory.model.gaps import CloudReason
    from inventory.model.key import CustomerKey
    from inventory.model.kms import KmsFact, KmsFacts, KmsGap
    from inventory.model.planned_keys import PlannedKey

FACT_NAMES: Mapping[KmsFact, str] = {
    "key": "the state of the key",
    "versions": "the versions of the key",
    "rotation": "the rotation of the key",
    "rotations": "the past rotations of the key",
    "policy": "the policy of the key",
    "grants": "the grants of the key",
    "aliases": "the aliases of the key",
    "last-use": "the last use of the key",
    "bindings": "the IAM policy of the key",
    "ring-bindings": "the IAM policy of the key ring",
    "deleted-key": "whether the key was deleted",
}
"""What is asked of a cloud, in words that follow *did not show*."""

_NO_FACTS = frozenset({"observed_at", "unread", "owner", "region"})
"""What a reader fills in though it read nothing about the key: these follow from the key's id."""

_INSTALL_LIBRARY = ActionKind(
    code="install-cloud-library",
    sentence="Install the library that reads keys in {cloud}",
    purpose="prove",
    who="we",
    sentence_for_several="Install the libraries that read keys in {number} clouds",
    steps=(
        "Install the extra of the cloud, such as cmek-audit[aws], where the audit runs.",
        "Collect again, and run the audit with the new record.",
    ),
)
_GIVE_CREDENTIALS = ActionKind(
    code="give-cloud-credentials",
    sentence="Give the audit valid read-only credentials for {cloud}",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several="Give the audit valid read-only credentials for {number} clouds",
    steps=(
        "Provide or renew read-only credentials in the way that the cloud's own tools find them.",
        "Collect again, and run the audit with the new record.",
    ),
)
_GRANT_PERMISSION = ActionKind(
    code="grant-key-permission",
    sentence="Let the audit read keys of {owner}: grant it {permission}",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several="Let the audit read keys: grant it {number} permissions",
    steps=(
        "Grant the permission that the finding names to the identity that runs the audit.",
        "Collect again, and run the audit with the new record.",
    ),
)
_MAP_ACCOUNT = ActionKind(
    code="map-key-account",
    sentence="Name a profile or a role of {owner} in the organizations file",
    purpose="prove",
    who="we",
    sentence_for_several="Name profiles or roles of {number} owners in the organizations file",
    steps=(
        "Find the account that owns the key: the key id names it.",
        "Name a read-only profile or role of that account in the organizations file.",
        "Collect again, and run the audit with the new record.",
    ),
)
_SWITCH_SERVICE_ON = ActionKind(
    code="switch-key-service-on",
    sentence="Let requests to {cloud} count for a project whose key management is on",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several=(
        "Let requests to {number} clouds count for projects whose key management is on"
    ),
    steps=(
        (
            "Find the project for which the audit's requests count: that of its credentials, or "
            "the quota project in the organizations file."
        ),
        "Switch the service for keys on there, and allow the audit's identity to use it.",
        "Collect again, and run the audit with the new record.",
    ),
)
_LOOK_AT_KEY = ActionKind(
    code="look-at-key",
    sentence="Check in its cloud that the key {key} exists and can be read",
    purpose="prove",
    who="cloud administrators",
    sentence_for_several="Check in their clouds that {number} keys exist and can be read",
    steps=(
        "Look up the key in its cloud's console, in the account and region that its id names.",
        "Correct the key id or the audit's credentials if they are wrong.",
        "Collect again, and run the audit with the new record.",
    ),
)

_BY_REASON: Mapping[CloudReason, ActionKind] = {
    "library-missing": _INSTALL_LIBRARY,
    "no-credentials": _GIVE_CREDENTIALS,
    "no-token": _GIVE_CREDENTIALS,
    "credentials-expired": _GIVE_CREDENTIALS,
    "refused": _GRANT_PERMISSION,
    "not-visible": _GRANT_PERMISSION,
    "foreign-key": _MAP_ACCOUNT,
    "wrong-organization": _MAP_ACCOUNT,
    "not-requested": _MAP_ACCOUNT,
    "service-disabled": _SWITCH_SERVICE_ON,
    "not-found": _LOOK_AT_KEY,
    "wrong-address": _LOOK_AT_KEY,
    "region-disabled": _LOOK_AT_KEY,
}
"""The step for each reason; for all others the facts have to be collected again."""


def facts_do_not_count(
    card: Card, subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts, context: Context
) -> Finding | None:
    """Return the one finding for facts by which nothing can be judged; None if they count.

    They are too old, about a key of another owner than the key id names, or none at all.
    """
    return facts_are_refused(card, subject, key, kms, context) or nothing_read(
        card, subject, key, kms
    )


def facts_are_refused(
    card: Card, subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts, context: Context
) -> Finding | None:
    """Return the finding for facts that are too old or another owner's; None if they are not.

    No attestation outweighs that: the cloud has to be asked again.
    """
    return facts_too_old(card, subject, key, kms, context) or _foreign(card, subject, key, kms)


def unread_finding(
    card: Card, subject: Subject, key: CustomerKey | PlannedKey, gap: KmsGap
) -> Finding:
    """Return the finding for a fact that the key's cloud did not show: why, and what it takes.

    Its cause is the reason with the fact, ``refused:policy``.
    """
    why = f"{gap.reason} ({gap.detail})" if gap.detail else gap.reason
    permission = f" Reading it takes {gap.permission}." if gap.permission else ""
    message = f"{PROVIDER_NAMES[key.provider]} did not show {FACT_NAMES[gap.fact]}: {why}."
    cause = cause_of(gap.reason, gap.fact)
    where = fact_locations(key, gap.fact)
    return inconclusive(card, subject, cause, f"{message}{permission}", where, _step(key, gap))


def fact_locations(key: CustomerKey | PlannedKey, *facts: KmsFact) -> tuple[SourceLocation, ...]:
    """Return where the key was read, and where these facts about it were."""
    read = key.kms.where(*facts) if key.kms else ()
    return tuple(dict.fromkeys((*locations_of([key]), *read)))


def _step(key: CustomerKey | PlannedKey, gap: KmsGap) -> Action:
    """Return what brings the missing fact; findings that one step resolves share it."""
    kind = _BY_REASON.get(gap.reason, COLLECT_KMS)
    key_id = key.key_id or ""
    owner = owner_of(key_id) or key_id
    if kind in {_INSTALL_LIBRARY, _GIVE_CREDENTIALS, _SWITCH_SERVICE_ON}:
        return kind.on(key.provider, cloud=PROVIDER_NAMES[key.provider])
    if kind == _GRANT_PERMISSION:
        permission = gap.permission or f"the right to read {FACT_NAMES[gap.fact]}"
        return kind.on(key.provider, owner, permission, owner=owner, permission=permission)
    if kind == _MAP_ACCOUNT:
        return kind.on(key.provider, owner, owner=owner)
    return kind.on(key_id, key=key_id)


def _foreign(
    card: Card, subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts
) -> Finding | None:
    """Refuse facts about a key of another owner than the key id names."""
    key_id = key.key_id or ""
    owner = owner_of(key_id)
    if kms.owner is None or _is_owner(kms.owner, owner):
        return None
    message = f"The facts are about a key of {kms.owner}, the key id names {owner or 'no owner'}."
    action = _MAP_ACCOUNT.on(key.provider, owner or key_id, owner=owner or key_id)
    where = fact_locations(key, "key")
    return inconclusive(card, subject, "foreign-key", message, where, action)


def _is_owner(shown: str, owner: str) -> bool:
    """Say whether both are one account, project or vault; a vault may go without its domain."""
    host = shown.lower().removeprefix("https://").removesuffix("/")
    is_vault = "." in owner and ":" not in owner
    return shown == owner or (is_vault and host in {owner, owner.partition(".")[0]})


def nothing_read(
    card: Card, subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts
) -> Finding | None:
    """Return the finding for a key of which no fact at all could be read; else None."""
    gap = kms.gap("key", *FACT_NAMES)
    shown = any(
        getattr(kms, name) is not None for name in type(kms).model_fields if name not in _NO_FACTS
    )
    if gap is None or shown:
        return None
    finding = unread_finding(card, subject, key, gap)
    return finding._replace(message=f"{finding.message} Nothing else of the key was shown.")
