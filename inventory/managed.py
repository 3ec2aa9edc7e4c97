"""What Terraform manages of an organization, beside the databases that a plan tells in full."""

from __future__ import annotations

from pydantic import Field

from inventory.entries import Entry, Identifier, Located, Name, SpelledProvider


class UndeterminedDatabase(Located):
    """A planned database of which a plan does not tell where it will lie.

    Attributes:
        name: its name, or its address where that is not told, either.
        untold: why: ``regions known only after apply``.
        is_later: whether a part of that is known only after apply, or by a later plan.
        is_hidden: whether a part of that is marked as sensitive, which no other plan changes.
    """

    name: Name
    untold: str
    is_later: bool = True
    is_hidden: bool = False


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

    def and_also(self, other: Managed) -> Managed:
        """Return what both tell."""
        return Managed(
            undetermined=self.undetermined + other.undetermined,
            keys=self.keys + other.keys,
            databases=self.databases + other.databases,
        )
