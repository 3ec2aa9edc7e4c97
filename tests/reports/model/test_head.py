"""The head of the record: its type, its schema, and what an audit writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest
from jsonschema import Draft202012Validator

from checks.engine.card import Card
from checks.engine.waivers import Waiver
from checks.shared import comparisons
from inventory.model.gaps import GapReason
from reports.aggregation import coverage_states
from reports.model.head import Head, Outcome, RuleEntry, WaiverEntry
from reports.record import evidence, layout
from reports.record.verdict import VERDICTS
from tests.reports.everything import differences, record_of_everything, schema, validator
from tests.reports.recording import RUN, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = schema("audit")
NAMES = ("audit", "finding", "population")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Record an audit that has something to say in every block."""
    return record_of_everything(tmp_path_factory.mktemp("live"), tmp_path_factory.mktemp("record"))


def test_the_schema_is_that_of_the_type() -> None:
    """Every field of the head has in the schema the type that it has in code, and no other.

    What is written is checked by mypy, so nothing is written that the schema does not describe.
    """
    assert list(differences(Head, HEAD, HEAD)) == [
        # While an audit runs, its head has no block on the run; a file always has one.
        "/run: required in one of the two only",
        # The two that follow are parts of all there are.
        *_SUBSETS,
    ]


_SUBSETS = [
    "/not_evaluated/[]/status: the schema has ['error', 'inconclusive', 'not-applicable']",
]


def test_entries_have_the_fields_of_the_models() -> None:
    """A rule and a waiver are stated with all that their models hold."""
    assert RuleEntry.__annotations__.keys() == {
        *(name for name, field in Card.model_fields.items() if not field.exclude),
        "controls",
        "counts",
    }
    more = {"state", "file", "line"}
    assert WaiverEntry.__annotations__.keys() == {*Waiver.model_fields, *more}


def test_a_whole_record_fits_the_schemas(audited: Record) -> None:
    """The head of an audit with something in every block is valid by the published schema."""
    head = {**audited.head, "run": RUN}
    assert [error.message for error in validator("audit").iter_errors(head)] == []


def test_the_audit_under_test_fills_every_block(audited: Record) -> None:
    """The record on which the schema is tried leaves none of its lists empty."""
    empty = {name for name, value in audited.head.items() if value in ([], {}, "")}
    plan = {name for name, value in audited.head["key_plan"]["lists"].items() if not value}
    assert (empty, plan) == (set(), set())


# --- the schemas ----------------------------------------------------------------------------------


def _objects(part: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        if part.get("type") == "object":
            yield path, part
        for name, each in part.items():
            yield from _objects(each, f"{path}/{name}")
    elif isinstance(part, list):
        for index, each in enumerate(part):
            yield from _objects(each, f"{path}/{index}")


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas(name: str) -> None:
    """Each file is a valid schema of the draft it names, and of the version of the record."""
    file = schema(name)
    Draft202012Validator.check_schema(file)
    version = layout.SCHEMA.rpartition("/")[2]
    assert (file["$schema"], file["$id"]) == (
        Draft202012Validator.META_SCHEMA["$id"],
        f"urn:cmek-audit:record:{version}:{name}",
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_explain_numbers(name: str) -> None:
    """Every plain number of the record is described in words, and with its unit if it has one."""
    silent = {
        f"{path}/{field}"
        for path, each in _objects(schema(name))
        for field, part in each.get("properties", {}).items()
        if isinstance(part, dict) and part.get("type") == "integer" and not part.get("description")
    }
    statuses = ("error", "fail", "inconclusive")
    counted = {f"/properties/actions/items/properties/statuses/{status}" for status in statuses}
    assert silent - counted == set()


def test_the_schema_is_of_the_recorded_version() -> None:
    """The version that the schema demands is the one that the suite writes."""
    assert HEAD["properties"]["schema"]["const"] == layout.SCHEMA


def test_every_verdict_has_its_sentence() -> None:
    """The outcomes of the type are those for which there is a sentence."""
    assert set(get_args(Outcome)) == set(VERDICTS)


def _enum(path: str) -> list[str]:
    place: Any = HEAD
    for step in path.split("/"):
        place = place[step]
    return sorted(place["enum"])


_ROWS = "properties/population/properties/organizations/items/properties"


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (f"{_ROWS}/reconciliation/items/properties/what", tuple(comparisons.COUNTED)),
        (
            "properties/coverage/items/properties/cells/items/properties/state",
            coverage_states.STATES,
        ),
    ],
)
def test_the_schema_lists_what_there_is(path: str, values: tuple[str, ...]) -> None:
    """Where only the schema lists values, it lists those that the suite knows."""
    assert _enum(path) == sorted(values)


def test_the_schema_limits_the_index_of_evidence() -> None:
    """No more exchanges are listed than the schema takes."""
    bundle = HEAD["properties"]["evidence"]["items"]["properties"]
    assert bundle["exchanges"]["maxItems"] == evidence.MOST_LISTED


def test_every_reason_for_a_gap_fits_the_schema() -> None:
    """The codes of why a fact is missing have the form that the schema asks for."""
    rows = HEAD["properties"]["population"]["properties"]["organizations"]["items"]
    gaps = rows["properties"]["gaps"]["items"]["properties"]
    codes = Draft202012Validator(gaps["reason"])
    assert {code for code in get_args(GapReason) if not codes.is_valid(code)} == set()
