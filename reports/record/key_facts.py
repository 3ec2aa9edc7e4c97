"""What a cloud and Astra's portal show of a key, as ``population.ndjson`` lists it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from checks.engine.context import utc
from reports.record.key_users import MOST_USERS, users_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from inventory.model.attestations import PortalKey, PortalRegion
    from inventory.model.base import Entry
    from inventory.model.kms import KeyVersion, KmsFacts, KmsGap
    from reports.model.cloud_record import (
        CloudRecord,
        DeadVersion,
        PortalKeyRecord,
        PortalRegionRecord,
        UnreadFact,
        VendorGrants,
    )

MOST_VERSIONS = 20
"""How many versions that are not alive are recorded of a key; the others are counted."""

PLAIN = (
    "observed_at",
    "state",
    "kind",
    "owner",
    "region",
    "enabled",
    "symmetric",
    "suitable",
    "created_at",
    "rotated_at",
    "next_rotation_at",
    "rotation_enabled",
    "rotation_days",
    "last_used_at",
    "never_used",
    "expires_at",
    "deletion_at",
    "multi_region",
    "purge_protected",
    "recoverable_days",
    "granted_to_astra",
)
"""The facts that are recorded as they are."""


def cloud_record(facts: KmsFacts, vendor_accounts: Collection[str] = ()) -> CloudRecord:
    """Return what the record holds of ``facts``.

    A grant that one of the ``vendor_accounts`` issued shows that the vendor uses the key.
    """
    record = cast("CloudRecord", _known(facts, PLAIN))
    if facts.versions is not None:
        record["versions"] = len(facts.versions)
        if dead := [_version(version) for version in facts.versions if _is_dead(version)]:
            record["dead_versions"] = dead[:MOST_VERSIONS]
            record["dead_versions_total"] = len(dead)
    if (users := users_of(facts)) is not None:
        record["users"] = users[:MOST_USERS]
        record["users_total"] = len(users)
    if grants := _vendor_grants(facts, vendor_accounts):
        record["vendor_grants"] = grants
    if facts.unread:
        record["unread"] = [_unread(gap) for gap in facts.unread]
    return record


def _known(entry: Entry, names: Iterable[str]) -> dict[str, object]:
    """Return the fields of ``entry`` that are known, times in UTC."""
    values = {name: getattr(entry, name) for name in names}
    return {
        name: utc(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def _is_dead(version: KeyVersion) -> bool:
    """Say whether a version cannot decrypt now, or will be destroyed."""
    return not version.usable or version.destroy_at is not None


def _version(version: KeyVersion) -> DeadVersion:
    names = ("id", "state", "created_at", "destroy_at", "expires_at")
    return cast("DeadVersion", _known(version, names))


def _vendor_grants(facts: KmsFacts, accounts: Collection[str]) -> VendorGrants | None:
    issued = [grant for grant in facts.grants or () if grant.issued_by in accounts]
    if not issued:
        return None
    grants: VendorGrants = {"number": len(issued)}
    if times := sorted(grant.created_at for grant in issued if grant.created_at):
        grants["first"], grants["last"] = utc(times[0]), utc(times[-1])
    return grants


def _unread(gap: KmsGap) -> UnreadFact:
    unread: UnreadFact = {"fact": gap.fact, "reason": gap.reason}
    if gap.detail:
        unread["detail"] = gap.detail
    if gap.permission:
        unread["permission"] = gap.permission
    return unread


# --- looks at the portal --------------------------------------------------------------------------


def portal_of_key(look: PortalKey) -> PortalKeyRecord:
    """Return what the portal showed of a key."""
    return {
        "status": look.status,
        "by": look.by,
        "on": look.on.isoformat(),
        "due": look.last_day().isoformat(),
    }


def portal_of_region(look: PortalRegion) -> PortalRegionRecord:
    """Return what the portal showed of a region of a database."""
    record: PortalRegionRecord = {
        "key": look.key,
        "by": look.by,
        "on": look.on.isoformat(),
        "due": look.last_day().isoformat(),
    }
    if look.key_id:
        record["key_id"] = look.key_id
    return record
