"""Types of Astra's provider that are not read are recognized, and what is never read is dropped."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import strategies as st

from inventory.errors import InventoryError
from inventory.files.documents import Document, read_document
from inventory.files.format_detection import PLAN
from inventory.terraform.attributes import Attributes, AttributeValue
from inventory.terraform.resource_types import (
    DATABASE,
    KEY,
    OTHERS,
    AttributeName,
    drop_unread,
    is_unknown_astra_type,
)
from inventory.terraform.resources import read_resources
from tests.hypothesis_profile import examples
from tests.inventory.files.test_hostile_files import changed, paths
from tests.inventory.terraform.documents import change, existing, resource
from tests.inventory.terraform.test_any import _odd, _plans


@pytest.mark.parametrize("kind", sorted({DATABASE, KEY, *OTHERS}))
def test_known_types(kind: str) -> None:
    """A type that the audit knows is not unknown, whatever its provider."""
    assert not is_unknown_astra_type(kind, "registry.terraform.io/datastax/astra")
    assert not is_unknown_astra_type(kind, None)


@pytest.mark.parametrize(
    ("kind", "provider", "is_unknown"),
    [
        ("astra_vault", None, True),
        ("datastax_database", "registry.example.test/fork/astra", True),
        ("aws_kms_key", "registry.terraform.io/hashicorp/aws", False),
        ("astral_plane", None, False),
        ("aws_kms_key", 7, False),
    ],
)
def test_other_types(kind: str, provider: object, is_unknown: bool) -> None:  # noqa: FBT001
    """A type is Astra's by its name or by its provider, which a fork keeps."""
    assert is_unknown_astra_type(kind, provider) is is_unknown


# --- what is never read ---------------------------------------------------------------------------


def test_attributes_that_are_never_read_are_dropped() -> None:
    """Of a change of a database or a key, what is read and its marks stay."""
    whole = change(
        before=existing(), after=existing(tags={"a": 1}), after_unknown={"id": True, "tags": {}}
    )
    left = change(before=existing(), after=existing(), after_unknown={"id": True})
    assert drop_unread(whole) == left


def test_attributes_of_a_state_are_dropped_likewise() -> None:
    """Of a resource of a state, what is read and its marks stay."""
    whole = resource(values=existing(tags=[]), sensitive_values={"tags": True, "id": False})
    assert drop_unread(whole) == resource(values=existing(), sensitive_values={"id": False})


def test_marks_of_a_whole_stay() -> None:
    """A mark of all attributes at once stays as it is."""
    whole = change(before=existing(), after_unknown=True, after_sensitive=True)
    assert drop_unread(json.loads(json.dumps(whole))) == whole


def test_a_resource_of_another_type_loses_its_contents() -> None:
    """Of a resource that is neither, only what says what it is stays, under all its names."""
    other = {"address": "a.b", "mode": "managed", "type": "a", "deposed": "7"}
    whole = other | {"change": {"after": {"name": "b"}}, "values": {"name": "b"}}
    assert drop_unread(whole) == other | {"change": None, "values": None}


@pytest.mark.parametrize(
    "part",
    [
        {"references": ["astra_customer_key.main"]},
        {"address": "module.a", "resources": [], "values": {"references": []}},
        {name: {"references": [name]} for name in ("address", "mode", "type", "values", "change")},
    ],
)
def test_other_parts_stay_whole(part: dict[str, Any]) -> None:
    """What is no resource stays as it is: a block may have attributes of the same names."""
    assert drop_unread(dict(part)) == part


@examples(200, HealthCheck.too_slow)
@given(st.data())
def test_nothing_that_is_dropped_is_read(data: st.DataObject) -> None:
    """A plan is read, or refused, as it would be whole, whatever was exchanged in it."""
    tree: Any = data.draw(_plans(unknown=True))
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(paths(tree)[1:]))
        tree = changed(tree, path, data.draw(_odd))
    raw = json.dumps(tree, indent=data.draw(st.sampled_from([None, 1]))).encode()
    whole = _read(read_document("plan.json", raw))
    event("refused" if isinstance(whole, str) else "read")
    assert _read(read_document("plan.json", raw, drop_unread)) == whole


def _read(document: Document) -> object:
    """Return all that is read of a plan, or why it is refused."""
    try:
        parsed = read_resources("plan.json", document, PLAN)
    except InventoryError as error:
        return str(error)
    resources = [resource._replace(before=None, after=None) for resource in parsed.resources]
    sides = [
        (_shown(resource.before), _shown(resource.after), resource.problems())
        for resource in parsed.resources
    ]
    return parsed._replace(resources=tuple(resources)), sides


def _shown(attributes: Attributes | None) -> list[AttributeValue]:
    return [attributes.read(name) for name in get_args(AttributeName)] if attributes else []
