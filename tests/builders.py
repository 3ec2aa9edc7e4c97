"""Small, synthetic inventories for the tests of every folder; all in memory unless written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml

from inventory.model.database import Database
from inventory.model.key import CustomerKey, RegionView, SupportCase
from inventory.model.kms import KmsFacts
from inventory.model.organization import Organization
from inventory.model.vocabulary import canonical_provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def moment(text: str) -> datetime:
    """Read a time; one without a zone is meant in UTC, and a bare day means its midnight."""
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


CAPTURED_AT = moment("2026-11-20T02:00:00Z")
AS_OF = moment("2026-11-21T02:00:00Z")

ORGANIZATION = "00000000-0000-4000-8000-000000000001"
OTHER_ORGANIZATION = "00000000-0000-4000-8000-000000000002"
DATABASE = "00000000-0000-4000-8000-0000000000d1"
OTHER_DATABASE = "00000000-0000-4000-8000-0000000000d2"
ACCOUNT = "111122223333"


def uuid(number: int) -> str:
    """Return a synthetic id: the same number, the same id."""
    return f"00000000-0000-4000-8000-{number:012x}"


def aws_key_id(region: str = "us-east-1", number: int = 1) -> str:
    """Return the ARN of a synthetic AWS key."""
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{uuid(number)}"


def gcp_key_id(region: str = "us-east1", name: str = "acme-key", version: int = 0) -> str:
    """Return the resource name of a synthetic Google key, with a version if there is one."""
    key = f"projects/acme-prod/locations/{region}/keyRings/acme-ring/cryptoKeys/{name}"
    return f"{key}/cryptoKeyVersions/{version}" if version else key


def azure_key_id(name: str = "acme-key", version: str = "") -> str:
    """Return the identifier of a synthetic Azure key, with a version if there is one."""
    key = f"https://acme-vault.vault.azure.net/keys/{name}"
    return f"{key}/{version}" if version else key


def key_id_for(provider: str, region: str) -> str:
    """Return a synthetic key id that belongs to ``provider`` and ``region``."""
    own = {"aws": aws_key_id(region), "gcp": gcp_key_id(region), "azure": azure_key_id()}
    return own[str(canonical_provider(provider))]


# --- plain data, as files hold it -----------------------------------------------------------------


def key_data(**over: object) -> dict[str, Any]:
    """Return a customer key for serverless/aws/us-east-1; its id follows provider and region."""
    place = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    data: dict[str, Any] = place | over
    return {"key_id": key_id_for(data["provider"], data["region"])} | data


def database_data(**over: object) -> dict[str, Any]:
    """Return an existing database in serverless/aws/us-east-1, created and added on 2026-06-01.

    ``regions`` may be given as plain names: they get the default ``added_at``.
    """
    data: dict[str, Any] = {
        "id": DATABASE,
        "name": "acme-orders",
        "type": "serverless",
        "provider": "aws",
        "regions": ["us-east-1"],
        "created_at": "2026-06-01T00:00:00Z",
    }
    data |= over
    data["regions"] = [
        {"name": region, "added_at": "2026-06-01T00:00:00Z"} if isinstance(region, str) else region
        for region in data["regions"]
    ]
    return data


def planned_data(**over: object) -> dict[str, Any]:
    """Return a planned database in serverless/aws/us-east-1: no id, no times."""
    data: dict[str, Any] = {
        "name": "acme-planned",
        "type": "serverless",
        "provider": "aws",
        "regions": ["us-east-1"],
        "state": "planned",
    }
    data |= over
    data["regions"] = [
        {"name": region} if isinstance(region, str) else region for region in data["regions"]
    ]
    return data


def organization_data(**over: object) -> dict[str, Any]:
    """Return an organization with one key, one database in its scope, and an attested plan."""
    return {
        "id": ORGANIZATION,
        "name": "acme-prod",
        "plan": {"paid": True, "name": "Enterprise", "by": "acme-security", "on": "2026-11-01"},
        "keys": [key_data()],
        "databases": [database_data()],
    } | over


def document_data(*organizations: Mapping[str, Any], **over: object) -> dict[str, Any]:
    """Return a whole inventory document; with one whole organization if none is given."""
    listed = [dict(organization) for organization in organizations] or [organization_data()]
    head = {"cmek-inventory": 1, "captured_at": "2026-11-20T02:00:00Z"}
    return head | {"organizations": listed} | over


def plan_data(*databases: Mapping[str, Any], organization: str = ORGANIZATION) -> dict[str, Any]:
    """Return a plan document for one organization; with one planned database if none is given."""
    listed = [dict(database) for database in databases] or [planned_data()]
    return {"cmek-plan": 1, "organizations": [{"id": organization, "databases": listed}]}


# --- frozen models, in memory ---------------------------------------------------------------------


def a_key(**over: object) -> CustomerKey:
    """Make a customer key for serverless/aws/us-east-1; its id follows provider and region."""
    return CustomerKey.model_validate(key_data(**over))


def a_database(**over: object) -> Database:
    """Make an existing database in serverless/aws/us-east-1, added on 2026-06-01."""
    return Database.model_validate(database_data(**over))


def a_planned_database(**over: object) -> Database:
    """Make a planned database in serverless/aws/us-east-1."""
    return Database.model_validate(planned_data(**over))


def a_view(**over: object) -> RegionView:
    """Make a region view of serverless/aws/us-east-1 that shows the key of ``a_key``."""
    return RegionView.model_validate(key_data(**over))


def a_support_case(**over: object) -> SupportCase:
    """Make a support case for serverless/aws/us-east-1."""
    data = {"type": "serverless", "provider": "aws", "region": "us-east-1"}
    case = {"ticket": "TS000000001", "by": "acme-security", "on": "2026-08-01"}
    return SupportCase.model_validate(data | case | over)


def cloud_key_data(**over: object) -> dict[str, Any]:
    """Return what a cloud showed of the key of ``a_key``, as data."""
    facts = {"observed_at": "2026-11-20T01:00:00Z", "enabled": True}
    return {"key_id": aws_key_id(), "facts": facts, "requests": 1} | over


def kms_facts(**over: object) -> KmsFacts:
    """Make facts of a key's management that find nothing wrong, seen at CAPTURED_AT."""
    facts = {
        "observed_at": CAPTURED_AT,
        "enabled": True,
        "symmetric": True,
        "region": "us-east-1",
        "granted_to_astra": True,
        "rotation_enabled": True,
    }
    return KmsFacts.model_validate(facts | over)


