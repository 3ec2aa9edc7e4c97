"""The worst of several findings."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from checks.engine.card import SEVERITIES
from checks.engine.finding import STATUSES
from reports.aggregation.worst_finding import Worst, shown, worse
from tests.hypothesis_profile import examples
from tests.reports.recording import a_finding

if TYPE_CHECKING:
    from checks.engine.finding import Finding


def test_a_failure_is_worse_than_what_could_not_be_judged() -> None:
    """The status decides first, then the severity; an advisory comes after all others."""
    findings = [
        a_finding("fail", severity="critical"),
        a_finding("fail", severity="low"),
        a_finding("inconclusive", severity="critical"),
        a_finding("waived", severity="critical"),
        a_finding("fail", severity="advisory"),
    ]
    order = list(map(shown, findings))
    assert [worse(*order[place:]) for place in range(len(order))] == order


def test_of_equals_the_same_one_is_kept_in_any_order() -> None:
    """Which of equally bad findings is shown does not depend on the order they come in."""
    findings = [
        shown(a_finding(region=region)) for region in ("us-west-2", "eu-west-1", "us-east-1")
    ]
    assert {worse(*some) for some in permutations(findings)} == {findings[1]}


def test_of_nothing_there_is_no_worst() -> None:
    """Findings may be missing; of none there is no worst."""
    one = shown(a_finding())
    assert (worse(), worse(None), worse(None, one)) == (None, None, one)


@examples(50)
@given(
    st.lists(
        st.builds(
            a_finding,
            st.sampled_from(STATUSES),
            severity=st.sampled_from(SEVERITIES),
            region=st.sampled_from(["us-west-2", "eu-west-1"]),
        )
    )
)
def test_one_by_one_the_same_is_kept(findings: list[Finding]) -> None:
    """Findings that come one by one leave the worst of all of them."""
    worst = Worst()
    for finding in findings:
        worst.add(finding)
    assert worst.finding == worse(*map(shown, findings))


def test_what_is_kept_has_the_id_of_the_finding() -> None:
    """What is shown of a finding leads to it."""
    finding = a_finding("fail", cause="without-key")
    assert shown(finding).id == finding.id
