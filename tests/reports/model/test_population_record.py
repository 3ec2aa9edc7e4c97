"""What was judged, as the record holds it: its types, its schema, and what an audit writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import pytest

from reports.model.population_record import (
    DatabaseLine,
    KeyLine,
    OrganizationLine,
    PopulationLine,
)
from tests.reports.everything import differences, record_of_everything, schema, validator

if TYPE_CHECKING:
    from pathlib import Path

POPULATION = schema("population")
TYPES = {"organization": OrganizationLine, "key": KeyLine, "database": DatabaseLine}


@pytest.mark.parametrize("kind", TYPES)
def test_the_schema_is_that_of_the_type(kind: str) -> None:
    """Every field of a line has in the schema the type that it has in code, and no other."""
    assert list(differences(TYPES[kind], POPULATION["$defs"][kind], POPULATION)) == []


def test_the_schema_knows_every_kind_of_line() -> None:
    """A line is of one of the kinds that there are."""
    kinds = {branch["$ref"].rpartition("/")[2] for branch in POPULATION["oneOf"]}
    assert (kinds, set(get_args(PopulationLine))) == (set(TYPES), set(TYPES.values()))


def test_every_line_fits_the_schema(tmp_path: Path) -> None:
    """The lines of an audit with entries of every kind and state are valid by the schema."""
    (tmp_path / "record").mkdir()
    made = record_of_everything(tmp_path, tmp_path / "record")
    lines = [json.loads(line) for line in made.population.splitlines()]
    check = validator("population")
    wrong = [error.message for line in lines for error in check.iter_errors(line)]
    assert (wrong, {(line["kind"], line.get("state", "")) for line in lines}) == (
        [],
        {
            ("organization", ""),
            ("key", "registered"),
            ("key", "planned"),
            ("database", "existing"),
            ("database", "planned"),
            ("database", "terminated"),
        },
    )


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"kind": "thing"},
        {"path": "a b"},
        {"state": "registered"},
        {"id": ""},
        {"name": None},
        {"regions": []},
        {"created_at": "yesterday"},
        {"missing": "all of it"},
        {"line": "7"},
    ],
    ids=str,
)
def test_a_line_that_was_tampered_with_does_not_fit(change: dict[str, object]) -> None:
    """The schema refuses a line with a field too many, or of another type or form."""
    region = {"name": "r", "scope": "o/serverless/aws/r", "state": "existing"}
    line: dict[str, object] = {
        "kind": "database",
        "path": "o/database/d",
        "organization": "o",
        "state": "existing",
        "id": "d",
        "name": "orders",
        "type": "serverless",
        "provider": "aws",
        "created_at": "2026-01-01T00:00:00Z",
        "regions": [region | {"encryption": "customer-managed"}],
        "file": "acme.yaml",
        "line": 7,
    }
    check = validator("population")
    assert (check.is_valid(line), check.is_valid(line | change)) == (True, False)
