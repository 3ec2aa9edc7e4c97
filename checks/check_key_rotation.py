"""CMEK-11: the key's versions rotate automatically."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from checks.engine.actions import ActionKind
from checks.engine.card import MANAGE, Card, Quote
from checks.engine.context import day
from checks.engine.finding import (
    fails,
    inconclusive,
    key_subject,
    locations_of,
    passes,
    planned_key_subject,
)
from checks.engine.identity import cause_of
from checks.engine.outcome import report_outcome
from checks.shared.cloud_facts import fact_locations, facts_do_not_count, unread_finding
from checks.shared.planned_keys import as_planned, planned_keys
from checks.shared.verdicts import COLLECT_KMS, not_current, with_databases_of, without_kms_facts
from inventory.model.key_ids import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.engine.context import Context
    from checks.engine.finding import Finding, Subject
    from checks.engine.outcome import FindingGroup
    from inventory.index.organization_index import OrganizationIndex
    from inventory.model.attestations import RotationAttestation
    from inventory.model.key import CustomerKey
    from inventory.model.kms import KmsFact, KmsFacts
    from inventory.model.planned_keys import PlannedKey
    from inventory.model.vocabulary import Provider

CARD = Card(
    id="CMEK-11",
    check="check_key_rotation",
    title="The key's versions rotate automatically",
    basis="derived",
    severity="medium",
    subject="key, with facts of the cloud's key management or an attestation",
    needs=("keys",),
    causes={
        "rotation-off": "Automatic rotation is off, or does not happen in the key's state.",
        "overdue": "A rotation should have happened, and has not.",
        "period-too-long": "The key rotates less often than the audit's `--cmek-rotation-days`.",
        "next-too-late": "The next rotation is later than the period allows.",
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

_ASKED: tuple[KmsFact, ...] = ("rotation", "key")
"""What shows whether a key rotates: in AWS and Azure a fact of its own, in Google the key."""

_NEVER_ROTATES: Mapping[Provider, tuple[str, ...]] = {
    "aws": ("EXTERNAL", "AWS_CLOUDHSM", "RSA", "ECC", "HMAC", "SM2", "ML_DSA", "SIGN_VERIFY"),
    "gcp": ("EXTERNAL", "IMPORT", "ASYMMETRIC", "MAC", "KEY_ENCAPSULATION"),
}
"""With what a word begins, in the kind of a key that its cloud cannot rotate automatically."""

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
_ROTATE_BY_HAND = ActionKind(
    code="rotate-by-hand",
    sentence="Replace {key} by a key that rotates automatically, or rotate it by hand",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several=(
        "Replace {number} keys by keys that rotate automatically, or rotate them by hand"
    ),
    steps=(
        "Decide whether the key has to be of a kind that its cloud does not rotate.",
        "If so, rotate it by hand on a schedule, and accept the finding with a waiver.",
        "If not, have it replaced with a case at IBM Support: a registered key is not exchanged.",
    ),
)
_ASK_WHY_OVERDUE = ActionKind(
    code="find-why-overdue",
    sentence="Find out why {key} did not rotate in time",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Find out why {number} keys did not rotate in time",
    steps=(
        "Look at the key's state and its past rotations in its cloud's console.",
        "Rotate it once by hand, and correct what kept it from rotating.",
        "Collect again, and run the audit with the new record.",
    ),
)
_SHORTEN_PERIOD = ActionKind(
    code="shorten-rotation-period",
    sentence="Let {key} rotate more often",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Let {number} keys rotate more often",
    steps=(
        "Set the rotation period of the key, and in Google Cloud the time of the next rotation.",
        "Change nothing in Astra: the key id stays the same.",
        "Collect again, and run the audit with the new record.",
    ),
)


def judge(index: OrganizationIndex, context: Context) -> Iterator[Finding]:
    """Judge each key by the KMS data, and where that is missing by the attestation.

    A planned key is judged where its cloud was asked.
    """
    for scope, keys in index.keys.items():
        for key in keys:
            for finding in _judge_key(key_subject(scope, key.key_id), key, context):
                yield with_databases_of(finding, index, [scope])
    for scope, planned in planned_keys(index):
        if planned.kms is not None:
            subject = planned_key_subject(scope, planned)
            for finding in _judge_facts(subject, planned, planned.kms, context):
                yield as_planned(finding, CARD, index, planned)


def _judge_key(subject: Subject, key: CustomerKey, context: Context) -> Iterator[Finding]:
    kms = key.kms
    is_silent = kms is None or kms.rotation_enabled is None
    if is_silent and key.rotation is not None:
        yield _judge_attested(subject, key, key.rotation, context)
    elif kms is None or (is_silent and kms.gap(*_ASKED) is None):
        yield without_kms_facts(CARD, subject, key, context, "whether the key rotates")
    else:
        yield from _judge_facts(subject, key, kms, context)


def _judge_facts(
    subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts, context: Context
) -> Iterator[Finding]:
    """Yield one finding for each fact that is wrong or missing; one pass if there is none."""
    if refused := facts_do_not_count(CARD, subject, key, kms, context):
        yield refused
    elif kms.rotation_enabled is None:
        yield _without_rotation(subject, key, kms)
    elif off := _why_off(key, kms):
        yield _does_not_rotate(subject, key, off, rotates_by_hand=_cannot_rotate(key, kms))
    else:
        yield from _judge_rotating(subject, key, kms, context)


def _without_rotation(subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts) -> Finding:
    """Return the finding for a key of which its cloud did not show whether it rotates."""
    if gap := kms.gap(*_ASKED):
        return unread_finding(CARD, subject, key, gap)
    message = "The KMS data does not show whether the key rotates."
    return _not_recorded(subject, key, "not-recorded", message)


def _not_recorded(
    subject: Subject, key: CustomerKey | PlannedKey, cause: str, message: str
) -> Finding:
    action = COLLECT_KMS.on(key.key_id or "", key=key.key_id or "")
    return inconclusive(CARD, subject, cause, message, fact_locations(key, *_ASKED), action)


def _why_off(key: CustomerKey | PlannedKey, kms: KmsFacts) -> str:
    """Return why the key does not rotate, in a sentence; empty if it does."""
    if _cannot_rotate(key, kms):
        return "Automatic rotation is off: the cloud cannot rotate a key of this kind."
    if key.provider == "gcp" and kms.rotation_days is not None and kms.next_rotation_at is None:
        return (
            "A rotation period is set, but no time of the next rotation: the key does not rotate."
        )
    if not kms.rotation_enabled:
        where = " It can have replicas: rotation is switched on at its primary key."
        return f"Automatic rotation is off.{where if kms.multi_region else ''}"
    if key.provider == "aws" and kms.deletion_at is not None:
        return "Automatic rotation is on, but a key that is scheduled for deletion does not rotate."
    if key.provider == "aws" and kms.enabled is False:
        return "Automatic rotation is on, but a key that is not enabled does not rotate."
    return ""


def _cannot_rotate(key: CustomerKey | PlannedKey, kms: KmsFacts) -> bool:
    """Say whether the cloud rotates no key of this kind, and does not rotate this one."""
    kinds = _NEVER_ROTATES.get(key.provider, ())
    words = re.split(r"[^A-Z0-9_]+", (kms.kind or "").upper())
    return not kms.rotation_enabled and any(word.startswith(kinds) for word in words)


def _judge_rotating(
    subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts, context: Context
) -> Iterator[Finding]:
    """Judge how often a key rotates whose rotation is on."""
    late = [*_late(key, kms), *_too_seldom(kms, context.rotation_days)]
    for cause, text, kind in late:
        action = kind.on(key.key_id or "", key=key.key_id or "")
        yield fails(CARD, subject, cause, text, fact_locations(key, *_ASKED, "rotations"), action)
    unknown = list(_unknown(subject, key, kms, context.rotation_days))
    yield from unknown
    if not (late or unknown):
        message = f"Automatic rotation is on{_schedule(kms)}.{_pinned(key)}"
        where = fact_locations(key, *_ASKED, "rotations")
        yield passes(CARD, subject, message, where, rests_on="cloud")


def _late(key: CustomerKey | PlannedKey, kms: KmsFacts) -> Iterator[tuple[str, str, ActionKind]]:
    """Yield cause, text and step of each sign that a rotation which is on does not happen."""
    now, days = kms.observed_at, kms.rotation_days
    following, last = kms.next_rotation_at, kms.rotated_at
    # Azure counts from the creation of a version, other clouds from when rotation was switched on.
    first = kms.created_at if key.provider == "azure" and last is None else None
    if following is not None and following < now - timedelta(days=1):
        text = f"The next rotation was due on {day(following)}, and has not happened."
        yield "overdue", text, _ASK_WHY_OVERDUE
    elif last is not None and days is not None and last < now - timedelta(days=days + 2):
        text = f"The key rotated last on {day(last)}, though it should every {days} days."
        yield "overdue", text, _ASK_WHY_OVERDUE
    elif first is not None and days is not None and first < now - timedelta(days=days + 2):
        text = f"The key is of {day(first)} and never rotated, though it should every {days} days."
        yield "overdue", text, _ASK_WHY_OVERDUE


def _too_seldom(kms: KmsFacts, most: int | None) -> Iterator[tuple[str, str, ActionKind]]:
    """Yield cause, text and step if the key rotates less often than every ``most`` days.

    A period alone promises nothing: the next rotation can be set to any time.
    """
    days, following = kms.rotation_days, kms.next_rotation_at
    if most is not None and days is not None and days > most:
        text = f"The key rotates every {days} days; this audit allows at most {most}."
        yield "period-too-long", text, _SHORTEN_PERIOD
        return
    allowed = most if days is None else days
    if following is None or allowed is None:
        return
    if following > kms.observed_at + timedelta(days=allowed + 2):
        text = f"The next rotation is on {day(following)}, in more than {allowed} days."
        yield "next-too-late", text, _SHORTEN_PERIOD


def _unknown(
    subject: Subject, key: CustomerKey | PlannedKey, kms: KmsFacts, most: int | None
) -> Iterator[Finding]:
    """Yield a finding for each fact without which a rotation that is on proves nothing."""
    state, schedule = kms.gap("key"), kms.gap("rotation")
    if state is not None and kms.enabled is None:  # a disabled key may not rotate
        yield unread_finding(CARD, subject, key, state)
    if schedule is not None:  # that it is on could be read, how often or when could not
        yield unread_finding(CARD, subject, key, schedule)
    elif most is not None and kms.rotation_days is None:
        message = f"Automatic rotation is on, how often is not known; the audit allows {most} days."
        yield _not_recorded(subject, key, cause_of("not-recorded", "period"), message)


def _schedule(kms: KmsFacts) -> str:
    """Return how often a key rotates, when it did last, and when it does next, as far as known."""
    parts = (
        f"every {kms.rotation_days} days" if kms.rotation_days is not None else "",
        f"last on {day(kms.rotated_at)}" if kms.rotated_at else "",
        f"next on {day(kms.next_rotation_at)}" if kms.next_rotation_at else "",
    )
    known = ", ".join(filter(None, parts))
    return f": {known}" if known else ""


def _pinned(key: CustomerKey | PlannedKey) -> str:
    """Return that the registered id names a version, in words; empty if it does not."""
    if not version_of(key.key_id or ""):
        return ""
    return " The key id names one version: that Astra uses a later one is not shown."


def _judge_attested(
    subject: Subject, key: CustomerKey, rotation: RotationAttestation, context: Context
) -> Finding:
    where, again = locations_of([key]), _ATTEST_ROTATION.on(key.key_id, key=key.key_id)
    if old := not_current(rotation, context, again):
        return old.on_subject(CARD, subject, where)
    attested = f"{rotation.by} attested on {rotation.on}: the key "
    if not rotation.automatic:
        return _does_not_rotate(subject, key, f"{attested}does not rotate automatically.")
    most = context.rotation_days
    if most is None:
        message = f"{attested}rotates automatically."
        return passes(CARD, subject, message, where, attested_by=(rotation.by,))
    message = f"{attested}rotates automatically, but not how often; the audit allows {most} days."
    return _not_recorded(subject, key, cause_of("not-recorded", "period"), message)


def _does_not_rotate(
    subject: Subject,
    key: CustomerKey | PlannedKey,
    message: str,
    *,
    rotates_by_hand: bool = False,
) -> Finding:
    kind = _ROTATE_BY_HAND if rotates_by_hand else _SWITCH_ROTATION_ON
    action = kind.on(key.key_id or "", key=key.key_id or "")
    return fails(CARD, subject, "rotation-off", message, fact_locations(key, *_ASKED), action)


def check_key_rotation(group: FindingGroup) -> None:
    """The key's versions rotate automatically."""
    report_outcome(group)
