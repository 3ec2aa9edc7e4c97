"""The frozen models of an inventory: what was recorded, and nothing that was concluded.

All times are aware and compared in UTC. A field that is absent is a fact that is missing: it is
never read as "no" or "none".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from inventory.attestations import (
    ApplicationEncryption,
    Attestation,
    PlanAttestation,
    PreviewAttestation,
    RegistrationAttestation,
    RotationAttestation,
    UsableAttestation,
)
from inventory.entries import (
    Day,
    Entry,
    FormatVersion,
    Identifier,
    Located,
    Moment,
    Name,
    SpelledProvider,
    SpelledType,
    Text,
)
from inventory.gaps import Fact, Gap, Reading
from inventory.managed import Managed
from inventory.spellings import (
    TYPES,
    DatabaseType,
    Provider,
    any_case,
    canonical_type,
    type_of_tier,
)

Encryption = Literal["customer-managed", "astra-provided"]
_CANONICAL = ("serverless", "managed-clusters")


class KeyScope(NamedTuple):
    """An organization with a combination of database type, provider and region.

    Attributes:
        organization: the organization's id.
        type: the database type; ``unknown`` if the recorded tier says neither type.
        provider: the cloud provider.
        region: the region's name, compared exactly.
    """

    organization: str
    type: DatabaseType
    provider: Provider
    region: str


class KmsFacts(Entry):
    """What the cloud's key management said of a key.

    Attributes:
        observed_at: when it said so.
        enabled: the key can be used now.
        symmetric: the key is a symmetric one.
        region: the region the key lives in.
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
"""Where an entry stands in the recorded answers of an evidence bundle: file and line."""


class StatedKey(Located):
    """A key of one key scope, with what people and its cloud say about it."""

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
    """What Astra answered for one region alone; ``key_id`` is None if it showed no key there."""

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


def demand_reason(encryption: Encryption | None, reason: str | None) -> None:
    """Refuse Astra's own keys where nobody says why they are meant."""
    if encryption == "astra-provided" and reason is None:
        raise PydanticCustomError("reason", "a reason beside encryption: astra-provided")


class DatabaseRegion(Located):
    """One region of a database.

    Attributes:
        name: the region's name.
        added_at: when the region was added to the database; for Astra's own records,
            ``dateCreated`` of the datacenter.
        provider: the region's own provider, if it is not the database's.
        state: ``planned`` if the region is only intended, of a database that may exist.
        encryption: what is expected in this region; None leaves that to the database.
        reason: why Astra's own keys are meant here; demanded with ``astra-provided``.
    """

    name: Identifier
    added_at: Moment | None = None
    provider: SpelledProvider | None = None
    state: Literal["existing", "planned"] = "existing"
    encryption: Encryption | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.state == "planned" and self.added_at is not None:
            raise PydanticCustomError("added_at", "no added_at beside state: planned")
        demand_reason(self.encryption, self.reason)
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
        id: Astra's id; a planned database has none yet and goes by its name.
        name: the name, which need not be unique and may hold anything.
        type: the database type; resolved from ``tier`` where only that was recorded.
        tier: the tier as Astra reported it.
        provider: the cloud provider.
        regions: the regions, each at most once, in no meaningful order.
        state: ``existing`` or ``planned``.
        status: the status as Astra reported it; only ``TERMINATED`` leaves the population.
        created_at: when the database was created.
        encryption: what is expected of it; None leaves that to the organization's policy.
        reason: why Astra's own keys are meant; demanded with ``astra-provided``.
        data: ``stringent`` if more than encryption at rest is asked for.
        application_encryption: whether the application encrypts stringent data.
        seen: where it stands in the recorded answers.
    """

    id: Identifier | None = None
    name: Name
    type: Annotated[
        DatabaseType,
        BeforeValidator(_stated_type),
        WithJsonSchema(any_case(TYPES)),
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
            self._take_type_of_tier()
        if self.id is None and self.state == "existing":
            raise PydanticCustomError("id", "an id, or state: planned")
        if self.state == "planned":
            self._refuse_traces()
        elif all(region.state == "planned" for region in self.regions):
            text = "a region without state: planned, or state: planned for the database"
            raise PydanticCustomError("regions", text)
        demand_reason(self.encryption, self.reason)
        if len(self.regions) > 1 and len({region.name for region in self.regions}) < len(
            self.regions
        ):
            raise PydanticCustomError("regions", "each region at most once")
        return self

    def _refuse_traces(self) -> None:
        """Refuse what only a database that exists can have, also for a time that is to come."""
        for name in ("created_at", "seen"):
            if getattr(self, name) is not None:
                raise PydanticCustomError(name, f"no {name} beside state: planned")
        if any(region.added_at is not None for region in self.regions):
            text = "no added_at of a region beside state: planned of its database"
            raise PydanticCustomError("added_at", text)
        if self.status != "ACTIVE":
            raise PydanticCustomError("status", "no status but ACTIVE beside state: planned")

    def _take_type_of_tier(self) -> None:
        if self.tier is None:
            raise PydanticCustomError("type_or_tier", "a type, or the tier that Astra reported")
        told = type_of_tier(self.tier)
        if self.type not in {"unknown", told}:
            raise PydanticCustomError("tier", "no type beside a tier that says another")
        object.__setattr__(self, "type", told)

    def stated(self) -> set[str]:
        """Add what every database states: its type, if only by the tier, and its state."""
        return self.model_fields_set | {"type", "state"}

    @property
    def identity(self) -> str:
        """Return what tells it from every other database of its organization.

        A planned one goes by its name, or by its address if Terraform manages it.
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


