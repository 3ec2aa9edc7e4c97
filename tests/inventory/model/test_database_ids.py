"""Ids of databases in little memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model import database_ids
from inventory.model.database_ids import DatabaseIds, pack, shared_ids
from tests.builders import uuid
from tests.hypothesis_profile import examples

IDS = st.builds(uuid, st.integers(0, 6)) | st.sampled_from(
    ["a", "b", uuid(0xD1).upper(), uuid(0xD1), "x" * 16]
)


def test_a_uuid_takes_sixteen_bytes() -> None:
    """Ids that are UUIDs in lower case are packed, all others are kept as they are."""
    ids = pack([uuid(1), "acme", uuid(2), uuid(0xD1).upper()])
    assert len(ids.packed) == 32
    assert ids.others == ("acme", uuid(0xD1).upper())
    assert pack([]) == DatabaseIds()
    odd = (f"x{uuid(1)}", f"{uuid(1)}x", f"{uuid(1)}0", f"0{uuid(1)}", f"{uuid(1)}\n")
    assert pack(odd) == DatabaseIds(b"", odd)


@examples(100)
@given(ids=st.lists(IDS))
def test_equal_ids_have_equal_numbers(ids: list[str]) -> None:
    """Each id has a number, in the order in which the short forms come, and equal ids the same."""
    packed = pack(ids)
    of_form = dict(zip(packed.short_forms(), packed.numbers(), strict=True))
    pairs = zip(packed.short_forms(), packed.numbers(), strict=True)
    assert len([*packed.numbers()]) == len(ids)
    assert all(of_form[form] == number for form, number in pairs)


@examples(200)
@given(
    owned=st.dictionaries(st.sampled_from("pqrs"), st.lists(IDS, max_size=6), max_size=4),
    buckets=st.integers(1, 30),
)
def test_shared_ids_are_those_of_several_owners(owned: dict[str, list[str]], buckets: int) -> None:
    """Exactly the ids that several owners have are found, each with all its owners in order.

    In how many parts they are looked for makes no difference.
    """
    every = {identity for ids in owned.values() for identity in ids}
    expected = {
        identity: [owner for owner, ids in owned.items() if identity in ids] for identity in every
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_ids, "_BUCKETS", buckets)
        found = shared_ids({owner: pack(ids) for owner, ids in owned.items()})
    assert found == {identity: owners for identity, owners in expected.items() if len(owners) > 1}
    assert list(found) == sorted(found)


_GOOD = "00000000-0000-4000-8000-0000000000d1"


@pytest.mark.parametrize(
    "odd",
    [
        _GOOD.upper(),
        _GOOD.replace("d1", "g1"),
        _GOOD.replace("d1", " 1"),
        "0000000-00000-4000-8000-0000000000d1",
        "00000000-0000-4000-8000--000000000d1",
        "acme",
        "é" * 36,
    ],
)
def test_one_odd_id_keeps_all_ids_as_they_are(odd: str) -> None:
    """Ids that are packed together come back as they were, whichever of them is no plain UUID."""
    ids = [_GOOD, odd, _GOOD.replace("d1", "d2")]
    packed = pack(ids)
    assert packed.others == (odd,)
    assert shared_ids({"one": packed, "two": pack(ids[::-1])}) == {
        identity: ["one", "two"] for identity in sorted(ids)
    }
