"""Databases and their regions, existing and planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from inventory.model.attestations import (
    ApplicationEncryption,
    PortalRegion,
)
from inventory.model.base import (
    Identifier,
    Located,
    Moment,
    Name,
    Seen,
    SpelledProvider,
    Text,
)
from inventory.model.vocabulary import (
    TYPES,
    DatabaseType,
    any_case_schema,
    canonical_type,
    type_of_tier,
)

if TYPE_CHECKING:
    from datetime import datetime

Encryption = Literal["customer-managed", "astra-provided"]

_CANONICAL = ("serverless", "managed-clusters")


def require_reason(encryption: Encryption | None, reason: str | None) -> None:
    """Refuse Astra's own keys without a reason."""
    if encryption == "astra-provided" and reason is None:
        raise PydanticCustomError("reason", "a reason with encryption: astra-provided")


class DatabaseRegion(Located):
    """One region of a database.

    Attributes:
        name: the region's name.
        added_at: when the region was added to the database; for Astra's own records,
            ``dateCreated`` of the datacenter.
        provider: the region's own provider, if it is not the database's.
        state: ``planned`` if the region is only intended; the database may exist.
        encryption: what is expected in this region; None leaves that to the database.
        reason: why Astra's own keys are intended here; required with ``astra-provided``.
        portal: what somebody saw in the region's details in Astra's portal.
    """

    name: Identifier
    added_at: Moment | None = None
    provider: SpelledProvider | None = None
    state: Literal["existing", "planned"] = "existing"
    encryption: Encryption | None = None
    reason: Text | None = None
    portal: PortalRegion | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.state == "planned" and self.added_at is not None:
            raise PydanticCustomError("added_at", "no added_at with state: planned")
        if self.state == "planned" and self.portal is not None:
            raise PydanticCustomError("portal", "no portal with state: planned")
        require_reason(self.encryption, self.reason)
        return self


def _stated_type(value: object) -> object:
    if value in _CANONICAL:
        return value
    stated = canonical_type(value)
    if stated == "unknown":
        raise PydanticCustomError("type", "a database type, or the tier that Astra reported")
    return stated


class Database(Located):
    """A database that Astra lists (existing), or that somebody intends to deploy (planned).

    Attributes:
        id: Astra's id; a planned database has none yet and is identified by its name.
        name: the name, which need not be unique and may hold anything.
        type: the database type; resolved from ``tier`` where only that was recorded.
        tier: the tier as Astra reported it.
        provider: the cloud provider.
        regions: the regions, each at most once, in no meaningful order.
        state: ``existing`` or ``planned``.
        status: the status as Astra reported it; only ``TERMINATED`` is outside the population.
        created_at: when the database was created.
        encryption: what is expected of it; None leaves that to the organization's policy.
        reason: why Astra's own keys are intended; required with ``astra-provided``.
        data: ``stringent`` if more than encryption at rest is required.
        application_encryption: whether the application encrypts stringent data.
        seen: its position in the recorded answers.
    """

    id: Identifier | None = None
    name: Name
    type: Annotated[
        DatabaseType,
        BeforeValidator(_stated_type),
        WithJsonSchema(any_case_schema(TYPES)),
    ] = "unknown"
    tier: str | None = None
    provider: SpelledProvider
    regions: Annotated[tuple[DatabaseRegion, ...], Field(min_length=1)]
    state: Literal["existing", "planned"] = "existing"
    status: str = "ACTIVE"
    created_at: Moment | None = None
    encryption: Encryption | None = None
    reason: Text | None = None
    data: Literal["ordinary", "stringent"] = "ordinary"
    application_encryption: ApplicationEncryption | None = None
    seen: Seen | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.tier is not None or self.type == "unknown":
            self._resolve_type()
        if self.id is None and self.state == "existing":
            raise PydanticCustomError("id", "an id, or state: planned")
        if self.state == "planned":
            self._refuse_traces()
        elif all(region.state == "planned" for region in self.regions):
            text = "a region without state: planned, or state: planned for the database"
            raise PydanticCustomError("regions", text)
        require_reason(self.encryption, self.reason)
        if len(self.regions) > 1 and len({region.name for region in self.regions}) < len(
            self.regions
        ):
            raise PydanticCustomError("regions", "each region at most once")
        return self

    def _refuse_traces(self) -> None:
        """Refuse facts that only an existing database can have, also with a time in the future."""
        for name in ("created_at", "seen"):
            if getattr(self, name) is not None:
                raise PydanticCustomError(name, f"no {name} with state: planned")
        if any(region.added_at is not None for region in self.regions):
            text = "no added_at of a region with state: planned of its database"
            raise PydanticCustomError("added_at", text)
        if any(region.portal is not None for region in self.regions):
            text = "no portal of a region with state: planned of its database"
            raise PydanticCustomError("portal", text)
        if self.status != "ACTIVE":
            raise PydanticCustomError("status", "no status other than ACTIVE with state: planned")

    def _resolve_type(self) -> None:
        if self.tier is None:
            raise PydanticCustomError("type_or_tier", "a type, or the tier that Astra reported")
        tier_type = type_of_tier(self.tier)
        if self.type not in {"unknown", tier_type}:
            raise PydanticCustomError("tier", "no type that contradicts the tier")
        object.__setattr__(self, "type", tier_type)  # the model is frozen

    def stated(self) -> set[str]:
        """Add what every database states: its type, which may come from the tier, and its state."""
        return self.model_fields_set | {"type", "state"}

    @property
    def identity(self) -> str:
        """Return what identifies it within its organization.

        A planned database is identified by its name, or by its address if Terraform manages it.
        """
        return self.id or f"planned {self.resource or self.name}"

    @property
    def is_planned(self) -> bool:
        """Say whether the database is only intended."""
        return self.state == "planned"

    @property
    def is_terminated(self) -> bool:
        """Say whether the database is gone, so that no data is at rest in it."""
        return self.status != "ACTIVE" and self.status.upper() == "TERMINATED"


def deployed_at(database: Database, region: DatabaseRegion) -> datetime | None:
    """Return when ``region`` was added; a database of one existing region was made with it."""
    if region.added_at is not None:
        return region.added_at
    existing = [other for other in database.regions if other.state == "existing"]
    return database.created_at if len(existing) == 1 else None
