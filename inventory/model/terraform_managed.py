"""What plans and Terraform's states hold of an organization, except fully known databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from pydantic import Field

from inventory.model.base import Entry, Identifier, Located, Name, SpelledProvider
from inventory.model.planned_keys import PartiallyShown, PlannedKey, UndeterminedKey


class UndeterminedDatabase(PartiallyShown):
    """A planned database whose location the plan does not show.

    Attributes:
        name: its name, or its address if the name is not shown.
        missing: what is missing and why, such as ``regions known only after apply``.
    """

    name: Name
    missing: str


class ManagedKey(Located):
    """A customer key in Terraform's state, which is no proof that it is registered.

    Attributes:
        provider: the cloud provider.
        region: the region.
    """

    provider: SpelledProvider
    region: Identifier


class ManagedDatabase(Located):
    """A database in Terraform's state: it exists, or did so recently.

    Attributes:
        id: its id.
        name: its name, or its address if that is not shown.
        regions: provider and region of each location in the state.
        missing: why some of these are not shown; empty if all are.
    """

    id: Identifier
    name: Name
    regions: tuple[tuple[SpelledProvider, Identifier], ...] = ()
    missing: str = ""


class ManagedResources(Entry):
    """What plans and states show of one organization; all of Terraform's is Serverless.

    Attributes:
        undetermined: planned databases whose location is not shown.
        planned_keys: customer keys that a plan would register, replace or remove.
        undetermined_keys: planned keys whose key scope is not shown.
        keys: customer keys in a state.
        databases: databases in a state.
    """

    undetermined: tuple[UndeterminedDatabase, ...] = Field(default=())
    planned_keys: tuple[PlannedKey, ...] = Field(default=())
    undetermined_keys: tuple[UndeterminedKey, ...] = Field(default=())
    keys: tuple[ManagedKey, ...] = Field(default=())
    databases: tuple[ManagedDatabase, ...] = Field(default=())

    @classmethod
    def combine(cls, parts: Iterable[ManagedResources]) -> ManagedResources:
        """Return the entries of all ``parts``, in their order."""
        known = [part for part in parts if part is not NO_RESOURCES]
        if len(known) <= 1:
            return known[0] if known else NO_RESOURCES
        fields = {
            name: tuple(chain.from_iterable(getattr(part, name) for part in known))
            for name in cls.model_fields
        }
        return cls(**fields)

    def combined_with(self, other: ManagedResources) -> ManagedResources:
        """Return the entries of both."""
        return self.combine((self, other))

    @property
    def planned_key_count(self) -> int:
        """Return how many changes of keys a plan holds, including those of unknown scope."""
        return len(self.planned_keys) + len(self.undetermined_keys)

    def entries(self) -> Iterator[Located]:
        """Yield all entries."""
        for name in ManagedResources.model_fields:
            yield from getattr(self, name)


NO_RESOURCES = ManagedResources()
"""A shared empty value: most resources add nothing here."""


class ProviderConfiguration(NamedTuple):
    """What a plan manages with one configuration of the provider, and so with one token.

    Attributes:
        provider: its key, such as ``astra.eu``; empty for all resources whose configuration the
            plan does not name.
        databases: how many databases it manages.
        keys: how many customer keys it manages.
        line: the line of its first resource whose organization is not stated; 0 if there is none.
        is_mixed: whether its resources name several organizations.
        is_repeated: whether it has ``for_each``, and so perhaps several tokens.
    """

    provider: str
    databases: int
    keys: int
    line: int = 0
    is_mixed: bool = False
    is_repeated: bool = False

    @property
    def is_one(self) -> bool:
        """Say whether everything it manages uses one token, and so belongs to one organization."""
        if self.provider:
            return not (self.is_mixed or self.is_repeated)
        return self.databases + self.keys == 1
