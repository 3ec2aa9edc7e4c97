"""Many frozen models, made at once of valid values."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from inventory.database_lines.frozen_models import build_models
from inventory.model.database import DatabaseRegion


def built(**values: object) -> tuple[DatabaseRegion, DatabaseRegion]:
    """Return a region as pydantic makes it, and one made of the same values."""
    expected = DatabaseRegion(**values)
    (region,) = build_models(DatabaseRegion, [dict(vars(expected))], [set(values)])
    return expected, region


@pytest.mark.parametrize("values", [{"name": "eu-west-1"}, {"name": "r", "encryption": None}])
def test_models_equal_those_of_pydantic(values: dict[str, Any]) -> None:
    """A model of valid values equals the validated one in every respect."""
    expected, region = built(**values)
    assert region == expected
    assert hash(region) == hash(expected)
    assert region.model_fields_set == expected.model_fields_set
    assert region.model_dump_json() == expected.model_dump_json()
    assert pickle.loads(pickle.dumps(region)) == expected
    assert region.model_copy(update={"state": "planned"}) == expected.model_copy(
        update={"state": "planned"}
    )


def test_models_are_frozen() -> None:
    """What is made of values is as immutable as what is validated."""
    _, region = built(name="eu-west-1")
    with pytest.raises(ValidationError, match="frozen"):
        setattr(region, "name", "other")  # noqa: B010 (the type checker would refuse it, too)


def test_no_values() -> None:
    """Of nothing, nothing is made."""
    assert build_models(DatabaseRegion, [], []) == []
