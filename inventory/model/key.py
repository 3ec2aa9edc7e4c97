"""Customer keys, and what Astra, the clouds and people state about them."""

from __future__ import annotations

from typing import NamedTuple

from inventory.model.attestations import (
    ExclusiveAttestation,
    PortalKey,
    RegistrationAttestation,
    RotationAttestation,
    UsableAttestation,
)
from inventory.model.base import (
    Day,
    Identifier,
    Located,
    Seen,
    SpelledProvider,
    SpelledType,
    Text,
)
from inventory.model.kms import KmsFacts
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


class StatedKey(Located):
    """A key of one key scope, with the statements of people and its cloud about it."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_id: Identifier
    registered: RegistrationAttestation | None = None
    rotation: RotationAttestation | None = None
    usable: UsableAttestation | None = None
    exclusive: ExclusiveAttestation | None = None
    portal: PortalKey | None = None
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
