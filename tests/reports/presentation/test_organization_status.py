"""What an organization comes to, and which organization comes first in a list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES
from checks.engine.finding import NOT_COMPLYING
from reports.presentation.organization_status import STATES, protected_of, state_of, worst_first
from tests.reports.coverage_rows import a_cell, a_row


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (a_row("o"), "no database"),
        (a_row("o", astra_provided=1), "Astra’s keys"),
        (a_row("o", protected=2, astra_provided=1), "protected"),
        (a_row("o", protected=2, worst=("fail", "advisory")), "protected"),
        (a_row("o", protected=2, worst=("waived", "high")), "waived"),
        (a_row("o", protected=2, unprotected=1, waived=1, worst=("waived", "high")), "waived"),
        (a_row("o", protected=2, unproven=1), "not proven"),
        (a_row("o", protected=2, worst=("inconclusive", "low")), "not proven"),
        (a_row("o", protected=2, whole=False), "not proven"),
        (a_row("o", protected=2, unprotected=1, waived=1, unproven=1), "not proven"),
        (a_row("o", protected=2, worst=("fail", "medium")), "fails a rule"),
        (a_row("o", protected=2, unproven=3, worst=("fail", "medium")), "fails a rule"),
        (a_row("o", protected=9, unprotected=2, waived=1), "not protected"),
        (a_row("o", unprotected=2, worst=("error", "high")), "check broke"),
    ],
)
def test_an_organization_is_as_bad_as_its_worst(row: Any, word: str) -> None:  # noqa: ANN401 (a row)
    """An organization comes to no more than its worst finding, or its worst database."""
    assert state_of(row).word == word


@given(
    row=st.builds(
        a_row,
        st.just("o"),
        worst=st.sampled_from([None, *((s, v) for s in NOT_COMPLYING for v in SEVERITIES)]),
        whole=st.booleans(),
        protected=st.integers(0, 2),
        unprotected=st.just(2),
        waived=st.integers(0, 2),
        unproven=st.integers(0, 1),
    )
)
def test_no_organization_with_an_unprotected_database_is_protected(row: Any) -> None:  # noqa: ANN401 (a row)
    """Whatever else is known, a database without a customer key is never shown as protected."""
    assert STATES.index(state_of(row)) < [state.word for state in STATES].index("protected")


@pytest.mark.parametrize(
    ("cells", "worst", "word"),
    [
        ([a_cell("covered", "r")], None, "protected"),
        ([a_cell("covered", "r"), a_cell("missing", "s")], ("fail", "high"), "fails a rule"),
        ([a_cell("undetermined", "r")], None, "not proven"),
        ([], None, "no database"),
    ],
)
def test_a_record_without_numbers_of_databases(
    cells: list[Any], worst: tuple[str, str] | None, word: str
) -> None:
    """In a record of an older version, an organization is judged by its key scopes."""
    row = a_row("o", *cells, worst=worst)
    del row["protection"], row["open"]
    assert state_of(row).word == word


def test_the_worst_organization_comes_first() -> None:
    """Organizations are sorted by what they come to, then by their worst finding and how many."""
    rows = [
        a_row("calm", protected=1),
        a_row("waiving", worst=("waived", "high"), counts={"waived": 1}),
        a_row("unsure", worst=("inconclusive", "critical"), counts={"inconclusive": 9}),
        a_row("failing", worst=("fail", "high"), counts={"fail": 1}),
        a_row("failing-twice", worst=("fail", "high"), counts={"fail": 2}),
        a_row("bare", worst=("fail", "high"), counts={"fail": 1}, unprotected=1),
        a_row("critical", worst=("fail", "critical"), counts={"fail": 1}),
        a_row("broken", worst=("error", "medium"), counts={"error": 1}),
    ]
    assert [row["name"] for row in worst_first(rows)] == [
        "broken",
        "bare",
        "critical",
        "failing-twice",
        "failing",
        "unsure",
        "waiving",
        "calm",
    ]


def test_no_organization_of_a_partial_run_is_in_order() -> None:
    """In a run of a part of the checks, no organization comes to more than not proven."""
    rows = [a_row("a", protected=1), a_row("b"), a_row("c", astra_provided=1)]
    shown = worst_first(rows, is_partial=True)
    assert [(row["name"], state_of(row).word) for row in shown] == [
        ("a", "not proven"),
        ("b", "not proven"),
        ("c", "not proven"),
    ]


def test_protected_databases_are_counted_of_those_that_are_to_be() -> None:
    """Databases declared to use Astra's keys are counted by neither number."""
    row = a_row("o", protected=1_200, unprotected=30, unproven=4, astra_provided=5)
    assert protected_of(row) == "1,200 of 1,234"
    assert protected_of(a_row("o", astra_provided=5)) == "none expected"
    del row["protection"]
    assert protected_of(row) == "not recorded"
