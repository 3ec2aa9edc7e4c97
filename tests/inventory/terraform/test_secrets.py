"""Tokens in plans and states: where they are read they are refused, elsewhere they are not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inventory.plans import read_plan
from tests.builders import write_json
from tests.inventory.terraform.documents import (
    ADDRESS,
    ALIKE,
    attributes,
    change,
    existing,
    held,
    in_short,
    located,
    plan,
    resource,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["name", "cloud_provider", "region", "id", "organization_id"])
def test_a_token_in_an_attribute(tmp_path: Path, name: str) -> None:
    """A token in an attribute that is read is refused, with its line and without repeating it."""
    shown = existing(region="us-east-1", regions=None) | {name: ALIKE}
    is_new = name in {"cloud_provider", "region"}
    data = plan(change(after=shown)) if is_new else state(held(values=shown))
    [problem] = located(tmp_path, data)
    assert problem.found == "what looks like a token"
    assert ALIKE not in str(problem)
    assert ALIKE in (tmp_path / "plan.json").read_text("utf-8").splitlines()[problem.line - 1]


def test_tokens_elsewhere(tmp_path: Path) -> None:
    """A plan that holds tokens where nobody reads is read, and nothing of them is taken over."""
    after = attributes(keyspace=ALIKE, timeouts={"create": ALIKE})
    other = {"after": {"token": ALIKE}, "actions": ["create"], "before": None}
    data = plan(
        change(after=after),
        resource("astra_token.x") | {"change": other},
        variables={"token": {"value": ALIKE}},
        output_changes={"token": {"after": ALIKE}},
        configuration={"provider_config": {"astra": {"expressions": {"token": ALIKE}}}},
        resource_drift=[resource("astra_token.x") | {"change": other}],
    )
    file = write_json(tmp_path / "plan.json", data)
    recorded = read_plan(file)
    assert in_short(*recorded.organizations).planned == {(ADDRESS, "aws", "us-east-1")}
    assert ALIKE not in repr(recorded) + "".join(
        f"{organization.managed!r}{organization.model_dump_json()}"
        for organization in recorded.organizations
    )
