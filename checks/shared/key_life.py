"""The life of a key: its deletion, its expiry and its versions, as far as they threaten data."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from checks.engine.actions import ActionKind
from checks.engine.context import day
from checks.engine.identity import cause_of
from inventory.model.key_ids import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from checks.engine.actions import Action
    from checks.engine.card import Severity
    from inventory.model.kms import KeyVersion, KmsFacts

SOON = timedelta(days=30)
"""A key that expires within this time fails."""

LATER = timedelta(days=90)
"""A key that expires within this time is named, and passes."""

_WITHOUT_DATA = frozenset(
    {"PENDING_GENERATION", "GENERATION_FAILED", "PENDING_IMPORT", "IMPORT_FAILED"}
)
"""The states of versions that never encrypted anything."""

_CANCEL_DELETION = ActionKind(
    code="cancel-key-deletion",
    sentence="Cancel the deletion of the key {key}, or recover it",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Cancel the deletion of {number} keys, or recover them",
    steps=(
        "Cancel the deletion in the cloud's console, or recover the deleted key there.",
        "Enable the key: a key whose deletion was cancelled may be disabled.",
        "Find out who deleted it, and why.",
        "Record the key's new state, and run the audit again.",
    ),
)
_EXTEND_KEY = ActionKind(
    code="extend-key",
    sentence="Extend the life of the key {key}",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Extend the life of {number} keys",
    steps=(
        "Remove or postpone the expiry of the key, or import its material again with a later one.",
        "Record the key's new state, and run the audit again.",
    ),
)
_RESTORE_VERSION = ActionKind(
    code="restore-key-version",
    sentence="Enable or restore version {version} of the key {key}",
    purpose="repair",
    who="cloud administrators",
    sentence_for_several="Enable or restore {number} versions of keys",
    steps=(
        "Restore the version if its destruction is scheduled, and enable it.",
        "Open a case with IBM Support if it is destroyed: what it encrypted cannot be read.",
        "Record the key's new state, and run the audit again.",
    ),
)


class Fault(NamedTuple):
    """Something that is wrong with a key.

    Attributes:
        cause: the cause of the finding.
        text: what is wrong, in a sentence without its full stop.
        action: what repairs it; None if that is the general step.
        severity: that of the finding; None if it is the rule's.
    """

    cause: str
    text: str
    action: Action | None = None
    severity: Severity | None = None


def faults_of_life(
    kms: KmsFacts, key_id: str, as_of: datetime, *, has_data: bool
) -> Iterator[Fault]:
    """Yield what threatens the key's data; ``has_data`` if databases use the key now."""
    severity: Severity | None = "critical" if has_data else None
    if kms.deletion_at is not None:
        when = "will be" if kms.deletion_at > as_of else "was to be"
        text = f"The key {when} deleted on {day(kms.deletion_at)}"
        yield Fault("pending-deletion", text, _CANCEL_DELETION.on(key_id, key=key_id), severity)
    expires_at = expiry_of(kms, key_id)
    if expires_at is not None and expires_at - as_of <= SOON:
        extend = _EXTEND_KEY.on(key_id, key=key_id)
        if expires_at <= as_of:
            yield Fault("expired", f"The key expired on {day(expires_at)}", extend, severity)
        else:
            yield Fault("expires-soon", f"The key expires on {day(expires_at)}", extend)
    yield from _faults_of_versions(kms, key_id, has_data=has_data)


def notes_on_life(kms: KmsFacts, key_id: str, as_of: datetime) -> Iterator[str]:
    """Yield what a reader should know of a key that complies, in sentences."""
    expires_at = expiry_of(kms, key_id)
    if expires_at is not None and expires_at - as_of <= LATER:
        yield f"It expires on {day(expires_at)}."
    if version := version_of(key_id):
        yield f"The registered id names version {version}, so that a rotation changes nothing."
    if kms.multi_region:
        yield "It is a multi-Region key: replicas in other regions can decrypt, too."
    dead = [_short(version.id) for version in kms.versions or () if _is_dead(version)]
    if dead:
        yield f"Versions that cannot decrypt: {', '.join(dead)}; no database uses the key."


def expiry_of(kms: KmsFacts, key_id: str) -> datetime | None:
    """Return when the key can no longer encrypt: it, its current version, or the registered one.

    An older version that expires still decrypts, or is not usable at all.
    """
    registered = version_of(key_id)
    versions = [
        version
        for version in kms.versions or ()
        if version.is_current or _short(version.id) == registered
    ]
    times = [kms.expires_at, *(version.expires_at for version in versions)]
    return min((time for time in times if time is not None), default=None)


def _faults_of_versions(kms: KmsFacts, key_id: str, *, has_data: bool) -> Iterator[Fault]:
    registered, versions = version_of(key_id), kms.versions
    for version in versions or ():
        name = _short(version.id)
        is_used = has_data or version.is_current or name == registered
        if _is_dead(version) and is_used:
            at = version.destroy_at
            destroyed = f", and is destroyed on {day(at)}" if at else ""
            text = f"Version {name} of the key is {version.state}{destroyed}"
            yield _dead(key_id, name, text)
    if registered and versions and registered not in {_short(version.id) for version in versions}:
        yield _dead(key_id, registered, f"The key has no version {registered}, which its id names")


def _dead(key_id: str, name: str, text: str) -> Fault:
    action = _RESTORE_VERSION.on(key_id, name, key=key_id, version=name)
    return Fault(cause_of("dead-version", name), text, action)


def _is_dead(version: KeyVersion) -> bool:
    """Say whether what a version has encrypted cannot be decrypted, or soon cannot be."""
    if version.destroy_at is None and version.usable:
        return False
    return version.is_current or version.state not in _WITHOUT_DATA


def _short(version: str) -> str:
    """Return the version's own name, without that of its key."""
    return version.rpartition("/")[2]
