"""An organization, the policy for its databases, and a whole inventory file.

All times are aware and compared in UTC. An absent field is a missing fact, never "no" or
"none".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self, get_args

from pydantic import (
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    StrictBool,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from inventory.model.attestations import (
    Attestation,
    PlanAttestation,
    PreviewAttestation,
)
from inventory.model.base import (
    Entry,
    FormatVersion,
    Identifier,
    Located,
    Moment,
    Name,
    Owner,
    SpelledType,
    Text,
)
from inventory.model.database import Database, Encryption, require_reason
from inventory.model.gaps import CloudFact, Fact, Gap, Reading
from inventory.model.key import CustomerKey, RegionView, SupportCase, VendorAccount
from inventory.model.kms import CloudKey
from inventory.model.terraform_managed import ManagedResources
from inventory.model.vocabulary import (
    DatabaseType,
    canonical_type,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    Databases = Sequence[Database]
else:
    # A list that a file states becomes a tuple. A reader of lines may put a ``DatabaseList`` there.
    Databases = tuple[Database, ...]


class Expectation(Entry):
    """The expected encryption of databases, with the reason if Astra's own keys are intended."""

    encryption: Encryption
    reason: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_reason(self.encryption, self.reason)
        return self


CUSTOMER_MANAGED = Expectation(encryption="customer-managed")


class Policy(Entry):
    """The expected encryption of an organization's databases, in general and by type."""

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
        """Return the expectation for databases of one type that state none themselves."""
        # The keys are narrower than ``DatabaseType``, so a look-up would not pass the type checker.
        stated = (expected for name, expected in self.types.items() if name == database_type)
        return next(stated, self.default)


class Organization(Located):
    """An Astra organization as recorded at one moment.

    Attributes:
        id: Astra's id.
        name: the name, for people.
        owner: the team or the address that answers for it; None if that is not stated.
        keys: every registered customer key; None if they were not recorded, which is not "none".
        databases: every database; None if they were not recorded.
        region_views: what Astra showed for single regions; None if Astra was not asked.
        vendor_accounts: the accounts to which keys must be granted; None if Astra was not asked.
        cloud_keys: what the clouds show of its keys, registered and planned; None if no cloud was
            asked.
        readings: how it was read from Astra and from the clouds; empty if it came from a file.
        no_databases: attestation that the organization has no database yet.
        plan: attestation of the plan.
        azure_preview: attestation of the preview for Serverless on Azure.
        policy: what is expected of the databases.
        support_cases: changes of keys that IBM Support carried out.
        gaps: what could not be read.
        captured_at: when the record was made; None if its file has no date.
    """

    id: Identifier
    name: Name
    owner: Owner | None = None
    keys: tuple[CustomerKey, ...] | None = None
    databases: Databases | None = None
    region_views: tuple[RegionView, ...] | None = None
    vendor_accounts: tuple[VendorAccount, ...] | None = None
    cloud_keys: tuple[CloudKey, ...] | None = None
    readings: tuple[Reading, ...] = ()
    no_databases: Attestation | None = None
    plan: PlanAttestation | None = None
    azure_preview: PreviewAttestation | None = None
    policy: Policy = Policy()
    support_cases: tuple[SupportCase, ...] = ()
    gaps: tuple[Gap, ...] = ()
    captured_at: Moment | None = None
    _managed: ManagedResources = PrivateAttr(default=ManagedResources())

    @field_serializer("databases", mode="wrap")
    def _dump_databases(
        self, databases: Databases | None, dump: SerializerFunctionWrapHandler
    ) -> object:
        return dump(None if databases is None else tuple(databases))

    @property
    def managed(self) -> ManagedResources:
        """Return what Terraform's plans and states contribute; no inventory file can hold it."""
        return self._managed

    @property
    def readings_of_astra(self) -> tuple[Reading, ...]:
        """Return how it was read from Astra; empty if Astra was not asked."""
        clouds = get_args(CloudFact)
        return tuple(reading for reading in self.readings if reading.fact not in clouds)

    def with_managed(self, managed: ManagedResources) -> Self:
        """Return the organization with what Terraform manages of it."""
        copy = self.model_copy()
        copy.__pydantic_private__ = {"_managed": managed}
        return copy

    def missing(self) -> tuple[Gap, ...]:
        """Return every gap, the recorded ones and those implied by absent lists."""
        implied = []
        if self.keys is None:
            implied += [_absent("serverless-keys"), _absent("managed-clusters-keys")]
        if self.databases is None:
            implied.append(_absent("databases"))
        return self.gaps + tuple(implied)


def _absent(fact: Fact) -> Gap:
    return Gap(fact=fact, reason="not-recorded", detail="the record has no such list")


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
