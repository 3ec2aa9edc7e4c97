"""Planned keys: customer keys that a plan would register, replace or remove."""

from __future__ import annotations

from typing import Literal

from inventory.model.base import Identifier, Located, Name, SpelledProvider, SpelledType
from inventory.model.kms import KmsFacts

KeyChange = Literal["register", "replace", "remove"]
"""What a plan does with a key. The new key of a replacement is a ``register`` of its own."""


class PartiallyShown(Located):
    """A planned change of which the plan does not show everything.

    Attributes:
        is_later: whether a missing part is known only after apply, or in a later plan.
        is_hidden: whether a missing part is marked as sensitive, and so in every plan.
    """

    is_later: bool = False
    is_hidden: bool = False


class PlannedKey(PartiallyShown):
    """A customer key of one key scope that a plan would change.

    Attributes:
        type: the database type.
        provider: the cloud provider.
        region: the region.
        key_id: the key's id; None if the plan does not show it.
        missing: why the plan does not show the id, such as ``known only after apply``.
        change: what the plan does with the key.
        awaited_by: the addresses of the planned databases that the configuration creates only
            once this key is registered.
        kms: what its cloud shows of it.
    """

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_id: Identifier | None = None
    missing: str = ""
    change: KeyChange = "register"
    awaited_by: frozenset[str] = frozenset()
    kms: KmsFacts | None = None


class UndeterminedKey(PartiallyShown):
    """A planned key whose key scope the plan does not show.

    Attributes:
        name: its address.
        missing: why: ``region known only after apply``.
        change: what the plan does with the key.
    """

    name: Name
    missing: str
    change: KeyChange = "register"
