"""The JSON Schemas of inventories, plans and organizations files, for editors.

``python -m inventory.schema`` writes them into this folder.

They describe what a file may hold. A schema cannot express some rules: a day that exists, no
duplicate entries, no text of rare invisible characters. The reader enforces these.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic.json_schema import GenerateJsonSchema

from inventory.astra.config import DatabaseStatement, OrganizationsFile
from inventory.model.database import Database, DatabaseRegion
from inventory.model.organization import Expectation, InventoryDocument
from inventory.plans import PlanDocument, PlannedDatabase, PlannedOrganization

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import core_schema

_ATTRIBUTES = "\n\nAttributes:\n"
_ATTRIBUTE = re.compile(r"^(\w+): (.+(?:\n[ ].+)*)", re.MULTILINE)
_REASON = {
    "if": {"properties": {"encryption": {"const": "astra-provided"}}, "required": ["encryption"]},
    "then": {"properties": {"reason": {"type": "string"}}, "required": ["reason"]},
}
_IS_PLANNED = {"properties": {"state": {"const": "planned"}}, "required": ["state"]}
_STATE = {
    "if": _IS_PLANNED,
    "else": {"properties": {"id": {"type": "string"}}, "required": ["id"]},
}
_NO_TIME = {"properties": {"added_at": {"type": "null"}}}
_NO_TRACES = {
    "properties": {
        "created_at": {"type": "null"},
        "seen": {"type": "null"},
        "status": {"const": "ACTIVE"},
        "regions": {"items": _NO_TIME},
    }
}
_TRACES = {
    "if": _IS_PLANNED,
    "then": _NO_TRACES,
    "else": {"properties": {"regions": {"contains": {"not": _IS_PLANNED}}}},
}
_TYPE = {"anyOf": [{"required": ["type"]}, {"required": ["tier"]}]}
_SOMETHING = {
    "anyOf": [
        {"properties": {name: {"minItems": 1}}, "required": [name]}
        for name in ("databases", "keys")
    ]
}
_CONDITIONS: dict[type[BaseModel], list[dict[str, Any]]] = {
    Database: [_REASON, _STATE, _TRACES, _TYPE],
    DatabaseStatement: [_REASON],
    DatabaseRegion: [_REASON, {"if": _IS_PLANNED, "then": _NO_TIME}],
    Expectation: [_REASON],
    PlannedDatabase: [_REASON, _NO_TRACES, _TYPE],
    PlannedOrganization: [_SOMETHING],
}


class EditorSchema(NamedTuple):
    """What the schema of one kind of file is made of.

    Attributes:
        name: the kind of file, as a part of the schema's address.
        model: the model of a whole file.
        title: what the file is, for people.
    """

    name: str
    model: type[BaseModel]
    title: str

    @property
    def address(self) -> str:
        """Return the ``$id``. It is a name, and no place from which anything is loaded."""
        return f"urn:cmek-audit:schema:{self.name}:1"

    @property
    def text(self) -> str:
        """Return the content of the file."""
        head = {
            "$schema": GenerateJsonSchema.schema_dialect,
            "$id": self.address,
            "title": self.title,
        }
        body = self.model.model_json_schema(schema_generator=_Generator)
        return (
            json.dumps(head | {key: body[key] for key in body if key != "title"}, indent=2) + "\n"
        )


SCHEMAS = {
    "schema.json": EditorSchema(
        "inventory", InventoryDocument, "Recorded inventory of customer keys in Astra"
    ),
    "plan-schema.json": EditorSchema(
        "plan", PlanDocument, "Planned databases and customer keys in Astra"
    ),
    "organizations-schema.json": EditorSchema(
        "organizations", OrganizationsFile, "Organizations to read from Astra"
    ),
}
"""Each file in this folder, with what it is made of."""


class _Generator(GenerateJsonSchema):
    """Describes each field by its model's docstring, and adds the conditions between fields."""

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        model = schema["cls"]
        described = super().model_schema(schema)
        described["description"] = _flat(described["description"].partition(_ATTRIBUTES)[0])
        texts = _texts(model)
        for name in model.model_fields.keys() & texts.keys():
            field = model.model_fields[name].alias or name
            described["properties"][field]["description"] = texts[name]
        return described | ({"allOf": _CONDITIONS[model]} if model in _CONDITIONS else {})

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 (as the base)
        """Leave out titles that only repeat the field's name."""
        return False


def _texts(model: type[BaseModel]) -> dict[str, str]:
    """Return the description of each field, from the docstrings of ``model`` and its bases."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        attributes = inspect.cleandoc(base.__doc__ or "").partition(_ATTRIBUTES)[2]
        for name, text in _ATTRIBUTE.findall(inspect.cleandoc(attributes)):
            texts[name] = _flat(text)
    return texts


def _flat(text: str) -> str:
    return " ".join(text.replace("``", "").split())


def schema_text(name: str) -> str:
    """Return what the file ``name`` should hold."""
    return SCHEMAS[name].text


def write_schemas(folder: Path) -> None:
    """Write every schema into ``folder``."""
    for name in SCHEMAS:
        (folder / name).write_text(schema_text(name), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_schemas(Path(__file__).parent)
