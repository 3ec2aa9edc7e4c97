"""The table of keys: every key with all that is known of it, and why the rest is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from reports.model.cloud_record import CloudRecord, PortalKeyRecord, VendorGrants
from reports.model.population_record import KeyLine
from reports.tables.cells import harmless, shown
from reports.tables.keys import KEYS
from tests.builders import an_organization
from tests.reports.everything import record_of_everything
from tests.reports.recording import record
from tests.reports.tables.reading import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reports.recording import Record

RENAMED = {"organization": "organization_id", "path": "subject", "missing": "not_known"}
IN_PARTS = {"kind", "portal", "cloud"}
"""Fields without a column of their own: the kind of the line, and what has several columns."""

AS_TEXT = {"replaced", "expiries", "missing"}
CLOUD_IN_PARTS = {"vendor_grants", "unread"}
CLOUD_AS_TEXT = {"dead_versions", "users"}

HEAD: Any = {"population": {"organizations": []}, "settings": {"kms": "recorded"}}
OWNER = b'{"kind":"organization","id":"o","name":"acme"}'


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record an audit that fills every field."""
    return record_of_everything(tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("record"))


def _row(kms: str = "recorded", **fields: object) -> dict[str, Any]:
    """Return the row of a registered key with these fields."""
    line = {"kind": "key", "state": "registered", "path": "o/key", **fields}
    encoded = json.dumps(line, separators=(",", ":")).encode()
    head = HEAD | {"settings": {"kms": kms}}
    [row] = rows_of(KEYS, head, population=[OWNER, encoded])
    return row


def test_every_field_has_its_column() -> None:
    """The table has a column for each field of a key, of its cloud and of the portal."""
    own = {RENAMED.get(name, name) for name in get_type_hints(KeyLine)} - IN_PARTS
    cloud = {f"cloud_{name}" for name in set(get_type_hints(CloudRecord)) - CLOUD_IN_PARTS}
    portal = {f"portal_{name}" for name in get_type_hints(PortalKeyRecord)}
    grants = {f"vendor_grants_{name}" for name in get_type_hints(VendorGrants)}
    # The name of the organization has the column of that name.
    assert set(KEYS.header) == own | cloud | portal | grants | {"organization"}


def test_every_key_is_a_row(everything: Record) -> None:
    """Each key of the population is a row with the same values, in the same order."""
    population = everything.population.splitlines(keepends=True)
    lines = [line for line in map(json.loads, population) if line["kind"] == "key"]
    rows = [
        row
        for row in rows_of(KEYS, everything.head, population=population)
        if row["state"] != "not-read"
    ]
    assert len(rows) == len(lines) > 5
    for line, row in zip(lines, rows, strict=True):
        expected = _expected(line)
        assert {name: row[name] for name in expected} == expected


def _expected(line: dict[str, Any]) -> dict[str, Any]:
    """Return the cells of the fields that are single values."""
    cloud, portal = line.get("cloud", {}), line.get("portal", {})
    fields = {
        RENAMED.get(name, name): value
        for name, value in line.items()
        if name not in IN_PARTS | AS_TEXT
    }
    for name, value in cloud.items():
        if name not in CLOUD_IN_PARTS | CLOUD_AS_TEXT:
            fields[f"cloud_{name}"] = value
    for name, value in cloud.get("vendor_grants", {}).items():
        fields[f"vendor_grants_{name}"] = value
    fields |= {f"portal_{name}": value for name, value in portal.items()}
    return {name: harmless(shown(value)) for name, value in fields.items() if value != ""}


def test_lists_are_text(everything: Record) -> None:
    """What a cloud lists of a key is text: versions, users, and until when attestations count."""
    population = everything.population.splitlines(keepends=True)
    rows = rows_of(KEYS, everything.head, population=population)
    [row] = [row for row in rows if row.get("cloud_dead_versions")]
    assert row["cloud_dead_versions"] == (
        "1 (DESTROY_SCHEDULED, created 2026-01-01T00:00:00Z, destroyed 2026-12-01T00:00:00Z, "
        "expires 2026-12-31T00:00:00Z)"
    )
    assert "allow 999988887777: Decrypt (grant, limited)" in row["cloud_users"]
    assert row["expiries"].startswith("what the portal showed of it: ")
    assert row["not_known"] == (
        "registered: nobody states it; policy: refused (status 400, needs kms:GetKeyPolicy)"
    )


def test_replaced_keys_are_text() -> None:
    """The keys that a key replaced are listed with their times and cases."""
    times = {"first_seen": "2025-01-01", "not_before": "2024-12-31", "last_seen": "2025-02-01"}
    known = {"key_id": "k1", **times, "cases": ["C-1"]}
    several = {"last_seen": "2024-02-01", "cases": []}
    assert _row(replaced=[known, several])["replaced"] == (
        "k1 (first seen 2025-01-01, not before 2024-12-31, last seen 2025-02-01, case C-1); "
        "one of several keys (last seen 2024-02-01)"
    )


def test_versions_and_users_may_lack_details() -> None:
    """A version without times, and a user without conditions, are listed all the same."""
    cloud = {
        "observed_at": "2026-11-20",
        "dead_versions": [{"id": "1", "state": "DISABLED"}],
        "users": [{"via": "policy", "effect": "allow", "who": "*", "what": "kms:*"}],
        "unread": [{"fact": "grants", "reason": "timed-out"}],
    }
    row = _row(registered="2025-01-01", cloud=cloud)
    assert row["cloud_dead_versions"] == "1 (DISABLED)"
    assert row["cloud_users"] == "allow *: kms:* (policy)"
    assert row["not_known"] == "grants: timed-out"


@pytest.mark.parametrize(
    ("kms", "why"), [("none", "cloud: not asked"), ("recorded", "cloud: nothing is recorded")]
)
def test_a_key_without_facts_of_its_cloud_says_why(kms: str, why: str) -> None:
    """Empty cells of a cloud are explained: it was not asked, or nothing is recorded."""
    assert _row(kms, registered="2025-01-01")["not_known"] == why


def test_a_planned_key_is_not_expected_to_be_registered() -> None:
    """Of a planned key it is said what the plan does not show, and nothing of a registration."""
    row = _row(state="planned", missing="id known only after apply")
    assert row["not_known"] == "id known only after apply; cloud: nothing is recorded"


def test_a_list_that_could_not_be_read_is_a_row(tmp_path: Path) -> None:
    """Keys that nobody could list do not read as no keys: a row says which, and why."""
    made = record(tmp_path, organizations=[an_organization(keys=None, databases=None)])
    rows = rows_of(KEYS, made.head, population=made.population.splitlines())
    why = "not-recorded (the record has no such list)"
    assert [(row["state"], row["type"], row["not_known"]) for row in rows] == [
        ("not-read", "serverless", f"serverless-keys: {why}"),
        ("not-read", "managed-clusters", f"managed-clusters-keys: {why}"),
    ]
