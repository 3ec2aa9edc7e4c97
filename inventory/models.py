"""The frozen models of an inventory: what was recorded, and nothing that was concluded.

All times are aware and compared in UTC. A field that is absent is a fact that is missing: it is
never read as "no" or "none".
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from inventory.spellings import (
    PROVIDERS,
    TYPES,
    DatabaseType,
    Provider,
    any_case,
    canonical_provider,
    canonical_type,
    type_of_tier,
)

ATTESTATION_DAYS = 365
_CANONICAL = ("serverless", "managed-clusters")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC)


def _moment(value: object) -> datetime:
    """Read a time with its zone, and turn it to UTC.

    A number is refused: seconds and milliseconds cannot be told apart.
    """
    time = value
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            time = None
    if not isinstance(time, datetime) or time.tzinfo is None:
        text = "a time with its zone, as text, such as 2026-11-20T02:00:00Z"
        raise PydanticCustomError("moment", text)
    try:
        utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "a time between the years 1 and 9999") from None
    if utc < _EARLIEST:
        raise PydanticCustomError("moment", "a time later than 2010, when there was no Astra yet")
    return utc


def _day(value: object) -> object:
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise PydanticCustomError("day", "a day, as text, such as 2026-11-20")


Identifier = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=2048)]
Name = Annotated[str, StringConstraints(min_length=1)]
Text = Annotated[str, StringConstraints(pattern=r"\S")]
Moment = Annotated[
    datetime,
    PlainValidator(_moment, json_schema_input_type=datetime),
    PlainSerializer(lambda time: f"{time.isoformat()[:-6]}Z", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[date, BeforeValidator(_day)]
Encryption = Literal["customer-managed", "astra-provided"]
SpelledType = Annotated[
    Literal["serverless", "managed-clusters"],
    BeforeValidator(canonical_type),
    WithJsonSchema(any_case(TYPES)),
]
SpelledProvider = Annotated[
    Provider,
    BeforeValidator(canonical_provider),
    WithJsonSchema(any_case(PROVIDERS)),
]


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


class Entry(BaseModel):
    """A piece of an inventory; immutable, and closed to fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Located(Entry):
    """An entry that remembers where it was read.

    Attributes:
        place: the path of its file, as it was given, and its line, counted from 1; an empty path
            and 0 if it was made in memory.
    """

    place: ClassVar[tuple[str, int]] = ("", 0)

    def at(self, file: str, line: int) -> Self:
        """Remember the place; meant for the reader that has just made the entry."""
        self.__dict__["place"] = (file, line)
        return self

    @property
    def file(self) -> str:
        """Return the path of the entry's file."""
        return self.place[0]

    @property
    def line(self) -> int:
        """Return the entry's line."""
        return self.place[1]

    def stated(self) -> set[str]:
        """Return the fields that its file states, which another file must not contradict."""
        return self.model_fields_set


class Attestation(Entry):
    """A statement about something that no interface shows.

    Attributes:
        by: who states it.
        on: the UTC day on which it was stated.
        due: the last UTC day on which it counts; 365 days after ``on`` if absent.
        note: whatever helps the reader.
    """

    by: Text
    on: Day
    due: Day | None = None
    note: str | None = None

    def last_day(self) -> date:
        """Return the last UTC day on which the statement counts."""
        return self.due or self.on + min(timedelta(days=ATTESTATION_DAYS), date.max - self.on)

    def is_current(self, as_of: datetime) -> bool:
        """Say whether the statement had been made at ``as_of`` and was not yet due again."""
        return self.on <= as_of.astimezone(UTC).date() <= self.last_day()


class PlanAttestation(Attestation):
    """The organization's plan: ``paid`` says whether it is a paid one, ``name`` is its name."""

    paid: StrictBool
    name: str | None = None


class PreviewAttestation(Attestation):
    """Whether the vendor granted the organization customer keys for Serverless on Azure."""

    granted: StrictBool


class RegistrationAttestation(Entry):
    """When a key was registered, as ``by`` stated on the UTC day ``on``; the past does not age."""

    at: Moment
    by: Text
    on: Day
    note: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.at.astimezone(UTC).date() > self.on:
            raise PydanticCustomError("at", "a time no later than the day of the statement")
        return self