def an_organization(**over: object) -> Organization:
    """Make a whole, fresh organization: one key, one database in its scope, the plan attested.

    Lists may hold models or plain data.
    """
    data = {"captured_at": CAPTURED_AT, "region_views": None} | organization_data(**over)
    return Organization.model_validate(data)


# --- files ----------------------------------------------------------------------------------------


def write_text(path: Path, text: str) -> str:
    """Write ``text`` as it stands, in UTF-8, and return the path as text."""
    path.write_bytes(text.encode())
    return str(path)


def write_yaml(path: Path, data: object) -> str:
    """Write ``data`` as YAML and return the path as text."""
    return write_text(path, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def write_json(path: Path, data: object) -> str:
    """Write ``data`` as JSON and return the path as text."""
    return write_text(path, json.dumps(data, indent=2))


def write_ndjson(path: Path, lines: Iterable[Mapping[str, Any]]) -> str:
    """Write one JSON object a line and return the path as text."""
    return write_text(path, ndjson_text(lines))


def ndjson_text(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return ``lines`` as the machine writes them: compact, one a line."""
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def ndjson_lines(*organizations: Mapping[str, Any], **head: object) -> list[dict[str, Any]]:
    """Return the lines of a whole NDJSON file that holds ``organizations`` (plain data)."""
    counts = {"organizations": 0, "keys": 0, "databases": 0, "region_views": 0}
    lines: list[dict[str, Any]] = [
        {"kind": "inventory", "cmek-inventory": 1, "captured_at": "2026-11-20T02:00:00Z"} | head
    ]
    kinds = {
        "keys": "key",
        "databases": "database",
        "region_views": "region-view",
        "vendor_accounts": "vendor-account",
        "cloud_keys": "cloud-key",
        "support_cases": "support-case",
        "readings": "reading",
    }
    for organization in organizations or [organization_data()]:
        own = {name: value for name, value in organization.items() if name not in kinds}
        lines.append({"kind": "organization"} | own)
        counts["organizations"] += 1
        for name, kind in kinds.items():
            entries = [{"kind": kind} | dict(entry) for entry in organization.get(name) or ()]
            lines += entries
            if name in counts:
                counts[name] += len(entries)
    return [*lines, {"kind": "end"} | counts]
