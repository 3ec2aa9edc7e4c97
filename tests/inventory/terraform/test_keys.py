"""A key resource comes to keys of a state, and to planned changes of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inventory.model.planned_keys import PlannedKey
from tests.builders import write_json
from tests.inventory.terraform.documents import change, key_attributes, plan, recorded

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "astra_customer_key.main"
OLD = key_attributes()
NEW = key_attributes(key_id="another")


@pytest.mark.parametrize(
    ("actions", "before", "after", "expected"),
    [
        ("create", None, NEW, [("register", "another")]),
        ("no-op", OLD, OLD, []),
        ("update", OLD, OLD, []),
        ("update", OLD, NEW, [("replace", OLD["key_id"]), ("register", "another")]),
        ("delete create", OLD, NEW, [("replace", OLD["key_id"]), ("register", "another")]),
        ("delete", OLD, None, [("remove", OLD["key_id"])]),
        ("forget", OLD, None, []),
    ],
)
def test_changes_of_a_key(
    tmp_path: Path,
    actions: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    expected: list[tuple[str, str]],
) -> None:
    """A key is registered, replaced or removed; an update that changes nothing is no change."""
    data = plan(change(ADDRESS, actions, before, after))
    [organization] = recorded(write_json(tmp_path / "plan.json", data)).organizations
    keys: tuple[PlannedKey, ...] = organization.managed.planned_keys
    assert [(key.change, key.key_id) for key in keys] == expected
    assert len(organization.managed.keys) == (before is not None)
