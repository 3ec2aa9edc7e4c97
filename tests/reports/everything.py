"""A record of an audit that has something to say in every block, and the published schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from jsonschema import Draft202012Validator

from checks.engine.context import Context, utc
from checks.engine.outcome import Gate
from checks.engine.waivers import Waiver
from inventory.inventory import Inventory
from inventory.model.planned_keys import PlannedKey, UndeterminedKey
from inventory.model.terraform_managed import ManagedResources, UndeterminedDatabase
from reports.record import layout
from reports.record.layout import report_id
from reports.record.writer import GivenFile, InputFiles, Settings
from tests.builders import (
    AS_OF,
    CAPTURED_AT,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    a_planned_database,
    an_organization,
    aws_key_id,
    kms_facts,
    moment,
    uuid,
)
from tests.reports.comparing import PROTECTION, SECOND, entry, every_change
from tests.reports.live import recorded
from tests.reports.recording import SOURCE, a_finding, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.model.organization import Organization
    from tests.reports.recording import Record

    Schema = dict[str, Any]

SCHEMAS = Path(layout.__file__).parent / "schemas"
CAPTURED = utc(CAPTURED_AT)
LOOK = {"by": "acme-security", "on": "2026-11-01"}
FACTS = {
    "observed_at": CAPTURED,
    "enabled": True,
    "symmetric": True,
    "suitable": True,
    "region": "us-west-2",
    "granted_to_astra": True,
    "granted_to": ["999988887777"],
    "rotation_enabled": True,
    "state": "PendingDeletion",
    "kind": "SYMMETRIC_DEFAULT ENCRYPT_DECRYPT",
    "owner": "111122223333",
    "created_at": "2026-01-01T00:00:00Z",
    "rotation_days": 365,
    "next_rotation_at": "2027-01-01T00:00:00Z",
    "rotated_at": "2026-07-01T00:00:00Z",
    "last_used_at": "2026-11-19T00:00:00Z",
    "never_used": False,
    "deletion_at": "2026-12-01T00:00:00Z",
    "expires_at": "2026-12-31T00:00:00Z",
    "multi_region": False,
    "purge_protected": False,
    "recoverable_days": 7,
    "versions": [
        {
            "id": "1",
            "state": "DESTROY_SCHEDULED",
            "usable": False,
            "created_at": "2026-01-01T00:00:00Z",
            "destroy_at": "2026-12-01T00:00:00Z",
            "expires_at": "2026-12-31T00:00:00Z",
        },
        {"id": "2", "state": "ENABLED", "usable": True, "is_current": True},
    ],
    "grants": [
        {
            "id": "g-1",
            "grantee": "999988887777",
            "operations": ["Decrypt"],
            "issued_by": "999988887777",
            "created_at": "2026-05-01T00:00:00Z",
            "constrained": True,
        }
    ],
    "unread": [
        {
            "fact": "policy",
            "reason": "refused",
            "detail": "status 400",
            "permission": "kms:GetKeyPolicy",
        }
    ],
}
"""Every fact of a cloud that the record holds."""


def schema(name: str) -> Schema:
    """Return the published schema of a file of the record."""
    data: Schema = json.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    return data


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema(name), format_checker=Draft202012Validator.FORMAT_CHECKER)


# --- a record of everything -----------------------------------------------------------------------


def an_organization_with_everything() -> Organization:
    """Make an organization with keys and databases of every kind that files show."""
    return an_organization(
        keys=[
            a_key(registered={"at": "2026-05-01T00:00:00Z", "by": "acme-it", "on": "2026-05-01"}),
            a_key(region="us-west-2", kms=FACTS, portal={"status": "available", **LOOK}),
            a_key(region="eu-north-1"),
            a_key(region="eu-north-1", type="managed-clusters"),
        ],
        vendor_accounts=[
            {
                "type": "serverless",
                "provider": "aws",
                "region": "us-west-2",
                "account": "999988887777",
            }
        ],
        databases=[
            a_database(
                regions=[
                    {"name": "us-east-1", "portal": {"key": "customer", "key_id": "k", **LOOK}},
                    {"name": "us-east-2", "portal": {"key": "astra", **LOOK}},
                ]
            ),
            a_database(id=uuid(1), regions=["eu-north-1"]),
            a_database(id=uuid(2), regions=["eu-north-1"], type="managed-clusters"),
            a_database(id=uuid(3), status="TERMINATED"),
            a_planned_database(encryption="astra-provided", reason="a trial"),
        ],
    )


def an_organization_with_plans() -> Organization:
    """Make an organization of which a plan does not show all that it would change."""
    managed = ManagedResources(
        undetermined=(UndeterminedDatabase(name="late", missing="regions known only after apply"),),
        planned_keys=(
            PlannedKey(type="serverless", provider="aws", region="eu-west-1", missing="unknown"),
            PlannedKey(
                type="serverless",
                provider="aws",
                region="eu-west-3",
                key_id=aws_key_id("eu-west-3"),
                kms=kms_facts(),
            ),
        ),
        undetermined_keys=(UndeterminedKey(name="key", missing="region known only after apply"),),
    )
    return an_organization(id=uuid(77), name="acme-plans").with_managed(managed)


def record_of_everything(live: Path, folder: Path) -> Record:
    """Record an audit, whose bundle is recorded in ``live``, that fills every block."""
    bundle = Inventory([recorded(live).bundle])
    read = list(bundle.organizations())
    one = an_organization_with_everything()
    two = an_organization(id=OTHER_ORGANIZATION, keys=None, captured_at=None, plan=None)
    file = GivenFile("waivers.yaml", "0" * 64)
    given = InputFiles(
        waivers=(file,),
        controls=file._replace(path="controls.yaml"),
        baseline=file,
        history=(file,),
    )
    broken = a_finding("error", reason="check-broke", action="Report this")
    waived = a_finding("waived", region="eu-west-1", action="Register a key", waiver="W-1")
    aged = a_finding(change="new", since=CAPTURED, audits=1)
    made = record(
        folder,
        [broken, waived, aged],
        [*read, one, two, an_organization_with_plans()],
        Settings(Context(AS_OF), Gate(), "subject", given=given),
        [(_a_waiver(), "expiring")],
        [*bundle.sources, SOURCE],
    )
    trend = [entry(report="a"), entry(SECOND, "b", protection=PROTECTION)]
    head = made.head | {"changes": every_change(), "trend": trend}
    return made._replace(head=head | {"report": report_id(head)})


def _a_waiver() -> Waiver:
    return Waiver(
        id="W-1",
        rule="CMEK-01",
        subject="acme",
        cause="without-key",
        reason="a pilot",
        requested_by="acme-dev",
        approved_by="acme-security",
        requested_on=moment("2026-11-01").date(),
        approved_on=moment("2026-11-02").date(),
        expires_on=moment("2026-12-01").date(),
        compensating_control="none",
        ticket="ACME-1",
    )


# --- the schemas, compared with the types ---------------------------------------------------------

_SCALARS = {str: "string", int: "integer", bool: "boolean", float: "number"}


def differences(hint: Any, part: Schema, root: Schema, path: str = "") -> Iterator[str]:  # noqa: ANN401 (any type)
    """Yield in what a schema is not that of a type of the record.

    ``part`` is the schema of the type, and ``root`` the file in which it is.
    """
    part = _resolved(part, root)
    branches = _branches(part)
    takes_null, takes_none = any(map(_is_null, branches)), type(None) in get_args(hint)
    if takes_null is not takes_none:
        yield f"{path}: null is taken by one of the two only"
    if takes_none:
        [hint] = set(get_args(hint)) - {type(None)}
        if len(branches) > 1:
            [part] = [_resolved(branch, root) for branch in branches if not _is_null(branch)]
    yield from _differences(hint, part, root, path)


def _differences(hint: Any, part: Schema, root: Schema, path: str) -> Iterator[str]:  # noqa: ANN401 (any type)
    if is_typeddict(hint):
        yield from _fields(hint, part, root, path)
    elif get_origin(hint) is list and "prefixItems" not in part.get("items", {}):
        yield from differences(get_args(hint)[0], part.get("items", {}), root, f"{path}/[]")
    elif get_origin(hint) is dict:
        yield from _entries(hint, part, root, path)
    elif get_origin(hint) is Literal:
        values = set(part.get("enum", [part.get("const")])) - {""}
        if values != set(get_args(hint)) - {""}:
            yield f"{path}: the schema has {sorted(map(str, values))}"
    elif hint in _SCALARS and not _is_scalar(part, hint):
        yield f"{path}: the schema has no {_SCALARS[hint]}"


def _resolved(part: Schema, root: Schema) -> Schema:
    if "$ref" in part:
        found: Schema = root["$defs"][part["$ref"].rpartition("/")[2]]
        return found
    return part


def _branches(part: Schema) -> list[Schema]:
    branches: list[Schema] = part.get("oneOf") or part.get("anyOf") or [part]
    return branches


def _is_null(part: Schema) -> bool:
    kinds = part.get("type")
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def _is_scalar(part: Schema, hint: type) -> bool:
    kinds = part.get("type")
    if isinstance(kinds, list):
        return _SCALARS[hint] in kinds
    values = part.get("enum", [part.get("const")])
    return kinds == _SCALARS[hint] or all(type(value) is hint for value in values)


def _fields(hint: Any, part: Schema, root: Schema, path: str) -> Iterator[str]:  # noqa: ANN401 (a TypedDict)
    hints = get_type_hints(hint, include_extras=True)
    optional = {name for name, field in hints.items() if get_origin(field) is NotRequired}
    properties = part.get("properties", {})
    if part.get("additionalProperties") is not False:
        yield f"{path}: the schema is open to more fields"
    for name in sorted(hints.keys() ^ properties.keys()):
        yield f"{path}/{name}: only in {'the type' if name in hints else 'the schema'}"
    for name in sorted(set(part.get("required", ())) ^ (hints.keys() - optional)):
        yield f"{path}/{name}: required in one of the two only"
    for name in sorted(hints.keys() & properties.keys()):
        field = get_args(hints[name])[0] if name in optional else hints[name]
        yield from differences(field, properties[name], root, f"{path}/{name}")


def _entries(hint: Any, part: Schema, root: Schema, path: str) -> Iterator[str]:  # noqa: ANN401 (a dict's type)
    key, value = get_args(hint)
    properties = part.get("properties", {})
    if get_origin(key) is Literal and not (properties and properties.keys() <= set(get_args(key))):
        yield f"{path}: the schema has {sorted(properties)}"
    more = [*part.get("patternProperties", {}).values()]
    more += [part["additionalProperties"]] if part.get("additionalProperties") else []
    if not (properties or more):
        yield f"{path}: the schema has no entries"
    for each in [*properties.values(), *more]:
        yield from differences(value, each, root, f"{path}/*")
