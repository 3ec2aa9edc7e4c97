"""Attestations as interviews: who stated what, when, and until when it counts."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from reports.formats.oscal.attestations import attestation_observations
from reports.formats.oscal.parties import ATTESTER, by_party
from reports.formats.oscal.subjects import organization_uuid
from tests.reports.oscal_reading import property_of
from tests.reports.recording import record

if TYPE_CHECKING:
    from pathlib import Path

_ENTRY = {
    "organization": "acme-prod",
    "organization_id": "acme",
    "key": "arn:1",
    "database": "orders",
    "what": "rotation of the key",
    "statement": "rotates automatically",
    "by": "Ada Example",
    "on": "2026-11-01",
    "due": "2027-11-01",
    "current": True,
    "note": "Seen\nin person.",
}


@pytest.fixture
def head(tmp_path: Path) -> Any:  # noqa: ANN401 (tests change it as they like)
    return deepcopy(record(tmp_path).head)


def test_an_attestation_is_an_interview(head: Any) -> None:  # noqa: ANN401 (as above)
    """An attestation names who stated it, its day, and its last day."""
    head["attestations"] = [_ENTRY]
    (shown,) = attestation_observations(head)
    facts = {"what": "rotation of the key", "current": "yes", "organization": "acme"}
    facts |= {"key": "arn:1", "database": "orders"}
    assert {name: property_of(shown, name) for name in facts} == facts
    assert {name: field for name, field in shown.items() if name not in {"uuid", "props"}} == {
        "title": "Attestation, rotation of the key: acme-prod",
        "description": "rotates automatically",
        "methods": ["INTERVIEW"],
        "types": ["discovery"],
        "origins": by_party("Ada Example", ATTESTER),
        "subjects": [{"subject-uuid": organization_uuid("acme"), "type": "component"}],
        "collected": "2026-11-01T00:00:00Z",
        "expires": "2027-11-01T23:59:59Z",
        "remarks": "Seen\n\nin person.",
    }


def test_one_that_does_not_count_says_so(head: Any) -> None:  # noqa: ANN401 (as above)
    """An attestation that does not count now is history, and its title says so."""
    over = {"current": False, "due": None, "note": None, "organization_id": "", "on": "0001-01-01"}
    head["attestations"] = [_ENTRY | over]
    (shown,) = attestation_observations(head)
    assert shown["title"] == "Attestation, rotation of the key, does not count now: acme-prod"
    assert (shown["types"], property_of(shown, "current")) == (["historic"], "no")
    assert shown["collected"] == head["settings"]["as_of"]
    assert shown.keys().isdisjoint({"expires", "remarks", "subjects"})


def test_attestations_that_are_alike_stay_two(head: Any) -> None:  # noqa: ANN401 (as above)
    """Two attestations in the same words are two observations."""
    head["attestations"] = [_ENTRY, _ENTRY]
    assert len({shown["uuid"] for shown in attestation_observations(head)}) == 2
