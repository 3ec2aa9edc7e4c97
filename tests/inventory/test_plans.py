"""Planned databases from YAML or JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.errors import InventoryError, Problem
from inventory.files.format_detection import PLAN
from inventory.model.gaps import Gap
from inventory.model.sources import Source
from inventory.plans import add_plan, read_plan
from tests.builders import (
    DATABASE,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    a_planned_database,
    an_organization,
    plan_data,
    planned_data,
    write_json,
    write_text,
    write_yaml,
)

PLAN_ONLY = Gap(
    fact="databases",
    reason="not-recorded",
    detail="the organization appears only in a plan or a state; its databases were not recorded",
)


def problems(file: str) -> list[tuple[int, str, str, str]]:
    with pytest.raises(InventoryError) as caught:
        read_plan(file)
    return [
        (problem.line, problem.field, problem.found, problem.expected)
        for problem in caught.value.problems
    ]


@pytest.mark.parametrize(("write", "name"), [(write_yaml, "plan.yml"), (write_json, "plan.json")])
def test_planned_without_saying_so(
    tmp_path: Path, write: Callable[[Path, object], str], name: str
) -> None:
    """Every database of a plan is planned, whether it says so or not."""
    planned = planned_data()
    silent = {name: value for name, value in planned.items() if name != "state"}
    file = write(tmp_path / name, plan_data(planned, silent | {"name": "acme-silent"}))
    (organization,) = read_plan(file).organizations
    databases = organization.databases or ()
    expected = [a_planned_database(), a_planned_database(name="acme-silent")]
    assert [database.model_dump() for database in databases] == [
        database.model_dump() for database in expected
    ]
    assert [database.is_planned for database in databases] == [True, True]
    assert {database.file for database in databases} == {organization.file} == {file}
    assert 0 < organization.line < databases[0].line < databases[1].line


def test_all_else_is_unknown(tmp_path: Path) -> None:
    """Of an organization in a plan neither keys nor existing databases count as recorded."""
    (organization,) = read_plan(write_yaml(tmp_path / "plan.yaml", plan_data())).organizations
    assert (organization.id, organization.name) == (ORGANIZATION, ORGANIZATION)
    assert organization.keys is None
    assert organization.captured_at is None
    assert organization.gaps == (PLAN_ONLY,)
    assert {gap.fact for gap in organization.missing()} == {
        "databases",
        "serverless-keys",
        "managed-clusters-keys",
    }


def test_plan_source(tmp_path: Path) -> None:
    """A plan is described as one, and has no time of its own."""
    file = write_yaml(tmp_path / "plan.yaml", plan_data())
    raw = Path(file).read_bytes()
    assert read_plan(file).source == Source(
        path=file,
        role="plan",
        format="yaml",
        size=len(raw),
        sha256=hashlib.sha256(raw).hexdigest(),
        organizations=1,
        databases=1,
    )


def test_existing_databases_in_a_plan(tmp_path: Path) -> None:
    """A database that says it exists is no part of a plan."""
    text = (
        "cmek-plan: 1\norganizations:\n- id: acme\n  databases:\n"
        "  - {id: a, name: a, tier: C10, provider: aws, regions: [{name: a}], state: existing}\n"
        "  - {id: b, name: b, type: classic, provider: aws, regions: [{name: a}],\n"
        "     status: TERMINATED}\n"
    )
    assert problems(write_text(tmp_path / "plan.yaml", text)) == [
        (5, "organizations[0].databases[0].state", "'existing'", "'planned'"),
        (
            6,
            "organizations[0].databases[1]",
            "a mapping of 6",
            "no status other than ACTIVE with state: planned",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cmek-inventory: 1\norganizations: [{id: a, name: a}]\n", ""),
        ("cmek-plan: 1\norganizations: []\n", "organizations"),
        ("cmek-plan: 1\norganizations: [{id: a, databases: []}]\n", "organizations[0]"),
        ("cmek-plan: 1\norganizations: [{id: a, keys: []}]\n", "organizations[0]"),
        ("cmek-plan: 1\norganizations: [{id: a}]\n", "organizations[0]"),
        ("cmek-plan: 1\nkeys: []\n", "keys"),
    ],
)
def test_mistakes_in_plans(tmp_path: Path, text: str, expected: str) -> None:
    """A file that is no plan, or plans nothing, is an error."""
    assert expected in {field for _, field, _, _ in problems(write_text(tmp_path / "p.yaml", text))}


def test_twins_in_a_plan(tmp_path: Path) -> None:
    """A database or an organization that stands twice in a plan is an error."""
    plan = plan_data(planned_data(), planned_data())
    found = problems(write_yaml(tmp_path / "plan.yaml", plan))
    assert [text for _, _, text, _ in found] == ["a duplicate database 'planned acme-planned'"]
    plan = plan_data()
    plan["organizations"] *= 2
    found = problems(write_json(tmp_path / "plan.json", plan))
    assert [text for _, _, text, _ in found] == [f"a duplicate organization '{ORGANIZATION}'"]


def test_ndjson_plans(tmp_path: Path) -> None:
    """A plan in NDJSON is an error, and so is one of any other ending."""
    expected = f".yaml, .yml or .json, such as written by: {PLAN.command}"
    for ending in (".ndjson", ".tfplan", ""):
        file = write_json(tmp_path / f"plan{ending}", plan_data())
        assert problems(file) == [(0, "", f"the ending '{ending}'", expected)]


def test_with_plan() -> None:
    """What is planned is added to what was recorded, and changes nothing else of it."""
    recorded = an_organization()
    plan = an_organization(databases=[a_planned_database()], keys=None, plan=None, name="x")
    merged = add_plan(recorded, plan)
    assert merged.databases == (*(recorded.databases or ()), a_planned_database())
    assert merged.model_copy(update={"databases": recorded.databases}) == recorded
    assert add_plan(recorded, None) is recorded


def test_with_plan_only() -> None:
    """That a plan names databases does not make the existing ones known."""
    recorded = an_organization(databases=None)
    merged = add_plan(recorded, an_organization(databases=[a_planned_database()]))
    assert merged.databases == (a_planned_database(),)
    assert merged.gaps == (PLAN_ONLY,)
    assert {gap.fact for gap in merged.missing()} == {"databases"}


def test_with_plan_that_contradicts() -> None:
    """A plan that plans an existing database is an error."""
    existing = an_organization()
    again = a_planned_database(id=DATABASE, name="acme-orders")
    with pytest.raises(InventoryError) as caught:
        add_plan(existing, an_organization(databases=[again.at("plan.yaml", 5)]))
    found = f"only regions that {existing.databases[0].id} already has, as :0 says"  # type: ignore[index]
    assert caught.value.problems == (
        Problem("plan.yaml", 5, "regions", found, "an additional region"),
    )


def test_organizations_of_a_plan(tmp_path: Path) -> None:
    """A plan may hold several organizations."""
    plan = plan_data()
    plan["organizations"] += plan_data(organization=OTHER_ORGANIZATION)["organizations"]
    organizations = read_plan(write_yaml(tmp_path / "plan.yaml", plan)).organizations
    assert [organization.id for organization in organizations] == [ORGANIZATION, OTHER_ORGANIZATION]
