"""Customer keys, and what Astra, the clouds and people state about them."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import (
    StrictBool,
    StringConstraints,
)

from inventory.model.attestations import (
    RegistrationAttestation,
    RotationAttestation,
    UsableAttestation,
)
from inventory.model.base import (
    Day,
    Entry,
    Identifier,
    Located,
    Moment,
    SpelledProvider,
    SpelledType,
    Text,
)
from inventory.model.vocabulary import (
    DatabaseType,
    Provider,
)


class KeyScope(NamedTuple):
    """An organization with a combination of database type, provider and region.

    Attributes:
        organization: the organization's id.
        type: the database type; ``unknown`` if the recorded tier does not identify it.
        provider: the cloud provider.
        region: the region's name, compared exactly.
    """

    organization: str
    type: DatabaseType
    provider: Provider
    region: str


class KmsFacts(Entry):
    """What the cloud's key management service (KMS) reported about a key.

    Attributes:
        observed_at: when it was observed.
        enabled: the key can be used now.
        symmetric: the key is a symmetric one.
        region: the key's region.
        granted_to_astra: the vendor's account may use the key.
        granted_to: who may use the key, to be compared with the accounts that Astra names.
        rotation_enabled: versions rotate automatically.
    """

    observed_at: Moment
    enabled: StrictBool | None = None
    symmetric: StrictBool | None = None
    region: Identifier | None = None
    granted_to_astra: StrictBool | None = None
    granted_to: tuple[Identifier, ...] | None = None
    rotation_enabled: StrictBool | None = None


SEEN = r"^exchanges/[0-9]{4,9}/[0-9]{4,9}\.json:[1-9][0-9]{0,8}$"

Seen = Annotated[str, StringConstraints(pattern=SEEN)]
"""The position of an entry in the recorded answers of an evidence bundle: file and line."""


class StatedKey(Located):
    """A key of one key scope, with the statements of people and its cloud about it."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_id: Identifier
    registered: RegistrationAttestation | None = None
    rotation: RotationAttestation | None = None
    usable: UsableAttestation | None = None
    kms: KmsFacts | None = None


class CustomerKey(StatedKey):
    """A key registered in Astra for one key scope; ``seen`` as in ``Seen``."""

    seen: Seen | None = None


class RegionView(Located):
    """Astra's answer for a single region; ``key_id`` is None if it showed no key there."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_id: Identifier | None
    seen: Seen | None = None


class VendorAccount(Located):
    """An account of the vendor, to which the key of a scope must be granted."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    account: Identifier
    seen: Seen | None = None


class SupportCase(Located):
    """A case by which IBM Support replaced or removed a key, in effect on the UTC day ``on``."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    ticket: Text
    by: Text
    on: Day
    note: str | None = None
