"""What a cloud and the portal show of a key, as the record holds it: types, schema, and lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_type_hints

import pytest

from reports.model.cloud_record import CloudRecord, PortalKeyRecord, PortalRegionRecord
from tests.reports.everything import differences, record_of_everything, schema, validator

if TYPE_CHECKING:
    from pathlib import Path

POPULATION = schema("population")
DEFINITIONS = POPULATION["$defs"]
SCHEMAS = {
    CloudRecord: DEFINITIONS["cloud"],
    PortalKeyRecord: DEFINITIONS["key"]["properties"]["portal"],
    PortalRegionRecord: DEFINITIONS["database"]["properties"]["regions"]["items"]["properties"][
        "portal"
    ],
}


@pytest.mark.parametrize("hint", SCHEMAS, ids=lambda hint: hint.__name__)
def test_the_schema_is_that_of_the_type(hint: type) -> None:
    """Every fact has in the schema the type that it has in code, and no other."""
    assert list(differences(hint, SCHEMAS[hint], POPULATION)) == []


def test_every_fact_is_in_a_record(tmp_path: Path) -> None:
    """A record of everything holds each fact of a cloud, and is valid by the schema."""
    (tmp_path / "record").mkdir()
    made = record_of_everything(tmp_path, tmp_path / "record")
    lines = [json.loads(line) for line in made.population.splitlines()]
    check = validator("population")
    assert [error.message for line in lines for error in check.iter_errors(line)] == []
    clouds = [line["cloud"] for line in lines if "cloud" in line]
    assert set().union(*clouds) == set(get_type_hints(CloudRecord))
