"""The worst of several findings."""

from __future__ import annotations

from itertools import permutations

from reports.aggregation.worst_finding import worse
from tests.reports.recording import a_finding


def test_a_failure_is_worse_than_what_could_not_be_judged() -> None:
    """The status decides first, then the severity; an advisory comes after all others."""
    order = [
        a_finding("fail", severity="critical"),
        a_finding("fail", severity="low"),
        a_finding("inconclusive", severity="critical"),
        a_finding("waived", severity="critical"),
        a_finding("fail", severity="advisory"),
    ]
    assert [worse(*order[place:]) for place in range(len(order))] == order


def test_of_equals_the_same_one_is_kept_in_any_order() -> None:
    """Which of equally bad findings is shown does not depend on the order they come in."""
    findings = [a_finding(region=region) for region in ("us-west-2", "eu-west-1", "us-east-1")]
    assert {worse(*some) for some in permutations(findings)} == {findings[1]}


def test_of_nothing_there_is_no_worst() -> None:
    """Findings may be missing; of none there is no worst."""
    assert (worse(), worse(None), worse(None, a_finding())) == (None, None, a_finding())
