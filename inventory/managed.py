"""What Terraform manages of an organization, beside the databases that a plan tells in full."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from pydantic import Field

from inventory.entries import Entry, Identifier, Located, Name, SpelledProvider


class UndeterminedDatabase(Located):
    """A planned database of which a plan does not tell where it will lie.

    Attributes:
        name: its name, or its address where that is not told, either.
        untold: why: ``regions known only after apply``.
    """

    name: Name
    untold: str


class ManagedKey(Located):
    """A customer key that Terraform manages, which is no proof that it is registered.

    Attributes:
        provider: the cloud provider.
        region: the region.
        is_created: whether the plan creates it; else it stands in the state.
    """

    provider: SpelledProvider
    region: Identifier
    is_created: bool


class ManagedDatabase(Located):
    """A database that stands in Terraform's state, so that it exists or existed lately."""

    id: Identifier
    name: Name


class Managed(Entry):
    """What Terraform's plans and states tell of one organization; all of it is Serverless.

    Attributes:
        undetermined: planned databases whose place is not told.
        keys: customer keys.
        databases: databases in the state.
    """

    undetermined: tuple[UndeterminedDatabase, ...] = Field(default=())
    keys: tuple[ManagedKey, ...] = Field(default=())
    databases: tuple[ManagedDatabase, ...] = Field(default=())

    @classmethod
    def together(cls, parts: Iterable[Managed]) -> Managed:
        """Return what all of ``parts`` tell, in their order."""
        known = [part for part in parts if part is not NOTHING]
        if len(known) <= 1:
            return known[0] if known else NOTHING
        fields = {
            name: tuple(chain.from_iterable(getattr(part, name) for part in known))
            for name in cls.model_fields
        }
        return cls(**fields)

    def and_also(self, other: Managed) -> Managed:
        """Return what both tell."""
        return self.together((self, other))


NOTHING = Managed()
"""Nothing, made once: of most resources a plan tells nothing here."""
