"""The table of schemas: every one that the suite ships, each a schema that its examples fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from cmek_audit.commands.start.editor_schemas import SCHEMAS
from inventory.files.documents import read_document
from tests.cmek_audit.helpers import ROOT

NAMES = sorted(SCHEMAS)
HEADS = {
    "cmek-inventory": "inventory",
    "cmek-plan": "plan",
    "cmek-organizations": "organizations",
    "cmek-waivers": "waivers",
    "cmek-controls": "controls",
}
"""The first key of each kind of file, with its schema."""

EXAMPLES = [*sorted((ROOT / "inventory/examples").glob("*.yaml")), ROOT / "checks/controls.yaml"]


def shipped(name: str) -> Any:  # noqa: ANN401 (whatever JSON holds)
    return json.loads(SCHEMAS[name].path.read_bytes())


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(shipped(name), format_checker=FormatChecker())


def test_every_schema_is_listed() -> None:
    """The table has each schema that the suite ships, and no other."""
    files = [path for part in ("inventory", "checks", "reports") for path in _json_files(part)]
    found = {str(path.relative_to(ROOT)) for path in files if _is_schema(path)}
    assert {schema.file for schema in SCHEMAS.values()} == found


def _json_files(part: str) -> list[Path]:
    return [*(ROOT / part).rglob("*.json")]


def _is_schema(path: Path) -> bool:
    data = json.loads(path.read_bytes())
    return isinstance(data, dict) and "json-schema.org" in data.get("$schema", "")


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_schema(name: str) -> None:
    """Each schema fits the schema of its draft, and has a title, a description and an address."""
    data = shipped(name)
    assert data["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(data)
    assert all(data[field] for field in ("$id", "title", "description"))


def test_addresses_are_names() -> None:
    """Each address is a name of its own, from which nothing can be loaded."""
    addresses = [schema.address for schema in SCHEMAS.values()]
    assert len(set(addresses)) == len(addresses)
    assert all(address.startswith("urn:cmek-audit:") for address in addresses)
    assert SCHEMAS["inventory"].address == "urn:cmek-audit:schema:inventory:1"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit(path: Path) -> None:
    """Each bundled file fits the schema of its kind."""
    data = read_document(str(path), path.read_bytes()).data
    (name,) = {schema for head, schema in HEADS.items() if head in data}
    assert [error.message for error in validator(name).iter_errors(data)] == []


def test_every_schema_of_a_file_to_write_has_an_example() -> None:
    """Of each kind of file that a user writes there is a bundled one."""
    heads = [yaml.safe_load(path.read_bytes()).keys() for path in EXAMPLES]
    assert {name for head, name in HEADS.items() if any(head in keys for keys in heads)} == set(
        HEADS.values()
    )
    assert set(HEADS.values()) | {"audit", "finding", "population"} == set(SCHEMAS)


WAIVER = {
    "id": "W-1",
    "rule": "CMEK-01",
    "subject": "acme",
    "cause": "none",
    "reason": "It moves.",
    "requested_by": "Ben Example",
    "requested_on": "2026-06-01",
    "expires_on": "2026-12-01",
    "compensating_control": "none",
    "ticket": "T-1",
}


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"approved_by": None, "approved_on": None}, True),
        ({"approved_by": "Eve Example", "approved_on": "2026-06-02"}, True),
        ({"approved_by": "Eve Example"}, False),
        ({"approved_on": "2026-06-02"}, False),
        ({"reason": " "}, False),
        ({"expires_on": "soon"}, False),
        ({"approver": "Eve Example"}, False),
    ],
)
def test_waivers(change: dict[str, str | None], *, is_good: bool) -> None:
    """The schema of waivers asks for both parts of an approval or none, and for known fields."""
    data = {"cmek-waivers": 1, "waivers": [WAIVER | change]}
    assert validator("waivers").is_valid(data) is is_good


@pytest.mark.parametrize(
    ("change", "is_good"),
    [
        ({}, True),
        ({"databases": [{"id": "a", "encryption": "astra-provided", "reason": "a trial"}]}, True),
        ({"databases": [{"id": "a", "encryption": "astra-provided"}]}, False),
        ({"token": "not a variable"}, False),
        ({"tokens": "ASTRA_TOKEN"}, False),
        ({"id": None}, False),
    ],
)
def test_organizations(change: dict[str, object], *, is_good: bool) -> None:
    """The schema of organizations files asks for an id, a variable's name and known fields."""
    organization = {"id": "acme", "name": "acme", "token": "ASTRA_TOKEN"} | change
    data = {"cmek-organizations": 1, "organizations": [organization]}
    assert validator("organizations").is_valid(data) is is_good
