"""What tests of clusters read: two organizations of a server on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inventory.astra.collector import split_into_jobs
from inventory.astra.config import Organizations
from inventory.evidence.reader import open_bundle
from tests.astra.fleet import healthy_fleet, organizations_data

if TYPE_CHECKING:
    from pathlib import Path

    from inventory.astra.worker import WorkerJob
    from inventory.model.organization import Organization

FLEET = healthy_fleet()
FULL, SMALL = FLEET.organizations
POLICY = {"first_wait_seconds": 0.0, "attempts": 2, "timeout_seconds": 30.0}


def configuration(address: str, **policy: float) -> Organizations:
    return Organizations.model_validate(organizations_data(FLEET, address, **POLICY | policy))


def job_of(address: str, folder: Path, **policy: float) -> WorkerJob:
    """Return the job of reading both organizations."""
    (job,) = split_into_jobs(configuration(address, **policy), folder)
    return job


def read(bundle: str) -> list[Organization]:
    return list(open_bundle(bundle).organizations())


def content(bundle: str) -> list[dict[str, Any]]:
    """Return the organizations without what differs from run to run: when and how it was read."""
    found = [one.model_dump(exclude={"readings", "captured_at"}) for one in read(bundle)]
    for one in found:
        for name in ("keys", "databases", "region_views", "vendor_accounts"):
            for entry in one[name]:
                del entry["seen"]  # the line of the answer, and answers come in any order
    return found


def reasons(bundle: str) -> dict[str, set[str]]:
    """Return why something of each organization is missing."""
    return {one.name: {gap.reason for gap in one.gaps} for one in read(bundle)}
