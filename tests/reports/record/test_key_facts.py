"""What the record holds of a key's cloud, and of looks at the portal."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from inventory.model.attestations import PortalKey, PortalRegion
from inventory.model.kms import KmsFact, KmsFacts
from reports.model.cloud_record import CloudRecord, DeadVersion
from reports.record.key_facts import (
    MOST_VERSIONS,
    PLAIN,
    cloud_record,
    portal_of_key,
    portal_of_region,
)
from reports.record.key_users import MOST_USERS
from tests.builders import kms_facts

SEEN = {"observed_at": "2026-11-20T02:00:00Z"}
LOOK = {"by": "acme-security", "on": "2026-11-01"}
VENDOR = "999988887777"


def _record(**facts: object) -> Any:  # noqa: ANN401 (a part of the record)
    return cloud_record(KmsFacts.model_validate({**SEEN, **facts}), {VENDOR})


def test_every_fact_is_recorded() -> None:
    """No fact of the model is forgotten: it is recorded as it is, or has an entry of its own."""
    with_entries = {"versions", "policy", "grants", "bindings", "granted_to", "unread"}
    assert set(KmsFacts.model_fields) == {*PLAIN, *with_entries, "aliases"}
    assert set(PLAIN) <= set(get_type_hints(CloudRecord))


def test_facts_are_recorded_as_they_are() -> None:
    """Facts that are False or zero are known, and those that are None are not recorded."""
    facts = {
        "state": "PendingDeletion",
        "enabled": False,
        "recoverable_days": 0,
        "deletion_at": "2026-12-01T01:00:00+01:00",
    }
    assert _record(**facts) == {**SEEN, **facts, "deletion_at": "2026-12-01T00:00:00Z"}
    assert _record() == SEEN


def test_versions_are_counted_and_those_not_alive_are_named() -> None:
    """A version that cannot decrypt, or will be destroyed, is named; the others are counted."""
    alive = {"id": "1", "state": "ENABLED", "usable": True}
    dead = {"id": "2", "state": "DISABLED", "usable": False, "created_at": SEEN["observed_at"]}
    doomed = alive | {"id": "3", "destroy_at": "2026-12-01T00:00:00Z"}
    record = _record(versions=[alive, dead, doomed])
    assert (record["versions"], record["dead_versions_total"]) == (3, 2)
    assert record["dead_versions"] == [
        {"id": "2", "state": "DISABLED", "created_at": "2026-11-20T02:00:00Z"},
        {"id": "3", "state": "ENABLED", "destroy_at": "2026-12-01T00:00:00Z"},
    ]
    assert _record(versions=[alive]) == {**SEEN, "versions": 1}
    assert {*record["dead_versions"][0]} <= set(get_type_hints(DeadVersion))


def test_long_lists_are_cut_and_counted() -> None:
    """Of hundreds of versions and users the first ones are recorded, and all are counted."""
    versions = [{"id": str(n), "state": "DESTROYED", "usable": False} for n in range(50)]
    record = _record(versions=versions, granted_to=[str(number) for number in range(50)])
    assert (len(record["dead_versions"]), record["dead_versions_total"]) == (MOST_VERSIONS, 50)
    assert (len(record["users"]), record["users_total"]) == (MOST_USERS, 50)


def test_nobody_is_something_that_is_known() -> None:
    """An empty list of users was read, and no list was not."""
    assert _record(grants=[]) == {**SEEN, "users": [], "users_total": 0}


@pytest.mark.parametrize(
    ("issued", "expected"),
    [
        ([], None),
        ([None], None),
        (["111122223333"], None),
        ([VENDOR], {"number": 1, "first": "2026-05-01T00:00:00Z", "last": "2026-05-01T00:00:00Z"}),
        (
            [VENDOR, None, VENDOR],
            {"number": 2, "first": "2026-05-01T00:00:00Z", "last": "2026-05-03T00:00:00Z"},
        ),
    ],
)
def test_grants_of_the_vendor_are_summed(issued: list[str | None], expected: object) -> None:
    """Grants that an account of the vendor issued are counted; those of anybody else are not."""
    grants = [
        {
            "id": str(number),
            "grantee": VENDOR,
            "operations": ("Decrypt",),
            "issued_by": account,
            "created_at": f"2026-05-0{number}T00:00:00Z",
        }
        for number, account in enumerate(issued, 1)
    ]
    assert _record(grants=grants).get("vendor_grants") == expected


def test_a_grant_without_a_time_is_counted() -> None:
    """A grant of which it is not shown when it was issued is a grant all the same."""
    grant = {"id": "g", "grantee": VENDOR, "operations": (), "issued_by": VENDOR}
    assert _record(grants=[grant])["vendor_grants"] == {"number": 1}


def test_what_could_not_be_read_is_recorded_with_its_reason() -> None:
    """Each fact that was refused has its reason, and the permission that is missing."""
    gaps = [
        {"fact": "grants", "reason": "refused", "detail": "403", "permission": "kms:ListGrants"},
        {"fact": "policy", "reason": "not-requested"},
    ]
    assert _record(unread=gaps)["unread"] == gaps
    assert {gap["fact"] for gap in gaps} <= set(get_args(KmsFact))


def test_looks_at_the_portal_have_their_last_day() -> None:
    """A look at a key or a region names who looked and when, and until when it counts."""
    key = PortalKey.model_validate({"status": "in-use", **LOOK})
    region = PortalRegion.model_validate({"key": "astra", **LOOK, "due": "2026-12-01"})
    assert portal_of_key(key) == {"status": "in-use", **LOOK, "due": "2027-11-01"}
    assert portal_of_region(region) == {"key": "astra", **LOOK, "due": "2026-12-01"}
    named = PortalRegion.model_validate({"key": "customer", "key_id": "k", **LOOK})
    assert portal_of_region(named)["key_id"] == "k"


def test_facts_of_a_file_are_facts() -> None:
    """What a file states of a key is recorded like what a cloud answered."""
    assert cloud_record(kms_facts(granted_to=["a"]))["users_total"] == 1