class RotationAttestation(Attestation):
    """Whether the key's versions rotate automatically."""

    automatic: StrictBool


class UsableAttestation(Attestation):
    """Whether the key is enabled, symmetric, in its region, and granted to Astra."""

    usable: StrictBool


class ApplicationEncryption(Attestation):
    """Whether the application itself encrypts the stringent data, and how."""

    encrypted: StrictBool
    method: str | None = None


class KmsFacts(Entry):
    """What the cloud's key management said of a key.

    Attributes:
        observed_at: when it said so.
        enabled: the key can be used now.
        symmetric: the key is a symmetric one.
        region: the region the key lives in.
        granted_to_astra: the vendor's account may use the key.
        rotation_enabled: versions rotate automatically.
    """

    observed_at: Moment
    enabled: StrictBool | None = None
    symmetric: StrictBool | None = None
    region: Identifier | None = None
    granted_to_astra: StrictBool | None = None
    rotation_enabled: StrictBool | None = None


class CustomerKey(Located):
    """A key registered in Astra for one key scope."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_id: Identifier
    registered: RegistrationAttestation | None = None
    rotation: RotationAttestation | None = None
    usable: UsableAttestation | None = None
    kms: KmsFacts | None = None


class RegionView(Located):
    """What Astra answered for one region alone; ``key_id`` is None if it showed no key there."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    key_id: Identifier | None


class SupportCase(Located):
    """A case by which IBM Support replaced or removed a key, in effect on the UTC day ``on``."""

    type: SpelledType
    provider: SpelledProvider
    region: Identifier
    ticket: Text
    by: Text
    on: Day
    note: str | None = None


class DatabaseRegion(Entry):
    """One region of a database.

    Attributes:
        name: the region's name.
        added_at: when the region was added to the database; for Astra's own records,
            ``dateCreated`` of the datacenter.
        provider: the region's own provider, if it is not the database's.
    """

    name: Identifier
    added_at: Moment | None = None
    provider: SpelledProvider | None = None


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

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.tier is not None or self.type == "unknown":
            self._take_type_of_tier()
        if self.id is None and self.state == "existing":
            raise PydanticCustomError("id", "an id, or state: planned")
        if self.state == "planned" and self.is_terminated:
            raise PydanticCustomError("status", "no status TERMINATED beside state: planned")
        if self.encryption == "astra-provided" and self.reason is None:
            raise PydanticCustomError("reason", "a reason beside encryption: astra-provided")
        if len(self.regions) > 1 and len({region.name for region in self.regions}) < len(
            self.regions
        ):
            raise PydanticCustomError("regions", "each region at most once")
        return self

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
        """Return what tells it from every other database of its organization."""
        return self.id or f"planned {self.name}"

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
        if self.encryption == "astra-provided" and self.reason is None:
            raise PydanticCustomError("reason", "a reason beside encryption: astra-provided")
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


Fact = Literal["databases", "serverless-keys", "managed-clusters-keys", "region-views"]
GapReason = Literal[
    "not-recorded",
    "refused",
    "timed-out",
    "malformed",
    "cut-short",
    "wrong-organization",
    "rate-limited",
    "not-visible",
    "unknown-value",
]


class Gap(Entry):
    """A fact about an organization that could not be read, and why.

    Attributes:
        fact: which list is missing, or not known to be whole.
        reason: a reason code.
        detail: what was seen, in words.
    """

    fact: Fact
    reason: GapReason
    detail: str = ""


class Organization(Located):
    """An Astra organization: what was recorded of it at one moment.

    Attributes:
        id: Astra's id.
        name: the name, for people.
        keys: every registered customer key; None if they were not recorded, which is not "none".
        databases: every database; None if they were not recorded.
        region_views: what Astra showed for single regions; None if nobody asked.
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
    plan: PlanAttestation | None = None
    azure_preview: PreviewAttestation | None = None
    policy: Policy = Policy()
    support_cases: tuple[SupportCase, ...] = ()
    gaps: tuple[Gap, ...] = ()
    captured_at: Moment | None = None

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

    format: Annotated[Literal[1], Field(alias="cmek-inventory")]
    captured_at: Moment | None = None
    example: StrictBool = False
    description: str | None = None
    organizations: Annotated[tuple[Organization, ...], Field(min_length=1)]
