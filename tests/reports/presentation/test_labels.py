"""The labels: everything that can be in a record has one, and nothing else has."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from checks.engine.finding import STATUSES, Kind
from checks.engine.reasons import reasons
from checks.engine.waivers import State
from checks.shared import comparisons
from inventory.model.gaps import CloudFact, Fact, GapReason
from inventory.model.sources import Role
from inventory.model.vocabulary import DatabaseType, Provider
from reports.aggregation import coverage_states
from reports.model.changes import CLASSES
from reports.presentation import labels
from reports.record.verdict import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]


def test_statuses_differ_without_colour() -> None:
    """Every status has a word and a shape of its own."""
    assert set(labels.STATUS) == set(STATUSES)
    assert len({label.shape for label in labels.STATUS.values()}) == len(STATUSES)
    assert len({label.word for label in labels.STATUS.values()}) == len(STATUSES)


@pytest.mark.parametrize(
    ("table", "all_of_them"),
    [
        pytest.param(labels.VERDICT, set(VERDICTS), id="verdicts"),
        pytest.param(labels.CELL, {*coverage_states.STATES, labels.NO_DATABASE}, id="cells"),
        pytest.param(labels.WAIVER, set(get_args(State)), id="waivers"),
        pytest.param(labels.CHANGE, set(CLASSES), id="changes"),
        pytest.param(labels.TYPE, set(get_args(DatabaseType)), id="types"),
        pytest.param(labels.PROVIDER, set(get_args(Provider)), id="providers"),
        pytest.param(labels.KIND, set(get_args(Kind)), id="kinds"),
        pytest.param(labels.ROLE, set(get_args(Role)), id="roles"),
        pytest.param(labels.FACT, {"identity", *get_args(Fact), *get_args(CloudFact)}, id="facts"),
        pytest.param(labels.COUNTED, comparisons.COUNTED, id="counted"),
        pytest.param(labels.AGREE, {True, False, None}, id="agreement"),
    ],
)
def test_labels_are_complete(table: dict[str, Any], all_of_them: set[str]) -> None:
    """Whatever can be in a record has its label, and nothing else has."""
    assert set(table) == all_of_them


def _reason_codes() -> Iterator[str]:
    """Yield the reason codes that stand in the calls of the checks."""
    places = {"inconclusive": 4, "not_applicable": 4}
    for file in (ROOT / "checks").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                place = places.get(node.func.id, len(node.args))
                for argument in node.args[place : place + 1]:
                    if isinstance(argument, ast.Constant):
                        yield str(argument.value)


def test_every_reason_is_explained() -> None:
    """Every reason code of a gap and of a check is explained, with who must act."""
    codes = {*get_args(GapReason), *_reason_codes()}
    assert len(codes) > 15
    assert codes - set(reasons()) == set()
    assert labels.reason("never-heard-of") == labels.UNEXPLAINED


def test_every_reason_says_what_to_do() -> None:
    """Whoever must act on a reason code is told what to do, and nobody else is."""
    assert [label for label in reasons().values() if bool(label.who) != bool(label.step)] == []


def test_a_step_is_that_of_the_gaps() -> None:
    """Where gaps of the organization have the reason, the step names it and its permissions."""
    facts = ("databases", "serverless-keys", "region-views")
    gaps: Any = [{"fact": fact, "reason": "refused"} for fact in facts]
    step = labels.step("refused", "acme-{prod}", gaps)
    assert step.startswith(
        'Give the token of acme-{prod} the permission org-db-view ("View DB") and org-cmk-read '
        '("Read CMK Key"), and'
    )
    assert labels.step("refused", "acme", []) == labels.reason("refused").step
    assert labels.step("not-attested", "acme", gaps) == labels.reason("not-attested").step
    assert labels.step("never-heard-of", "acme", gaps) == "See the finding"
