"""What takes findings: waivers, selection and baseline apply before anybody counts."""

from __future__ import annotations

from checks.engine.context import Context
from checks.engine.evaluation import evaluate
from checks.engine.outcome import Gate
from cmek_audit.execution.tally import FindingTally, Selection, Terms, group_id
from tests.builders import (
    AS_OF,
    OTHER_ORGANIZATION,
    a_database,
    a_key,
    an_organization,
    aws_key_id,
    uuid,
)
from tests.cmek_audit.execution.audits import RULES

TERMS = Terms(Context(AS_OF), Gate(), "organization", (), None, "0" * 64)
FLEET = [
    an_organization(),
    an_organization(
        id=OTHER_ORGANIZATION,
        name="acme-test",
        keys=[a_key(key_id=aws_key_id(number=2))],
        databases=[a_database(id=uuid(7))],
    ),
]


def _tally(terms: Terms = TERMS) -> FindingTally:
    tally = FindingTally(terms, RULES)
    tally.take(evaluate(FLEET, RULES, terms.context, tally.add_organization))
    return tally


def _counts(tally: FindingTally) -> dict[tuple[str, str], int]:
    groups = (group for some in tally.grouping.groups().values() for group in some)
    return {group_id(group): group.counts.total() for group in groups if group.counts}


def test_a_selection_leaves_other_groups_out() -> None:
    """Only findings of the selected groups are counted."""
    every = _counts(_tally())
    chosen = next(iter(every))
    selection = Selection(frozenset({chosen}), "organization", "others")
    assert _counts(_tally(TERMS._replace(selection=selection))) == {chosen: every[chosen]}


def test_two_tallies_are_one() -> None:
    """What two processes counted is added up; without a baseline there are no changes."""
    terms = TERMS
    one, two = FindingTally(terms, RULES), FindingTally(terms, RULES)
    for tally, organization in zip((one, two), FLEET, strict=True):
        tally.take(evaluate([organization], RULES, terms.context, tally.add_organization))
    one.merge(two.grouping, two.waivers, two.changes)
    several = [key for key in _counts(_tally()) if key[1]]
    assert {key: _counts(one)[key] for key in several} == {
        key: _counts(_tally())[key] for key in several
    }
    assert one.changes is None
