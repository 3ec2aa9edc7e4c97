"""A plan never betters what exists, and an order that is taken away never betters a verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given

from checks.engine.evaluation import evaluate
from checks.engine.finding import STATUSES
from inventory.plans import add_plan, read_plan
from tests.builders import an_organization, write_json
from tests.checks.judging import CONTEXT, RULES, judged
from tests.checks.strategies import inventories, organizations, plans
from tests.hypothesis_profile import examples
from tests.inventory.terraform.recordings import RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from inventory.model.organization import Organization

    Worst = dict[tuple[str, str], int]

USED = "CMEK-09"
"""The rule by which a database that is only planned uses a key."""


def worst(organizations: Iterable[Organization], *, planned: bool = True) -> Worst:
    """Return the place of the worst status of each subject by each rule, 0 for the worst."""
    found: Worst = {}
    for finding in evaluate(organizations, list(RULES.values()), CONTEXT):
        if finding.rule != USED and (planned or not finding.cause.startswith("planned-")):
            subject = finding.rule, finding.subject.path
            found[subject] = min(found.get(subject, 9), STATUSES.index(finding.status))
    return found


@examples(150)
@given(inventories, plans(1), plans(2))
def test_a_plan_betters_nothing(
    inventory: tuple[Organization, ...], one: Organization, two: Organization
) -> None:
    """Whatever a plan adds, every subject of the inventory alone is found as bad or worse."""
    alone = worst(inventory, planned=False)
    planned = worst(map(add_plan, inventory, (one, two)))
    assert {subject for subject in alone if planned.get(subject, 9) > alone[subject]} == set()
    event("a plan worsens something" if set(planned) - set(alone) else "nothing is added")


@pytest.mark.parametrize("scene", ["depends-on", "module-output", "each-key", "race"])
def test_what_terraform_orders_is_no_pass_and_no_failure(scene: str, tmp_path: Path) -> None:
    """A real plan whose configuration orders key and database is inconclusive, else it fails."""
    printed = json.loads((RECORDED / f"{scene}.json").read_text("utf-8"))
    ordered = _judged(tmp_path, printed)
    printed["configuration"] = {"root_module": {}}
    unordered = _judged(tmp_path, printed)
    is_race = scene == "race"
    assert ordered == {"CMEK-01": "fail" if is_race else "inconclusive"} | (
        {"CMEK-05": "fail" if is_race else "inconclusive"}
    )
    assert unordered == {"CMEK-01": "fail", "CMEK-05": "fail"}


def _judged(folder: Path, printed: dict[str, Any]) -> dict[str, str]:
    """Return the status of what a plan brings to an organization without keys, by rule."""
    [plan] = read_plan(write_json(folder / "plan.json", printed)).organizations
    organization = add_plan(an_organization(id=plan.id, keys=[], databases=[]), plan)
    found = [*judged("CMEK-01", organization), *judged("CMEK-05", organization)]
    statuses = {(finding.rule, finding.status) for finding in found}
    assert len(statuses) == 2
    return dict(statuses)


@examples(150)
@given(organizations(1), plans(1))
def test_an_order_less_betters_nothing(organization: Organization, plan: Organization) -> None:
    """Without what makes databases wait for keys, every subject is found as bad or worse."""
    keys = tuple(
        key.model_copy(update={"awaited_by": frozenset()}).at(*key.location)
        for key in plan.managed.planned_keys
    )
    bare = plan.with_managed(plan.managed.model_copy(update={"planned_keys": keys}))
    with_order = worst([add_plan(organization, plan)])
    without = worst([add_plan(organization, bare)])
    assert {each for each in with_order if without.get(each, 9) > with_order[each]} == set()
    event("an order mattered" if with_order != without else "no order mattered")
