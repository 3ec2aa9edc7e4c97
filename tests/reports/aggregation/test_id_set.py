"""Sets of ids that take little memory while nobody adds to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.aggregation.id_set import IdSet, count_all
from tests.builders import uuid
from tests.hypothesis_profile import examples

IDS = st.builds(uuid, st.integers(0, 6)) | st.sampled_from(["acme", "", uuid(0xD1).upper()])


@examples(200)
@given(st.lists(st.lists(IDS) | st.just("pack")))
def test_a_set_holds_what_it_was_given(steps: list[list[str] | str]) -> None:
    """Whenever it is packed, a set holds each id that came, once and as it was."""
    ids, expected = IdSet(), set[str]()
    for step in steps:
        if isinstance(step, str):
            ids.pack()
            continue
        ids.update(step[1:])
        for identity in step[:1]:
            ids.add(identity)
        expected.update(step)
    assert (sorted(ids), len(ids)) == (sorted(expected), len(expected))


@examples(100)
@given(st.lists(st.lists(IDS)))
def test_an_id_in_several_sets_counts_once(given_ids: list[list[str]]) -> None:
    """Together, sets have as many ids as are different, packed or not."""
    sets = []
    for number, some in enumerate(given_ids):
        sets.append(IdSet())
        sets[-1].update(some)
        if number % 2:
            sets[-1].pack()
    assert count_all(sets) == len({identity for some in given_ids for identity in some})
