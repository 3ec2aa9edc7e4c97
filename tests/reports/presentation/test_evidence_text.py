"""On which kinds of evidence an audit rests, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.engine.finding import EVIDENCE_KINDS
from reports.presentation.evidence_text import rests_on, sentence
from reports.presentation.labels import RESTS_ON
from tests.hypothesis_profile import examples

if TYPE_CHECKING:
    from checks.engine.finding import EvidenceKind


def _numbers(**given: int) -> Any:  # noqa: ANN401 (a part of the record)
    return dict.fromkeys(EVIDENCE_KINDS, 0) | given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ""),
        (
            {"portal": 3, "order": 7, "attested": 2},
            (
                "Of 12 databases that are proven: 3 by a look at the portal, 7 by the order of "
                "times, 2 by statements of people alone."
            ),
        ),
        ({"order": 1}, "The one database that is proven is so by the order of times."),
        ({"records": 2}, "The 2 databases that are proven are so by what records state."),
        (
            {"cloud": 1, "attested": 1_000},
            (
                "Of 1,001 databases that are proven: 1 by what the cloud shows, 1,000 by "
                "statements of people alone."
            ),
        ),
    ],
)
def test_the_kinds_of_evidence_are_summed_in_a_sentence(given: Any, words: str) -> None:  # noqa: ANN401
    """The sentence names each kind of evidence that proves a database, the strongest first."""
    assert sentence(_numbers(**given)) == words


@examples(100)
@given(numbers=st.fixed_dictionaries({kind: st.integers(0, 3) for kind in EVIDENCE_KINDS}))
def test_no_kind_is_left_out(numbers: dict[EvidenceKind, int]) -> None:
    """What rests on statements of people alone is never left out of the sentence."""
    assert ("statements of people alone" in sentence(numbers)) is (numbers["attested"] > 0)


def test_a_record_of_an_earlier_version_says_nothing() -> None:
    """A record without these numbers has no such sentence."""
    old: Any = {}
    new: Any = {"evidence_kinds": {"databases": _numbers(order=1), "passes": _numbers()}}
    assert (rests_on(old), rests_on(new)) == ("", sentence(_numbers(order=1)))


def test_every_kind_has_a_label() -> None:
    """Each kind of evidence has a word, a shape of its own and a meaning, in their order."""
    assert tuple(RESTS_ON) == EVIDENCE_KINDS
    assert len({label.shape for label in RESTS_ON.values()}) == len(EVIDENCE_KINDS)
    assert all(label.meaning for label in RESTS_ON.values())
