"""What pydantic found wrong, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from inventory.errors import InventoryError, Problem
from inventory.models import Organization
from inventory.problems import line_of, problems_of
from inventory.recorded import read_recorded
from tests.builders import document_data, organization_data, write_json


def wrong(model: type[BaseModel], data: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return caught.value


class Sample(BaseModel):
    code: Annotated[str, StringConstraints(pattern="^a+$", max_length=3)] = "a"
    size: Annotated[int, Field(ge=0, strict=True)] = 0
    inner: Annotated[tuple[Annotated[int, Field(strict=True)], ...], Field(min_length=2)] = (1, 2)


@pytest.mark.parametrize(
    ("data", "field", "found", "expected"),
    [
        ({"code": "b"}, "code", "'b'", "String should match pattern '^a+$'"),
        ({"code": "aaaa"}, "code", "'aaaa'", "at most 3 characters"),
        ({"size": -1}, "size", "-1", "greater than or equal to 0"),
        ({"size": True}, "size", "True", "a valid integer"),
        ({"inner": [1]}, "inner", "a list of 1", "at least one"),
    ],
)
def test_any_model(data: object, field: str, found: str, expected: str) -> None:
    """A complaint of any model is told in words."""
    problems = problems_of(wrong(Sample, data), "a.yaml", {(): 1})
    assert problems == [Problem("a.yaml", 1, field, found, expected)]


def test_list_short_by_its_bad_items() -> None:
    """A list that is too short only because its items are bad is no mistake of its own."""
    problems = problems_of(wrong(Sample, {"inner": ["a"]}), "a.yaml", {})
    assert [problem.field for problem in problems] == ["inner[0]"]


def test_base() -> None:
    """A part of a file is told by its path in the whole file."""
    lines = {(): 1, ("organizations",): 3, ("organizations", 4): 9}
    error = wrong(Organization, {"id": "acme"})
    problems = problems_of(error, "a.yaml", lines, ("organizations", 4))
    assert problems == [Problem("a.yaml", 9, "organizations[4].name", "nothing", "a value")]


def test_line_of() -> None:
    """The line of an absent part is that of what should hold it; 0 if nothing is known."""
    lines = {("a",): 2, ("a", 0): 3}
    assert [line_of(lines, path) for path in [("a", 0, "b"), ("a", 1), ("b",), ()]] == [3, 2, 0, 0]


@pytest.mark.parametrize(
    "over",
    [
        {"plan": "AstraCS:hush-hush"},
        {"id": "AstraCS:hush-hush with spaces"},
        {"AstraCS:hush-hush": "AstraCS:hush-hush"},
        {"plan": {"AstraCS:hush-hush": {"AstraCS:hush-hush": 1}}},
        {"keys": [{"type": "AstraCS:hush-hush", "provider": ["AstraCS:hush-hush"]}]},
        {"databases": [{"created_at": "AstraCS:hush-hush", "tier": "AstraCS:hush-hush"}]},
        {"policy": {"types": {"AstraCS:hush-hush": "AstraCS:hush-hush"}}},
        {"gaps": [{"fact": "AstraCS:hush-hush", "reason": "AstraCS:hush-hush"}]},
        {"id": "AstraCS:hush-hush", "keys": [], "databases": [{}]},
    ],
)
def test_secrets_in_a_file(tmp_path: Path, over: dict[str, object]) -> None:
    """A token that stands in a broken file by mistake is not repeated by the error."""
    file = tmp_path / "a.json"
    with pytest.raises(InventoryError) as caught:
        read_recorded(write_json(file, document_data(organization_data(**over))))
    assert "hush" not in str(caught.value)
