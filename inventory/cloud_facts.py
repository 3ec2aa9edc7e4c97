"""Adds what the clouds show of keys to the keys themselves, registered and planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, get_args

from inventory.model.key_ids import canonical
from inventory.model.kms import KmsFact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from inventory.model.key import CustomerKey
    from inventory.model.kms import CloudKey, KmsFacts
    from inventory.model.organization import Organization
    from inventory.model.planned_keys import PlannedKey

K = TypeVar("K", "CustomerKey", "PlannedKey")


def with_records(organization: Organization, records: Iterable[Organization]) -> Organization:
    """Add what the clouds show of its keys, by ``records`` of clouds alone and by its own."""
    records = tuple(records)
    if not records:
        return with_cloud_facts(organization)
    keys = [key for record in records for key in record.cloud_keys or ()]
    readings = [reading for record in records for reading in record.readings]
    update = {
        "cloud_keys": (*(organization.cloud_keys or ()), *keys),
        "readings": (*organization.readings, *readings),
    }
    return with_cloud_facts(organization.model_copy(update=update))


def with_cloud_facts(organization: Organization) -> Organization:
    """Return ``organization`` with the latest facts of the clouds in each of its keys.

    What a file states about a key stays if it was observed later. All versions of a key are one.
    """
    if not organization.cloud_keys:
        return organization
    latest = _latest(organization.cloud_keys)
    keys = organization.keys
    if keys is not None:
        keys = tuple(_with_facts(key, latest) for key in keys)
    managed = organization.managed
    planned = tuple(_with_facts(key, latest) for key in managed.planned_keys)
    copy = organization.model_copy(update={"keys": keys})
    managed = managed.model_copy(update={"planned_keys": planned})
    return copy.with_managed(managed).at(*organization.location)


def _latest(cloud_keys: Iterable[CloudKey]) -> dict[str, KmsFacts]:
    """Return the latest facts of each key, by its canonical id."""
    latest: dict[str, KmsFacts] = {}
    for cloud_key in cloud_keys:
        key, facts = canonical(cloud_key.key_id), cloud_key.facts
        if not facts.places:
            facts.located(dict.fromkeys(get_args(KmsFact), cloud_key.location))
        if key not in latest or facts.observed_at > latest[key].observed_at:
            latest[key] = facts
    return latest


def _with_facts(key: K, latest: Mapping[str, KmsFacts]) -> K:
    facts = latest.get(canonical(key.key_id)) if key.key_id else None
    if facts is None or (key.kms and key.kms.observed_at > facts.observed_at):
        return key
    return key.model_copy(update={"kms": facts}).at(*key.location)
