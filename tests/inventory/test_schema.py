"""The published JSON Schemas."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import BaseModel, ValidationError

from inventory import schema
from inventory.files.documents import read_document
from inventory.model.organization import InventoryDocument
from inventory.plans import PlanDocument
from inventory.schema import SCHEMAS, schema_text, write_schemas
from tests.builders import (
    database_data,
    document_data,
    key_data,
    organization_data,
    plan_data,
    planned_data,
)

FOLDER = Path(schema.__file__).parent
MODELS: dict[str, type[BaseModel]] = {
    "schema.json": InventoryDocument,
    "plan-schema.json": PlanDocument,
}


def read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return data


def accepts(name: str, data: object) -> bool:
    """Say whether the published schema takes ``data``; the model has to be of the same mind."""
    takes: bool = Draft202012Validator(read(name), format_checker=FormatChecker()).is_valid(data)
    try:
        MODELS[name].model_validate(data)
    except ValidationError:
        assert not takes
    else:
        assert takes
    return takes


def test_schemas_are_current(tmp_path: Path) -> None:
    """The published schemas are what the models say; `python -m inventory.schema` renews them."""
    write_schemas(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(SCHEMAS)
    assert {path.name for path in FOLDER.glob("*.json")} == set(SCHEMAS)
    for name in SCHEMAS:
        assert (FOLDER / name).read_text(encoding="utf-8") == schema_text(name)
        assert (tmp_path / name).read_text(encoding="utf-8") == schema_text(name)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    """A published schema is one of draft 2020-12, with a title and a description."""
    published = read(name)
    Draft202012Validator.check_schema(published)
    assert published["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert published["title"]
    assert published["description"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_definitions_are_described(name: str) -> None:
    """Every part of a schema is described, in plain words, and closed to unknown fields."""
    published = read(name)
    for part in (published, *published["$defs"].values()):
        assert part["description"]
        assert "Attributes:" not in part["description"]
        assert "`" not in json.dumps(part)
        assert part["additionalProperties"] is False


def test_fields_are_described() -> None:
    """A field that a docstring explains is explained by the schema, also if it is inherited."""
    parts = read("schema.json")["$defs"]
    assert parts["DatabaseRegion"]["properties"]["added_at"]["description"] == (
        "when the region was added to the database; for Astra's own records, dateCreated of the "
        "datacenter."
    )
    assert parts["RotationAttestation"]["properties"]["by"]["description"] == "who states it."
    assert set(read("schema.json")["properties"]) == {
        "cmek-inventory",
        "captured_at",
        "example",
        "description",
        "organizations",
    }


def inventory(**over: object) -> dict[str, Any]:
    return document_data(organization_data(**over))


def without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


DATED = {"name": "b", "state": "planned", "added_at": "2026-06-01T00:00:00Z"}
GOOD: dict[str, dict[str, Any]] = {
    "whole": inventory(),
    "bare": {"cmek-inventory": 1, "organizations": [{"id": "acme", "name": "acme"}]},
    "empty lists": inventory(keys=[], databases=[]),
    "unrecorded lists": inventory(keys=None, databases=None),
    "spelled": inventory(keys=[key_data(type="classic", provider="google cloud")]),
    "by tier": inventory(databases=[without(database_data(tier="developer"), "type")]),
    "planned": inventory(databases=[planned_data(created_at=None, status="ACTIVE", seen=None)]),
    "planned region": inventory(
        databases=[database_data(regions=["us-east-1", {"name": "b", "state": "planned"}])]
    ),
    "astra's keys": inventory(databases=[database_data(encryption="astra-provided", reason="a")]),
    "policy": inventory(policy={"types": {"classic": {"encryption": "customer-managed"}}}),
}
BAD: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no version": without(inventory(), "cmek-inventory"),
    "other version": inventory() | {"cmek-inventory": 2},
    "version by field name": without(inventory(), "cmek-inventory") | {"format": 1},
    "no organization": inventory() | {"organizations": []},
    "unknown field": inventory(key=[]),
    "no name": document_data({"id": "acme"}),
    "blank id": inventory(id="a b"),
    "unknown type": inventory(keys=[key_data(type="vector")]),
    "no key id": inventory(keys=[without(key_data(), "key_id")]),
    "existing without id": inventory(databases=[without(database_data(), "id")]),
    "stated without id": inventory(databases=[without(database_data(state="existing"), "id")]),
    "neither type nor tier": inventory(databases=[without(database_data(), "type")]),
    "no region": inventory(databases=[database_data(regions=[])]),
    "planned with a time": inventory(databases=[planned_data(created_at="2026-06-01T00:00:00Z")]),
    "planned with a status": inventory(databases=[planned_data(status="PARKED")]),
    "planned and seen": inventory(databases=[planned_data(seen="exchanges/0001/0002.json:3")]),
    "planned region with a time": inventory(databases=[database_data(regions=["a", DATED])]),
    "region of a planned one with a time": inventory(databases=[planned_data(regions=[DATED])]),
    "only planned regions": inventory(
        databases=[database_data(regions=[{"name": "b", "state": "planned"}])]
    ),
    "no reason of a region": inventory(
        databases=[database_data(regions=[{"name": "b", "encryption": "astra-provided"}])]
    ),
    "no reason": inventory(databases=[database_data(encryption="astra-provided")]),
    "no reason in a policy": inventory(policy={"default": {"encryption": "astra-provided"}}),
    "day with time": inventory(plan={"paid": True, "by": "a", "on": "2026-11-01T00:00:00Z"}),
    "blank statement": inventory(plan={"paid": True, "by": " ", "on": "2026-11-01"}),
    "hidden statement": inventory(plan={"paid": True, "by": "\u200b", "on": "2026-11-01"}),
    "hidden name": inventory(name="\u2800\ufe0f"),
    "no clear word": inventory(plan={"paid": 1, "by": "a", "on": "2026-11-01"}),
    "time as number": inventory(databases=[database_data(created_at=1795140000)]),
    "unknown gap": inventory(gaps=[{"fact": "keys", "reason": "refused"}]),
}


@pytest.mark.parametrize("case", GOOD)
def test_good_inventories(case: str) -> None:
    """The schema takes what the reader takes."""
    assert accepts("schema.json", GOOD[case])


@pytest.mark.parametrize("case", BAD)
def test_bad_inventories(case: str) -> None:
    """The schema refuses what the reader refuses."""
    assert not accepts("schema.json", BAD[case])


@pytest.mark.parametrize(
    ("data", "is_good"),
    [
        (plan_data(), True),
        (plan_data(without(planned_data(), "state")), True),
        (plan_data(without(planned_data(tier="classic"), "type")), True),
        (plan_data(planned_data(encryption="astra-provided", reason="a trial")), True),
        (plan_data(planned_data(encryption="astra-provided")), False),
        (plan_data(without(planned_data(), "type")), False),
        (plan_data(database_data(state="existing")), False),
        (plan_data(planned_data(created_at="2099-01-01T00:00:00Z")), False),
        (plan_data(planned_data(status="PARKED")), False),
        (plan_data(planned_data(regions=[{"name": "a", "encryption": "astra-provided"}])), False),
        (plan_data(planned_data(regions=[{"name": "a", "state": "planned"}])), True),
        (plan_data() | {"organizations": [{"id": "acme", "databases": []}]}, False),
        (plan_data() | {"keys": []}, False),
        (document_data(), False),
    ],
)
def test_plans(data: dict[str, Any], is_good: bool) -> None:  # noqa: FBT001
    """The schema of plans takes and refuses what the reader does."""
    assert accepts("plan-schema.json", data) is is_good


def test_as_a_program(tmp_path: Path) -> None:
    """As a program the module writes both schemas beside itself."""
    program = tmp_path / "schema.py"
    program.write_bytes((FOLDER / "schema.py").read_bytes())
    runpy.run_path(str(program), run_name="__main__")
    after = {name: (tmp_path / name).read_text(encoding="utf-8") for name in SCHEMAS}
    assert after == {name: schema_text(name) for name in SCHEMAS}


@pytest.mark.parametrize("path", sorted((FOLDER / "examples").glob("*.yaml")), ids=lambda p: p.stem)
def test_examples_please_an_editor(path: Path) -> None:
    """The bundled examples, in whatever case, are what the published schemas describe."""
    data = read_document(str(path), path.read_bytes()).data
    if not data.keys() & {"cmek-waivers", "cmek-organizations"}:
        assert accepts("plan-schema.json" if "cmek-plan" in data else "schema.json", data)
