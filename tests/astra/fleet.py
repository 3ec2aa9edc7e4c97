"""A synthetic fleet: organizations with their databases and keys, and what people attest of them.

The same arguments give the same fleet, in every process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterable

DatabaseType = Literal["serverless", "managed-clusters"]
Provider = Literal["aws", "gcp", "azure"]

DB_VIEW = "org-db-view"
CMK_READ = "org-cmk-read"
PERMISSIONS = frozenset({DB_VIEW, CMK_READ})

REGISTERED_AT = "2025-01-15T09:00:00Z"
CREATED_AT = "2025-06-10T09:00:00Z"
SECOND_REGION_AT = "2025-06-20T09:00:00Z"
ATTESTED_ON = "2025-07-01"
ATTESTED_UNTIL = "2099-12-31"
ATTESTED_BY = "Ada Example"


class FleetRegion(NamedTuple):
    """A region of a database, and when it was added."""

    name: str
    date_created: str = CREATED_AT


@dataclass(frozen=True)
class FleetDatabase:
    """A database; its type follows from ``tier``, and it was created with its first region."""

    id: str
    name: str
    tier: str
    provider: Provider
    regions: tuple[FleetRegion, ...]
    status: str = "ACTIVE"

    @property
    def type(self) -> DatabaseType:
        return "serverless" if self.tier == "serverless" else "managed-clusters"


@dataclass(frozen=True)
class FleetKey:
    """A customer key, as it is registered for one combination of type, provider and region."""

    type: DatabaseType
    provider: Provider
    region: str
    key_id: str


@dataclass(frozen=True)
class FleetOrganization:
    """An organization, its token, and what that token may read."""

    id: str
    name: str
    token: str
    keys: tuple[FleetKey, ...]
    databases: tuple[FleetDatabase, ...]
    permissions: frozenset[str] = PERMISSIONS

    @property
    def variable(self) -> str:
        """Return the name of the environment variable that holds the token."""
        return "ASTRA_TOKEN_" + self.name.upper().replace("-", "_")


@dataclass(frozen=True)
class Fleet:
    """All organizations of a fleet."""

    organizations: tuple[FleetOrganization, ...]

    @property
    def environment(self) -> dict[str, str]:
        """Return the tokens by the names of their environment variables."""
        return {organization.variable: organization.token for organization in self.organizations}


# --- ids ------------------------------------------------------------------------------------------


def synthetic_uuid(*parts: object) -> str:
    """Return a synthetic id: the same parts, the same id; ids do not follow the order made in."""
    return str(uuid5(NAMESPACE_URL, "https://acme.example/" + "/".join(map(str, parts))))


def synthetic_key_id(organization: str, kind: str, provider: str, region: str) -> str:
    """Return a well-formed key id that no other organization and no other scope has."""
    if provider == "aws":
        own = synthetic_uuid("key", organization, kind, region)
        return f"arn:aws:kms:{region}:111122223333:key/{own}"
    if provider == "gcp":
        ring = f"projects/{organization}/locations/{region}/keyRings/acme-ring"
        return f"{ring}/cryptoKeys/{kind}-key"
    return f"https://{organization}.vault.azure.net/keys/{kind}-{region}"


# --- fleets ---------------------------------------------------------------------------------------


class Shape(NamedTuple):
    """What databases of a fleet have in common."""

    tier: str
    provider: Provider
    regions: tuple[str, ...]


HEALTHY = (
    Shape("serverless", "aws", ("us-east-2",)),
    Shape("serverless", "aws", ("eu-west-1",)),
    Shape("serverless", "gcp", ("us-east1",)),
    Shape("C10", "aws", ("us-east-2",)),
    Shape("serverless", "aws", ("us-east-2", "eu-west-1")),
    Shape("serverless", "gcp", ("europe-west1",)),
    Shape("C10", "aws", ("us-west-2",)),
    Shape("serverless", "gcp", ("us-east1", "europe-west1")),
)
SMALL = (HEALTHY[0], HEALTHY[2], HEALTHY[3])
LARGE = tuple(shape for shape in HEALTHY if len(shape.regions) == 1)


def healthy_fleet() -> Fleet:
    """Return two organizations without any fault, of which the first fills more than a page."""
    return Fleet((_organization("acme-prod", HEALTHY, 105), _organization("acme-test", SMALL, 3)))


def large_fleet(organizations: int, databases: int) -> Fleet:
    """Return that many organizations without any fault, each with that many databases."""
    names = (f"acme-{number:04d}" for number in range(1, organizations + 1))
    return Fleet(tuple(_organization(name, LARGE, databases) for name in names))


def _organization(name: str, shapes: tuple[Shape, ...], count: int) -> FleetOrganization:
    databases = tuple(
        _database(name, number, shape)
        for number, shape in enumerate(islice(cycle(shapes), count), start=1)
    )
    return FleetOrganization(
        id=synthetic_uuid("organization", name),
        name=name,
        token=f"AstraCS:not-a-real-token:{name}",
        keys=_keys_for(name, databases),
        databases=databases,
    )


def _database(organization: str, number: int, shape: Shape) -> FleetDatabase:
    times = (CREATED_AT, SECOND_REGION_AT)
    return FleetDatabase(
        id=synthetic_uuid("database", organization, number),
        name=f"orders-{number:04d}",
        tier=shape.tier,
        provider=shape.provider,
        regions=tuple(map(FleetRegion, shape.regions, times)),
    )


def _keys_for(organization: str, databases: Iterable[FleetDatabase]) -> tuple[FleetKey, ...]:
    scopes = {
        (database.type, database.provider, region.name)
        for database in databases
        for region in database.regions
    }
    key_id = partial(synthetic_key_id, organization)
    return tuple(FleetKey(*scope, key_id(*scope)) for scope in sorted(scopes))


# --- the organizations file -----------------------------------------------------------------------


def organizations_data(fleet: Fleet, address: str, **policy: float) -> dict[str, Any]:
    """Return an organizations file for ``fleet``, with every attestation that a rule asks for."""
    data: dict[str, Any] = {"cmek-organizations": 1, "address": address}
    if policy:
        data["requests"] = dict(policy)
    return data | {
        "organizations": [organization_data(organization) for organization in fleet.organizations]
    }


def organization_data(organization: FleetOrganization) -> dict[str, Any]:
    """Return what an organizations file says of one organization."""
    data: dict[str, Any] = {
        "id": organization.id,
        "name": organization.name,
        "token": organization.variable,
        "plan": _attested(paid=True),
    }
    if any(key.provider == "azure" for key in organization.keys):
        data["azure_preview"] = _attested(granted=True)
    keys = [_attested_key(key) for key in organization.keys]
    return data | {"support_cases": [], "keys": keys, "databases": []}


def _attested_key(key: FleetKey) -> dict[str, Any]:
    return {
        "type": key.type,
        "provider": key.provider,
        "region": key.region,
        "key_id": key.key_id,
        "registered": {"at": REGISTERED_AT, "by": ATTESTED_BY, "on": ATTESTED_ON},
        "rotation": _attested(automatic=True),
        "usable": _attested(usable=True),
    }


def _attested(**said: object) -> dict[str, Any]:
    return {**said, "by": ATTESTED_BY, "on": ATTESTED_ON, "due": ATTESTED_UNTIL}