class Expectation(Entry):
    """What is expected of databases, and why if Astra's own keys are meant."""

    encryption: Encryption
    reason: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        demand_reason(self.encryption, self.reason)
        return self


CUSTOMER_MANAGED = Expectation(encryption="customer-managed")


class Policy(Entry):
    """What is expected of an organization's databases: in general, and by database type."""

    default: Expectation = CUSTOMER_MANAGED
    types: dict[SpelledType, Expectation] = Field(default_factory=dict)

    @field_validator("types", mode="before")
    @classmethod
    def _one_spelling(cls, value: Any) -> Any:  # noqa: ANN401 (whatever the file holds)
        names = [canonical_type(name) for name in value] if isinstance(value, dict) else []
        if len(set(names)) < len(names):
            raise PydanticCustomError("types", "each database type at most once")
        return value

    def of(self, database_type: DatabaseType) -> Expectation:
        """Return what is expected of databases of one type that do not say it themselves."""
        stated = (each for name, each in self.types.items() if name == database_type)
        return next(stated, self.default)


class Organization(Located):
    """An Astra organization: what was recorded of it at one moment.

    Attributes:
        id: Astra's id.
        name: the name, for people.
        keys: every registered customer key; None if they were not recorded, which is not "none".
        databases: every database; None if they were not recorded.
        region_views: what Astra showed for single regions; None if nobody asked.
        vendor_accounts: to whom keys must be granted, as Astra says; None if nobody asked.
        readings: how it was read from Astra; empty if it was not.
        no_databases: attestation that the organization has no database yet.
        plan: attestation of the plan.
        azure_preview: attestation of the preview for Serverless on Azure.
        policy: what is expected of the databases.
        support_cases: changes of keys that IBM Support carried out.
        gaps: what could not be read.
        captured_at: when the record was made; None if its file does not say.
    """

    id: Identifier
    name: Name
    keys: tuple[CustomerKey, ...] | None = None
    databases: tuple[Database, ...] | None = None
    region_views: tuple[RegionView, ...] | None = None
    vendor_accounts: tuple[VendorAccount, ...] | None = None
    readings: tuple[Reading, ...] = ()
    no_databases: Attestation | None = None
    plan: PlanAttestation | None = None
    azure_preview: PreviewAttestation | None = None
    policy: Policy = Policy()
    support_cases: tuple[SupportCase, ...] = ()
    gaps: tuple[Gap, ...] = ()
    captured_at: Moment | None = None
    _managed: Managed = PrivateAttr(default=Managed())

    @property
    def managed(self) -> Managed:
        """Return what Terraform tells of it; no inventory's file can hold that."""
        return self._managed

    def with_managed(self, managed: Managed) -> Self:
        """Return the organization with what Terraform tells of it."""
        copy = self.model_copy()
        copy.__pydantic_private__ = {"_managed": managed}
        return copy

    def missing(self) -> tuple[Gap, ...]:
        """Return every gap, the recorded ones and those that follow from absent lists."""
        implied = []
        if self.keys is None:
            implied += [_absent("serverless-keys"), _absent("managed-clusters-keys")]
        if self.databases is None:
            implied.append(_absent("databases"))
        return self.gaps + tuple(implied)


def _absent(fact: Fact) -> Gap:
    return Gap(fact=fact, reason="not-recorded", detail="the record holds no such list")


class InventoryDocument(Entry):
    """A whole inventory file in YAML or JSON.

    Attributes:
        format: the version of the format, 1.
        captured_at: when all of it was true.
        example: True for the bundled examples: judged as of ``captured_at``, never as evidence.
        organizations: at least one.
    """

    format: Annotated[FormatVersion, Field(alias="cmek-inventory")]
    captured_at: Moment | None = None
    example: StrictBool = False
    description: str | None = None
    organizations: Annotated[tuple[Organization, ...], Field(min_length=1)]
