"""What a cloud and Astra's portal show of a key, as the record holds it: facts, not judged."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from inventory.model.gaps import CloudReason
from inventory.model.kms import KmsFact


class PortalKeyRecord(TypedDict):
    """What Astra's portal showed of a key, who saw it when, and the last day on which it counts."""

    status: Literal["in-use", "available"]
    by: str
    on: str
    due: str


class PortalRegionRecord(TypedDict):
    """What Astra's portal showed of a region of a database; as ``PortalKeyRecord``.

    ``key_id`` is left out if the portal did not show it.
    """

    key: Literal["customer", "astra"]
    key_id: NotRequired[str]
    by: str
    on: str
    due: str


class KeyUser(TypedDict):
    """Somebody whom a cloud names as allowed, or not allowed, to use a key.

    Attributes:
        via: where that is said: ``stated`` is what a file says without naming where.
        effect: ``unclear`` if it is said in a way that cannot be listed.
        who: the principal, in the cloud's own words.
        what: the actions, operations or the role.
        limited: whether it holds under conditions or constraints only.
    """

    via: Literal["policy", "grant", "key", "key-ring", "stated"]
    effect: Literal["allow", "deny", "unclear"]
    who: str
    what: str
    limited: NotRequired[Literal[True]]


class DeadVersion(TypedDict):
    """A version of a key that cannot decrypt what it has encrypted, or will not be able to."""

    id: str
    state: str
    created_at: NotRequired[str]
    destroy_at: NotRequired[str]
    expires_at: NotRequired[str]


class UnreadFact(TypedDict):
    """A fact that could not be read from the cloud: why, and which permission it takes."""

    fact: KmsFact
    reason: CloudReason
    detail: NotRequired[str]
    permission: NotRequired[str]


class VendorGrants(TypedDict):
    """How many grants of a key an account of the vendor issued, and when the first and the last."""

    number: int
    first: NotRequired[str]
    last: NotRequired[str]


class CloudRecord(TypedDict):
    """What the cloud's key management showed of a key; what is not known is left out.

    Attributes:
        observed_at: when it was observed (UTC).
        state: the key's state, in the cloud's own word.
        kind: the kind of the key, in the cloud's own words.
        owner: the account, project or vault that holds it.
        region: where it is.
        enabled: whether it can be used now.
        symmetric: whether it is a symmetric one.
        suitable: whether it is of the kind that wraps other keys.
        created_at: when it was created (UTC).
        rotated_at: when it rotated last (UTC).
        next_rotation_at: when it rotates next (UTC).
        rotation_enabled: whether it rotates automatically.
        rotation_days: how many days are between two rotations.
        last_used_at: when a use of it was last recorded (UTC).
        never_used: whether uses are recorded, and none was since it was created.
        expires_at: when it expires (UTC).
        deletion_at: when it will be deleted (UTC).
        multi_region: whether it can have replicas in other regions.
        purge_protected: whether it cannot be erased before its time once it is deleted.
        recoverable_days: for how many days it can be recovered once it is deleted.
        granted_to_astra: whether the vendor's account may use it, as a file states.
        versions: how many versions it has.
        dead_versions: those that are not alive, or will not be, the first ones.
        dead_versions_total: how many of these there are.
        users: who may use it, the first ones.
        users_total: how many of these there are.
        vendor_grants: the grants that the vendor issued: they show that the vendor uses it.
        unread: what could not be read.
    """

    observed_at: str
    state: NotRequired[str]
    kind: NotRequired[str]
    owner: NotRequired[str]
    region: NotRequired[str]
    enabled: NotRequired[bool]
    symmetric: NotRequired[bool]
    suitable: NotRequired[bool]
    created_at: NotRequired[str]
    rotated_at: NotRequired[str]
    next_rotation_at: NotRequired[str]
    rotation_enabled: NotRequired[bool]
    rotation_days: NotRequired[int]
    last_used_at: NotRequired[str]
    never_used: NotRequired[bool]
    expires_at: NotRequired[str]
    deletion_at: NotRequired[str]
    multi_region: NotRequired[bool]
    purge_protected: NotRequired[bool]
    recoverable_days: NotRequired[int]
    granted_to_astra: NotRequired[bool]
    versions: NotRequired[int]
    dead_versions: NotRequired[list[DeadVersion]]
    dead_versions_total: NotRequired[int]
    users: NotRequired[list[KeyUser]]
    users_total: NotRequired[int]
    vendor_grants: NotRequired[VendorGrants]
    unread: NotRequired[list[UnreadFact]]
