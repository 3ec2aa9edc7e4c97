"""The numbers of protected databases in a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.model.protection import Protection
from tests.builders import a_key, a_planned_database, an_organization
from tests.reports.recording import record

if TYPE_CHECKING:
    from pathlib import Path


def test_the_head_adds_up_its_organizations(tmp_path: Path) -> None:
    """A record has every number of the whole, and the same numbers of each organization."""
    databases = [
        a_planned_database(),
        a_planned_database(name="acme-trial", encryption="astra-provided", reason="a trial"),
    ]
    organization = an_organization(keys=[a_key(kms=None)], databases=databases)
    head = record(tmp_path, organizations=[organization]).head
    numbers = {
        "protected": 0,
        "unprotected": 0,
        "unproven": 1,
        "astra_provided": 1,
        "waived": 0,
    }
    assert tuple(numbers) == tuple(Protection.__annotations__)
    assert (head["protection"], head["coverage"][0]["protection"]) == (numbers, numbers)
