"""What the cloud's key management service (KMS) shows about a key.

Facts only: nothing here is judged. A fact that is None is missing, and ``unread`` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from inventory.model.base import (
    Count,
    Entry,
    Identifier,
    Located,
    Moment,
    Seen,
    SourceLocation,
    Text,
)
from inventory.model.gaps import CloudReason

KmsFact = Literal[
    "key",
    "versions",
    "rotation",
    "rotations",
    "policy",
    "grants",
    "aliases",
    "last-use",
    "bindings",
    "ring-bindings",
    "deleted-key",
]
"""What is asked of a cloud about a key; each is one call, or the pages of one.

- ``key``: the key itself: its state, kind, times.
- ``versions``: its versions (Google Cloud, Azure).
- ``rotation``: whether and when it rotates (AWS), its rotation policy (Azure).
- ``rotations``: when it rotated (AWS).
- ``policy``: its key policy (AWS).
- ``grants``: its grants (AWS).
- ``aliases``: its aliases (AWS).
- ``last-use``: when it was used last (AWS).
- ``bindings``: the IAM policy of the key (Google Cloud).
- ``ring-bindings``: the IAM policy of its key ring (Google Cloud).
- ``deleted-key``: whether it was deleted and can be recovered (Azure).
"""

Days = Annotated[int, Field(strict=True, ge=0, le=100_000)]


class KeyVersion(Entry):
    """One version of a key.

    Attributes:
        id: the version, as the cloud names it.
        state: its state, in the cloud's own word; for Azure ``enabled`` or ``disabled``.
        usable: whether it can decrypt now what it has encrypted.
        created_at: when it was created.
        destroy_at: when it will be destroyed.
        expires_at: when it expires.
        is_current: whether new data is encrypted by it.
    """

    id: Identifier
    state: Text
    usable: StrictBool
    created_at: Moment | None = None
    destroy_at: Moment | None = None
    expires_at: Moment | None = None
    is_current: StrictBool = False


class KeyGrant(Entry):
    """A grant of an AWS key.

    Attributes:
        id: its id.
        grantee: the principal that may use the key.
        operations: what that one may do, such as ``Decrypt``.
        issued_by: the account that issued it; None if that is not shown.
        created_at: when it was issued.
        constrained: whether it holds under constraints only.
    """

    id: Identifier
    grantee: Identifier
    operations: tuple[Identifier, ...]
    issued_by: Identifier | None = None
    created_at: Moment | None = None
    constrained: StrictBool = False


class RoleBinding(Entry):
    """A binding of Google Cloud's IAM: who has a role on a key.

    Attributes:
        on: the resource whose policy holds it.
        role: the role.
        members: who has it.
        condition: the expression under which it holds; None if always.
    """

    on: Literal["key", "key-ring"]
    role: Identifier
    members: tuple[Text, ...]
    condition: Text | None = None


class KmsGap(Entry):
    """A fact that could not be read.

    Attributes:
        fact: which one.
        reason: why, as a reason code.
        detail: what was observed, without anybody's name or address.
        permission: the permission that reading it takes; empty if that is not what is missing.
    """

    fact: KmsFact
    reason: CloudReason
    detail: str = ""
    permission: str = ""


_NOWHERE: Mapping[KmsFact, SourceLocation] = MappingProxyType({})


class KmsFacts(Entry):
    """What the cloud's key management service (KMS) reported about a key.

    Attributes:
        observed_at: when it was observed.
        enabled: the key can be used now.
        symmetric: the key is a symmetric one.
        suitable: the key is of the kind that wraps other keys, whatever that is in its cloud.
        region: the key's region.
        granted_to_astra: the vendor's account may use the key.
        granted_to: who may use the key, to be compared with the accounts that Astra names.
        rotation_enabled: versions rotate automatically.
        state: the key's state, in the cloud's own word.
        kind: the kind of the key, in the cloud's own words.
        owner: the account, project or vault that holds the key.
        created_at: when the key was created.
        rotation_days: how many days are between two rotations.
        next_rotation_at: when it rotates next.
        rotated_at: when it rotated last.
        last_used_at: when the cloud last recorded a use of the key.
        never_used: the cloud records uses, and recorded none since the key was created.
        deletion_at: when the key will be deleted.
        expires_at: when the key expires.
        multi_region: the key can have replicas in other regions.
        purge_protected: a deleted key cannot be erased before its time.
        recoverable_days: for how many days a deleted key, or version, can be recovered.
        versions: its versions.
        policy: its key policy, as compact JSON (AWS).
        grants: its grants (AWS).
        bindings: who has a role on the key and on its key ring (Google Cloud).
        aliases: its aliases (AWS).
        unread: what could not be read.
    """

    places: ClassVar[Mapping[KmsFact, SourceLocation]] = _NOWHERE

    observed_at: Moment
    enabled: StrictBool | None = None
    symmetric: StrictBool | None = None
    suitable: StrictBool | None = None
    region: Identifier | None = None
    granted_to_astra: StrictBool | None = None
    granted_to: tuple[Identifier, ...] | None = None
    rotation_enabled: StrictBool | None = None
    state: Text | None = None
    kind: Text | None = None
    owner: Identifier | None = None
    created_at: Moment | None = None
    rotation_days: Days | None = None
    next_rotation_at: Moment | None = None
    rotated_at: Moment | None = None
    last_used_at: Moment | None = None
    never_used: StrictBool | None = None
    deletion_at: Moment | None = None
    expires_at: Moment | None = None
    multi_region: StrictBool | None = None
    purge_protected: StrictBool | None = None
    recoverable_days: Days | None = None
    versions: tuple[KeyVersion, ...] | None = None
    policy: str | None = None
    grants: tuple[KeyGrant, ...] | None = None
    bindings: tuple[RoleBinding, ...] | None = None
    aliases: tuple[Identifier, ...] | None = None
    unread: tuple[KmsGap, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.never_used and self.last_used_at is not None:
            raise PydanticCustomError("last_used_at", "no last_used_at with never_used: true")
        return self

    def gap(self, *facts: KmsFact) -> KmsGap | None:
        """Return the first of ``facts`` that could not be read, and why; None if all could be."""
        by_fact = {gap.fact: gap for gap in reversed(self.unread)}
        return next((by_fact[fact] for fact in facts if fact in by_fact), None)

    def located(self, places: Mapping[KmsFact, SourceLocation]) -> Self:
        """Set where each fact was read; only for the reader that has just made the entry."""
        self.__dict__["places"] = places  # as in ``Located.at``
        return self

    def where(self, *facts: KmsFact) -> tuple[SourceLocation, ...]:
        """Return where ``facts`` were read, as far as that was recorded."""
        return tuple(dict.fromkeys(self.places[fact] for fact in facts if fact in self.places))


class CloudKey(Located):
    """A key as its cloud showed it, whether it is registered, planned or neither.

    Attributes:
        key_id: the key's id.
        facts: what was shown.
        seen: the recorded answer of each fact.
        requests: how many requests it took.
    """

    key_id: Identifier
    facts: KmsFacts
    seen: dict[KmsFact, Seen] = {}  # noqa: RUF012 (pydantic copies it)
    requests: Count = 0
