"""Attestations in rows of one kind, and what needs attention among them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page.attestation_groups import VALIDITY, group_attestations
from tests.hypothesis_profile import examples

AS_OF = "2026-11-21T02:00:00Z"


def an_attestation(**over: Any) -> Any:  # noqa: ANN401 (a part of the record)
    return {
        "organization": "acme",
        "organization_id": "o1",
        "key": "",
        "database": "",
        "what": "whether the key is usable",
        "statement": "usable",
        "by": "Ada Example",
        "on": "2026-11-01",
        "due": "2027-11-01",
        "current": True,
        "note": None,
        **over,
    }


def test_keys_with_one_kind_of_statement_are_one_row() -> None:
    """One person's statements about many keys, with one last day, are a row that counts them."""
    keys = [
        an_attestation(key=f"k{number}", organization_id=f"o{number % 2}") for number in range(5)
    ]
    made = group_attestations(keys, AS_OF, 10)
    [group] = made.groups
    assert (group.covers, group.statements) == ("5 keys of 2 organizations", ["usable"])
    assert (group.members, group.left) == (keys, 0)
    assert made[:4] == (5, 1, 5, "2027-11-01")


@pytest.mark.parametrize(
    ("over", "covers"),
    [
        ({}, "1 organization"),
        ({"key": "k"}, "1 key of 1 organization"),
        ({"database": "orders"}, "1 database of 1 organization"),
    ],
)
def test_what_a_row_covers(over: dict[str, str], covers: str) -> None:
    """A row counts the keys and databases that it is about, else the organizations."""
    [group] = group_attestations([an_attestation(**over)], AS_OF, 10).groups
    assert group.covers == covers


@pytest.mark.parametrize(
    "over", [{"by": "Bob"}, {"what": "the plan"}, {"due": None}, {"current": False}]
)
def test_other_statements_are_another_row(over: dict[str, Any]) -> None:
    """Another person, fact or last day, and a statement that does not count, are a row apart."""
    assert (
        len(group_attestations([an_attestation(), an_attestation(**over)], AS_OF, 10).groups) == 2
    )


def test_one_person_in_two_spellings_is_one() -> None:
    """Capitals and blanks in a name make no second person, and no second row."""
    made = group_attestations([an_attestation(), an_attestation(by="ADA  example")], AS_OF, 10)
    assert (made.people, len(made.groups)) == (1, 1)


def test_an_exception_is_seen_in_its_row() -> None:
    """Different statements of one row are listed, those of few first, and the others counted."""
    entries = [an_attestation()] * 3 + [an_attestation(statement="not usable")]
    [group] = group_attestations(entries, AS_OF, 10).groups
    assert group.statements == ["not usable (1)", "usable (3)"]
    times = [an_attestation(statement=f"registered at {day}") for day in range(5)]
    [group] = group_attestations(times, AS_OF, 10).groups
    assert group.statements == [
        "registered at 0",
        "registered at 1",
        "registered at 2",
        "2 other statements",
    ]


def test_what_needs_attention_comes_first() -> None:
    """Expired statements come first, then those not yet valid, then by last day; never is last."""
    entries = [
        an_attestation(due=None),
        an_attestation(due="2027-01-01"),
        an_attestation(due="2026-12-21"),
        an_attestation(on="2026-11-22", due=None, current=False),
        an_attestation(due="2026-11-20", current=False),
        an_attestation(due="2026-12-22"),
    ]
    made = group_attestations(entries, AS_OF, 10)
    assert [(group.state.word, group.due) for group in made.groups] == [
        ("expired", "2026-11-20"),
        ("not yet valid", None),
        ("expiring", "2026-12-21"),
        ("valid", "2026-12-22"),
        ("valid", "2027-01-01"),
        ("valid", None),
    ]
    assert (made.counting, made.next_due) == (4, "2026-12-21")


def test_there_may_be_none() -> None:
    """Without any attestation there is no row and no next day."""
    assert group_attestations([], AS_OF, 10) == (0, 0, 0, "", [], 0)


@examples(100)
@given(
    st.lists(
        st.builds(
            an_attestation,
            by=st.sampled_from("ABC"),
            what=st.sampled_from("xy"),
            due=st.sampled_from(["2026-11-20", "2026-12-01", None]),
            current=st.booleans(),
        ),
        max_size=12,
    ),
    st.integers(1, 8),
)
def test_every_statement_is_shown_or_counted(entries: list[Any], limit: int) -> None:
    """However few fit, each statement is in a row or counted, and none that fails to count is
    called valid.
    """
    made = group_attestations(entries, AS_OF, limit)
    shown = sum(len(group.members) for group in made.groups)
    assert shown <= limit
    assert shown + sum(group.left for group in made.groups) + made.left == len(entries)
    for group in made.groups:
        assert group.members
        counts = group.state in {VALIDITY["valid"], VALIDITY["expiring"]}
        assert {member["current"] for member in group.members} == {counts}
