"""What the interface shows of an organization, in the vendor's own shapes, encoded once."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.astra.exchange import encoded
from tests.astra.fleet import synthetic_uuid

if TYPE_CHECKING:
    from tests.astra.fleet import (
        DatabaseType,
        FleetDatabase,
        FleetKey,
        FleetOrganization,
        FleetRegion,
    )

NEVER = "0001-01-01T00:00:00Z"
VENDOR_ACCOUNTS = {
    "aws": "arn:aws:iam::444455556666:root",
    "gcp": "astra-not-a-real-project",
    "azure": "00000000-0000-4000-8000-0000000000aa",
}
_BUNDLES = {
    "secureBundleUrl": "secure-connect",
    "secureBundleInternalUrl": "secure-connect-internal",
    "secureBundleMigrationProxyUrl": "secure-connect-proxy",
    "secureBundleMigrationProxyInternalUrl": "secure-connect-proxy-internal",
}
_SIGNATURE = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=NOT-A-REAL-CREDENTIAL%2F20261101%2F"
    "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261101T000000Z&X-Amz-Expires=300"
    "&X-Amz-SignedHeaders=host&X-Amz-Signature=" + "deadbeef" * 8
)


class Selection(NamedTuple):
    """Databases in the order of their ids: the ids, and the encoded databases."""

    ids: tuple[str, ...]
    entries: tuple[bytes, ...]


class OrganizationBodies:
    """The bodies of all right answers to one organization."""

    def __init__(self, organization: FleetOrganization) -> None:
        self.organization = organization
        self.token = organization.token
        self.current = encoded({"id": organization.id, "name": organization.name})
        self.databases = {
            database.id: (database, encoded(database_content(organization, database)))
            for database in sorted(organization.databases, key=lambda database: database.id)
        }
        self.views: dict[tuple[str, str, str], bytes] = {
            (key.type, key.provider, key.region): encoded(view_content(organization, key))
            for key in organization.keys
        }
        self.selected = lru_cache(self._selected)

    @cached_property
    def keys(self) -> dict[DatabaseType, tuple[bytes, ...]]:
        def listed(kind: DatabaseType) -> tuple[bytes, ...]:
            own = (key for key in self.organization.keys if key.type == kind)
            return tuple(encoded(key_content(self.organization, key)) for key in own)

        return {"serverless": listed("serverless"), "managed-clusters": listed("managed-clusters")}

    def _selected(self, include: str, provider: str) -> Selection:
        chosen = {
            database.id: body
            for database, body in self.databases.values()
            if _is_included(database, include) and provider.lower() in {"all", database.provider}
        }
        return Selection(tuple(chosen), tuple(chosen.values()))


def _is_included(database: FleetDatabase, include: str) -> bool:
    if include == "nonterminated":
        return database.status != "TERMINATED"
    return include in {"all", database.status.lower()}


# --- the shapes -----------------------------------------------------------------------------------


def key_content(organization: FleetOrganization, key: FleetKey) -> dict[str, Any]:
    """Return a key as the lists show it."""
    return {
        "OrganizationID": organization.id,
        "CloudProvider": key.provider,
        "KeyID": key.key_id,
        "Region": key.region,
    }


def view_content(organization: FleetOrganization, key: FleetKey) -> dict[str, Any]:
    """Return a key as the call for one region shows it."""
    own = {"keyID": key.key_id, "region": key.region}
    return {"orgId": organization.id, key.provider: own}


def account_content(organization: FleetOrganization, provider: str) -> dict[str, Any]:
    """Return the vendor's account of a provider, to which a key must be granted."""
    account = VENDOR_ACCOUNTS[provider]
    return {"organization_id": organization.id, "provider_id": account, "provider": provider}


def database_content(organization: FleetOrganization, database: FleetDatabase) -> dict[str, Any]:
    """Return a database as the list shows it."""
    created = database.regions[0].date_created
    ended = "2026-09-01T00:00:00Z" if database.status == "TERMINATED" else NEVER
    return {
        "id": database.id,
        "orgId": organization.id,
        "ownerId": synthetic_uuid("user", organization.name),
        "info": _info(database),
        "creationTime": created,
        "lastUsageTime": "2026-10-31T12:00:00Z",
        "terminationTime": ended,
        "status": database.status,
        "observedStatus": database.status,
        **_links(database),
        **_figures(),
    }


def _info(database: FleetDatabase) -> dict[str, Any]:
    numbered = enumerate(database.regions, start=1)
    vector = {"dbType": "vector"} if database.tier == "serverless" else {}
    return {
        "name": database.name,
        "keyspace": "default_keyspace",
        "keyspaces": ["default_keyspace"],
        "cloudProvider": database.provider.upper(),
        "tier": database.tier,
        "capacityUnits": 1,
        "region": database.regions[0].name,
        **vector,
        "datacenters": [_datacenter(database, number, region) for number, region in numbered],
    }


def _datacenter(database: FleetDatabase, number: int, region: FleetRegion) -> dict[str, Any]:
    own = f"{database.id}-{number}"
    bundles = {
        name: f"https://bundles.example.invalid/{own}/{file}.zip?{_SIGNATURE}"
        for name, file in _BUNDLES.items()
    }
    return {
        "id": own,
        "name": f"dc-{number}",
        "tier": database.tier,
        "status": "",
        "dateCreated": region.date_created,
        "cloudProvider": database.provider.upper(),
        "region": region.name,
        "regionZone": "na",
        "regionClassification": "standard",
        "capacityUnits": 1,
        "isPrimary": number == 1,
        **bundles,
    }


def _links(database: FleetDatabase) -> dict[str, str]:
    host = f"{database.id}-{database.regions[0].name}.apps.example.invalid"
    return {
        "studioUrl": f"https://{host}/studio",
        "grafanaUrl": f"https://{host}/d/cloud/dse-cluster-condensed?refresh=30s",
        "cqlshUrl": f"https://{host}/cqlsh",
        "graphqlUrl": f"https://{host}/api/graphql",
        "dataEndpointUrl": f"https://{host}/api/rest",
    }


def _figures() -> dict[str, Any]:
    storage = ("nodeCount", "replicationFactor", "totalStorage", "usedStorage", "displayStorage")
    cost = ("Cents", "CentsParked", "CentsMTD", "CentsLastMonth")
    spans = ("Min", "Hour", "Day", "Month")
    metrics = ("errorsTotalCount", "liveDataSizeBytes", "readRequestsTotalCount")
    return {
        "storage": dict.fromkeys(storage, 3),
        "cost": {f"costPer{span}{unit}": 0 for span in spans for unit in cost},
        "metrics": dict.fromkeys(metrics, 0),
        "availableActions": ["getCreds", "resetPassword", "terminate", "addDatacenters"],
        "message": "",
    }
