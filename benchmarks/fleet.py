"""Makes synthetic inventories in NDJSON, of any size, compliant or failing."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAPTURED_AT = "2026-11-20T02:00:00Z"
AS_OF = "2026-11-21T00:00:00Z"
REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1")
_NAMESPACE = uuid.UUID("00000000-0000-0000-0000-00000000c0de")
_ATTESTED = {"by": "Ada Example", "on": "2026-11-01"}


def write_fleet(path: Path, organizations: int, databases: int, *, failing: int = 0) -> None:
    """Write a fleet of ``organizations`` with ``databases`` each.

    One of ``failing`` organizations fails, beginning with the first; none by default. In it every
    key is registered after the databases.
    """
    with path.open("w", encoding="ascii") as file:
        for line in _lines(organizations, databases, failing):
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


def _lines(organizations: int, databases: int, failing: int) -> Iterator[dict[str, Any]]:
    yield {"kind": "inventory", "cmek-inventory": 1, "captured_at": CAPTURED_AT}
    regions = REGIONS[: max(1, min(len(REGIONS), databases))]
    for number in range(organizations):
        yield _organization(number)
        compliant = not failing or number % failing != 0
        for region in regions:
            yield _key(number, region, compliant=compliant)
        for index in range(databases):
            yield _database(number, index, regions[index % len(regions)])
    yield {
        "kind": "end",
        "organizations": organizations,
        "keys": organizations * len(regions),
        "databases": organizations * databases,
    }


def _id(*parts: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))


def _organization(number: int) -> dict[str, Any]:
    return {
        "kind": "organization",
        "id": _id("organization", number),
        "name": f"example-{number:04d}",
        "plan": {"paid": True, "name": "Enterprise", **_ATTESTED},
    }


def _key(number: int, region: str, *, compliant: bool) -> dict[str, Any]:
    registered = "2025-01-01T00:00:00Z" if compliant else "2026-10-01T00:00:00Z"
    return {
        "kind": "key",
        "type": "serverless",
        "provider": "aws",
        "region": region,
        "key_id": f"arn:aws:kms:{region}:{number:012d}:key/{_id('key', number, region)}",
        "registered": {"at": registered, **_ATTESTED},
        "rotation": {"automatic": compliant, **_ATTESTED},
        "usable": {"usable": compliant, **_ATTESTED},
    }


def _database(number: int, index: int, region: str) -> dict[str, Any]:
    return {
        "kind": "database",
        "id": _id("database", number, index),
        "name": f"orders-{index:05d}",
        "type": "serverless",
        "provider": "aws",
        "status": "ACTIVE",
        "created_at": "2026-02-03T04:05:06Z",
        "regions": [{"name": region, "added_at": "2026-02-03T04:05:06Z"}],
    }
