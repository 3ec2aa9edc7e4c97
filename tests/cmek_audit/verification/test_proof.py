"""The words for how far something is proven, and which of them decides."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmek_audit.verification.proof import WORDS, Proof, Status, unprovable, worst

STATUSES: tuple[Status, ...] = get_args(Status)


def test_each_status_has_its_word() -> None:
    """Every status is written in a word or two, and each in its own."""
    assert WORDS.keys() == set(STATUSES)
    assert len({*WORDS.values()}) == len(WORDS)


@given(st.lists(st.sampled_from(STATUSES)))
def test_the_worst_decides(statuses: list[Status]) -> None:
    """All are proven only if each is, one that differs outweighs any other, and none prove none."""
    if "differs" in statuses:
        assert worst(statuses) == "differs"
    else:
        assert (worst(statuses) == "proven") is ({*statuses} == {"proven"})


@pytest.mark.parametrize(
    ("proof", "stops"),
    [
        (Proof("a", "proven", ""), False),
        (Proof("a", "not-proven", ""), True),
        (Proof("a", "differs", ""), True),
        (Proof("a", "differs", "", is_provable=False), True),
        (unprovable("a", ""), False),
    ],
)
def test_what_stops(proof: Proof, stops: bool) -> None:  # noqa: FBT001 (a parameter)
    """What could be proven and was not stops, and so does a difference, of whatever it is."""
    assert proof.stops is stops


def test_a_proof_is_one_line() -> None:
    """A proof says name, word and reason."""
    assert str(unprovable("run", "only it says so")) == "run: not proven (only it says so)"
