"""The databases of one key scope, grouped by time and order."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.timeline.deployments import (
    NAMED,
    DeploymentGroup,
    Deployments,
    Order,
    deployment,
    is_doubtful,
    rank_of,
)
from reports.presentation.labels import ORDER
from tests.builders import moment

START = moment("2026-01-01T00:00:00Z")
codes = st.sampled_from(list(ORDER))
times = st.none() | st.datetimes(timezones=st.just(UTC))


@given(st.lists(st.tuples(codes, times, st.booleans())))
def test_every_database_is_counted_once(
    facts: list[tuple[str, datetime | None, bool]],
) -> None:
    """Whatever their orders and times, the counts add up, and the worst is named first."""
    databases = Deployments()
    for code, at, is_planned in facts:
        databases.add(deployment("d", at, Order(code), is_planned=is_planned))
    counts = databases.counts()
    assert counts == Counter(code for code, *_ in facts)
    assert databases.codes() == counts.keys()
    assert [database.order.code for database in databases.named] == sorted(
        (code for code, *_ in facts), key=rank_of
    )[:NAMED]
    assert [*counts] == sorted(counts, key=rank_of)
    first = [group.first for group in databases.dated]
    assert first == sorted(first)


def test_any_number_of_times_makes_a_bounded_number_of_groups() -> None:
    """Many databases at different times are grouped by longer periods, and none is lost."""
    databases = Deployments()
    count = 3_000
    for number in range(count):
        at = START + timedelta(hours=7 * number)
        code = "older-than-key" if number == 2_500 else "after"
        databases.add(deployment(f"d{number:04}", at, Order(code), is_planned=False))
    groups = databases.dated
    assert len(groups) <= 400
    assert sum(group.number for group in groups) == count
    assert (groups[0].first, max(group.last for group in groups)) == (
        START,
        START + timedelta(hours=7 * (count - 1)),
    )
    at = START + timedelta(hours=7 * 2_500)
    assert DeploymentGroup("older-than-key", at, at, 1) in groups
    assert databases.named[0].name == "d2500"


def test_groups_that_are_joined_are_as_bad_as_the_worse() -> None:
    """The order of several databases is the worst of theirs, over the whole time."""
    later = START + timedelta(days=1)
    good, bad = (
        DeploymentGroup("after", START, START, 3),
        DeploymentGroup("unknown", later, later, 1),
    )
    expected = DeploymentGroup("unknown", START, later, 4)
    assert (good.joined(bad), bad.joined(good)) == (expected, expected)


@pytest.mark.parametrize("code", list(ORDER))
def test_what_is_not_known_is_a_doubt(code: str) -> None:
    """Only an order that was found to be right, or for which there is no rule, is no doubt."""
    fine = code in {"after", "astra-provided", "not-applicable"}
    assert is_doubtful(code) is not fine
