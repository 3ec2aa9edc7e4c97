"""Ids of databases in little memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

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


@examples(200)
@given(st.dictionaries(st.sampled_from("pqrs"), st.lists(IDS, max_size=6), max_size=4))
def test_shared_ids_are_those_of_several_owners(owned: dict[str, list[str]]) -> None:
    """Exactly the ids that several owners have are found, each with all its owners in order."""
    every = {identity for ids in owned.values() for identity in ids}
    expected = {
        identity: [owner for owner, ids in owned.items() if identity in ids] for identity in every
    }
    found = shared_ids({owner: pack(ids) for owner, ids in owned.items()})
    assert found == {identity: owners for identity, owners in expected.items() if len(owners) > 1}
    assert list(found) == sorted(found)
